"""What an author said in several notes, put together again: our parts exactly, strangers' by guess.

Knows which notes go on where another ends, and how their texts meet. How one text is split is in
`split`, what its parts carry in `join`, what people number by hand in `numbering`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.answering import stands_flat
from nostr_threads.core.node import Node, State, next_parts
from nostr_threads.core.numbering import Numbering, numbering

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from nostr_threads.core.event import Verified

__all__ = ["MAX_MISSING", "Article", "articles"]

MAX_MISSING = 100
"""No article names more missing parts than this, or two notes of "10000" could fill a report."""

_PAUSE = 30 * 60
"""Seconds within which an author goes on who does not number his notes."""
_LONG = 200
"""Characters before a text may count as cut by a limit, in the middle of a sentence."""

_KINDS = {(kinds.NOTE, kinds.NOTE), (kinds.COMMENT, kinds.COMMENT)}
_KINDS |= {(kinds.FORUM_THREAD, kinds.COMMENT)}
_DOTS = ("…", "...")


@dataclass(frozen=True, slots=True)
class Article:
    """A text that came in several notes by one author, in order.

    `stretches` are the text of each node, what stands between it and the one before included.
    `is_exact` says that all parts are there, by their `part` tags, and the text is the author's
    byte for byte. `is_guess` says that no such tags told what belongs together: best effort.
    `missing` are the places known to be empty, rising, the first `MAX_MISSING` of them.
    """

    nodes: tuple[Node, ...]
    stretches: tuple[str, ...]
    is_exact: bool
    is_guess: bool
    missing: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The whole text. Where parts of ours are missing, a paragraph ends."""
        return "".join(self.stretches)

    @property
    def root(self) -> Node:
        """The note it begins with."""
        return self.nodes[0]

    @property
    def author(self) -> str:
        """The public key of who wrote all of it."""
        return _event(self.nodes[0]).pubkey


def articles(nodes: Sequence[Node]) -> tuple[Article, ...]:
    """Return every text of more than one note among the nodes of a thread, in display order.

    Parts with valid `part` tags belong together as the tags say; one that is missing, deleted or
    hidden leaves a gap. Any other note is followed by an answer of its own author to it, of kind 1
    to 1, 1111 to 1111 or 1111 to 11, when the texts say so: the numbers rise by one and the totals
    agree; or, without numbers and within half an hour, the first note announced more ("🧵"), one
    says that it goes on ("cont."), or a long note stops in the middle of a sentence that the next
    one continues. An author who merely answers himself is not joined. Of several candidates a
    number that fits wins, then the oldest.
    """
    by_id = {node.id: node for node in nodes}
    found = [*_exact(nodes, by_id), *_guessed(nodes, by_id)]
    order = {node.id: place for place, node in enumerate(nodes)}
    return tuple(sorted(found, key=lambda article: order[article.root.id]))


def _event(node: Node) -> Verified:
    if node.event is None:
        raise ValueError("a node of an article has its event")
    return node.event


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
        missing = _missing(indices, total)
        yield Article(tuple(shown), stretches, not missing, False, missing)


def _runs(nodes: Sequence[Node]) -> list[list[Node]]:
    """Return the parts that follow each other without a gap, those not to be shown included."""
    ours = [node for node in nodes if _is_ours(node)]
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
        alike.setdefault((_event(run[0]).pubkey, total), []).append(run)
    for group in alike.values():
        group.sort(key=lambda run: _index(run[0]))
        if all(_may_follow(run, after, by_id) for run, after in pairwise(group)):
            yield list(chain.from_iterable(group))
        else:
            yield from group


def _may_follow(run: list[Node], after: list[Node], by_id: Mapping[str, Node]) -> bool:
    last, first = run[-1], after[0]
    above = by_id[first.parent] if first.parent is not None else None
    distance = abs(_event(first).created_at - _event(last).created_at)
    is_lost = above is not None and above.event is None
    # In a forum thread a part stands beside the one before it, whether that came or not.
    is_beside = stands_flat(_event(first)) and first.parent in (last.parent, last.id)
    return (is_lost or is_beside) and _index(last) + 1 < _index(first) and distance <= _PAUSE


def _is_ours(node: Node) -> bool:
    return node.event is not None and node.part is not None and node.part.total > 1


def _index(node: Node) -> int:
    return node.part.index if node.part is not None else 0


def _missing(indices: Iterable[int], total: int) -> tuple[int, ...]:
    known = set(indices)
    absent = (index for index in range(1, total + 1) if index not in known)
    return tuple(islice(absent, MAX_MISSING))


@dataclass(frozen=True, slots=True)
class _Written:
    """A note as its author wrote it: its number, and its text without it."""

    node: Node
    number: Numbering | None
    text: str

    @property
    def place(self) -> int:
        """Its number, 0 without one."""
        return self.number.index if self.number is not None else 0

    @property
    def opens(self) -> bool:
        """Whether it announces more, without a number of its own."""
        return self.number is not None and self.number.opens and not self.place

    @property
    def says_it_goes_on(self) -> bool:
        return self.number is not None and not self.number.opens and not self.place


