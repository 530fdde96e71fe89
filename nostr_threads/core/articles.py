"""What an author said in several notes, put together again: our parts exactly, strangers' by guess.

Knows which parts go on where another ends, by their tags. How one text is split is in `split`, what
its parts carry in `join`, and what strangers number by hand in `guessing`.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

from nostr_threads.core.answering import stands_flat
from nostr_threads.core.guessing import guessed
from nostr_threads.core.joined import MAX_MISSING, Article, event_of, is_ours, missing_among
from nostr_threads.core.node import Node, State, next_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["MAX_MISSING", "Article", "articles"]

_PAUSE = 30 * 60
"""Seconds within which the parts of one answer are written, where one of them is missing."""


def articles(nodes: Sequence[Node]) -> tuple[Article, ...]:
    """Return every text of more than one note among the nodes of a thread, in display order.

    Parts with valid `part` tags belong together as the tags say; one that is missing, deleted or
    hidden leaves a gap. Any other note is followed by an answer of its own author to it, of kind 1
    to 1, 1111 to 1111 or 1111 to 11, when the texts say so: the numbers rise by one and the totals
    agree; or, without numbers and within half an hour, the first note announced more ("🧵"), one
    says that it goes on ("cont."), or a long note stops in the middle of a sentence that the next
    one continues. An author who merely answers himself is not joined. Of several candidates a
    number that fits wins, then the oldest. Where none fits, the next number of the same total is
    looked for among his other answers to notes of the chain, and beside its first.
    """
    by_id = {node.id: node for node in nodes}
    found = [*_exact(nodes, by_id), *guessed(nodes, by_id)]
    order = {node.id: place for place, node in enumerate(nodes)}
    return tuple(sorted(found, key=lambda article: order[article.root.id]))


def _exact(nodes: Sequence[Node], by_id: Mapping[str, Node]) -> Iterator[Article]:
    for run in _mended(_runs(nodes), by_id):
        shown = [node for node in run if node.state is State.PRESENT and node.part is not None]
        if len(shown) < 2:
            continue
        parts = [node.part for node in shown if node.part is not None]
        indices, total = [part.index for part in parts], parts[0].total
        gaps = [after - before > 1 for before, after in pairwise(indices)]
        stretches = tuple(
            "\n\n" * is_gap + part.original
            for part, is_gap in zip(parts, (False, *gaps), strict=True)
        )
        missing = missing_among(indices, total)
        yield Article(tuple(shown), stretches, not missing, False, missing)


def _runs(nodes: Sequence[Node]) -> list[list[Node]]:
    """Return the parts that follow each other without a gap, those not to be shown included."""
    ours = [node for node in nodes if is_ours(node)]
    following: dict[str, Node] = {}
    pairs = sorted(next_parts(nodes), key=lambda pair: pair[1].state is not State.PRESENT)
    for part, after in pairs:
        following.setdefault(part.id, after)
    follow = {node.id for node in following.values()}
    runs = []
    for node in ours:
        if node.id not in follow:
            runs.append([node])
            while (next_part := following.get(runs[-1][-1].id)) is not None:
                runs[-1].append(next_part)
    return runs


def _mended(runs: list[list[Node]], by_id: Mapping[str, Node]) -> Iterator[list[Node]]:
    """Put runs together between which a part never came, where only one way fits."""
    alike: dict[tuple[str, int], list[list[Node]]] = {}
    for run in runs:
        total = run[0].part.total if run[0].part is not None else 0
        alike.setdefault((event_of(run[0]).pubkey, total), []).append(run)
    for group in alike.values():
        group.sort(key=lambda run: _index(run[0]))
        if all(_may_follow(run, after, by_id) for run, after in pairwise(group)):
            yield list(chain.from_iterable(group))
        else:
            yield from group


def _may_follow(run: list[Node], after: list[Node], by_id: Mapping[str, Node]) -> bool:
    last, first = run[-1], after[0]
    above = by_id[first.parent] if first.parent is not None else None
    distance = abs(event_of(first).created_at - event_of(last).created_at)
    is_lost = above is not None and above.event is None
    # In a forum thread a part stands beside the one before it, whether that came or not.
    is_beside = stands_flat(event_of(first)) and first.parent in (last.parent, last.id)
    return (is_lost or is_beside) and _index(last) + 1 < _index(first) and distance <= _PAUSE


def _index(node: Node) -> int:
    return node.part.index if node.part is not None else 0