@dataclass(slots=True)
class _Chain:
    """A stranger's notes in the making. `total` is the one that a number has named, if any has."""

    notes: list[_Written]
    total: int | None = field(init=False)

    def __post_init__(self) -> None:
        number = self.notes[0].number
        self.total = number.total if number is not None else None

    def add(self, note: _Written) -> None:
        self.notes.append(note)
        if self.total is None and note.number is not None:
            self.total = note.number.total

    def next_of(self, candidates: Sequence[_Written]) -> _Written | None:
        """Choose what goes on here: a number that fits, else what the texts themselves show."""
        numbered = (note for note in candidates if note.place and self._counts_on(note))
        plain = (note for note in candidates if not note.place and self._goes_on(note))
        return next(chain(numbered, plain), None)

    def _counts_on(self, note: _Written) -> bool:
        last = self.notes[-1]
        total = note.number.total if note.number is not None else None
        if self.total is not None and (total not in (None, self.total) or note.place > self.total):
            return False
        if last.opens:
            return note.place in (1, 2)
        return last.place > 0 and note.place == last.place + 1

    def _goes_on(self, note: _Written) -> bool:
        last = self.notes[-1]
        if last.place or note.opens or not _is_soon(last, note):
            return False
        if self.notes[0].opens or last.says_it_goes_on or note.says_it_goes_on:
            return True
        is_long = len(last.text) >= _LONG
        return _is_dotted(last.text, note.text) or (is_long and _is_cut(last.text, note.text))

    def article(self) -> Article:
        first = self.notes[0]
        places = [note.place for note in self.notes if note.place]
        # A first note without a number, before one that says 2, is number 1.
        opening = [1] if places and not first.place and places[0] == 2 else []
        total = self.total or max(places, default=0)
        return Article(
            tuple(note.node for note in self.notes),
            tuple(_stretches([note.text for note in self.notes])),
            False,
            True,
            _missing([*opening, *places], total),
        )


def _guessed(nodes: Sequence[Node], by_id: Mapping[str, Node]) -> Iterator[Article]:
    written, children = _own_answers(nodes, by_id)
    taken: set[str] = set()
    for node in nodes:
        if node.id in taken or node.id not in written:
            continue
        made = _Chain([written[node.id]])
        while (after := made.next_of(children.get(made.notes[-1].node.id, ()))) is not None:
            made.add(after)
        if len(made.notes) < 2:
            continue
        if (opening := _opening(made, written, taken)) is not None:
            made.notes.insert(0, opening)
        taken.update(note.node.id for note in made.notes)
        yield made.article()


def _opening(
    made: _Chain, written: Mapping[str, _Written], taken: Collection[str]
) -> _Written | None:
    """Return the note without a number before a chain that says 2: the 3 after it is the proof."""
    first = made.notes[0]
    before = written.get(first.node.parent or "")
    if first.place != 2 or before is None or before.node.id in taken or before.number is not None:
        return None
    return before if _follows(first.node, before.node) and _is_soon(before, first) else None


def _own_answers(
    nodes: Sequence[Node], by_id: Mapping[str, Node]
) -> tuple[dict[str, _Written], dict[str, list[_Written]]]:
    """Return the notes that stand beside another of their author's, and what may follow each."""
    written: dict[str, _Written] = {}
    children: dict[str, list[_Written]] = {}
    for node in nodes:
        parent = by_id[node.parent] if node.parent is not None else None
        if parent is None or not _follows(node, parent):
            continue
        for each in (parent, node):
            if each.id not in written:
                written[each.id] = _written(each)
        children.setdefault(parent.id, []).append(written[node.id])
    return written, children


def _follows(node: Node, parent: Node) -> bool:
    """Whether a note answers one of the same author, both to be seen, neither a part of ours."""
    if node.event is None or parent.event is None or _is_ours(node) or _is_ours(parent):
        return False
    return (
        node.state is parent.state is State.PRESENT
        and node.event.pubkey == parent.event.pubkey
        and (parent.event.kind, node.event.kind) in _KINDS
    )


def _written(node: Node) -> _Written:
    text = node.part.original if node.part is not None else _event(node).content
    number = numbering(text)
    if number is not None:
        text = text[: number.start] + text[number.end :]
    return _Written(node, number, text.strip())


def _is_soon(before: _Written, after: _Written) -> bool:
    waited = _event(after.node).created_at - _event(before.node).created_at
    return 0 <= waited <= _PAUSE


def _stretches(texts: Sequence[str]) -> Iterator[str]:
    """Yield the texts as they meet: words of one sentence with a space, others as paragraphs."""
    before = ""
    for place, text in enumerate(texts):
        after = texts[place + 1] if place + 1 < len(texts) else ""
        lead = _seam(before, text) if before and text else ""
        said = text.lstrip("….") if _is_dotted(before, text) else text
        yield lead + (said.rstrip("….") if _is_dotted(text, after) else said).strip()
        before = text or before


def _seam(before: str, after: str) -> str:
    if before.endswith(("\uff0c", "\u3001")):
        return ""
    return " " if _is_dotted(before, after) or _is_cut(before, after) else "\n\n"


def _is_dotted(before: str, after: str) -> bool:
    """Whether both ends say that a sentence was cut here: "and so … / … it went on"."""
    return before.endswith(_DOTS) and after.startswith(_DOTS)


def _is_cut(before: str, after: str) -> bool:
    """Whether a text stops inside a sentence that the next one continues, as far as one can see.

    A link or a hashtag ends a note well enough, and so does a heading.
    """
    if not before or not after[:1].islower() or not (before[-1].isalnum() or before[-1] in ",;"):
        return False
    line = before[before.rfind("\n") + 1 :]
    word = line[line.rfind(" ") + 1 :]
    return not ("://" in word or word.startswith(("#", "nostr:")) or line.startswith("#"))
