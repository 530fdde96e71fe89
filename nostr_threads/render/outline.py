"""A thread as the blocks a reader sees: an author's parts as one, wide places folded.

Knows what stands under what and how much is left out. Knows nothing of text. Nothing recurses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from nostr_threads.core.node import Node, State, next_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.articles import Article
    from nostr_threads.core.thread import Thread

__all__ = ["Block", "Fold", "outline"]


@dataclass(frozen=True, slots=True)
class Block:
    """One note, or the parts of an answer that follow each other and can be read.

    `depth` counts blocks from 0. `last` says that nothing else stands under the same block below
    it. `to_part` is the part that it answers when that is not the last one shown above. `broken` is
    the state of the part that should go on here and does not, None when nothing is wanting.
    `article` is set where notes without part tags were joined by best effort.
    """

    nodes: tuple[Node, ...]
    depth: int
    last: bool
    to_part: int | None
    broken: State | None
    article: Article | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """What is left out under a block: `replies` to it, in all `notes` with those below them."""

    depth: int
    replies: int
    notes: int


@dataclass(slots=True, eq=False)
class _Group:
    """A block in the making. `size` counts its nodes and all below."""

    nodes: list[Node]
    up: _Group | None
    to_part: int | None = None
    children: list[_Group] = field(default_factory=list)
    size: int = 0


def outline(thread: Thread, fold: int | None = None) -> Iterator[Block | Fold]:
    """Yield the blocks in display order, each `Fold` as the last thing under its block.

    Under one block at most `fold` replies are kept: what its author says next, then the earliest.
    """
    if not thread.nodes:
        return
    succession = _Succession(thread)
    waiting: list[tuple[_Group | Fold, int, bool]] = [(_groups(thread, succession), 0, True)]
    while waiting:
        group, depth, last = waiting.pop()
        if isinstance(group, Fold):
            yield group
            continue
        broken = succession.broken(group.nodes)
        article = succession.guessed.get(group.nodes[0].id)
        yield Block(tuple(group.nodes), depth, last, group.to_part, broken, article)
        below = _below(group, depth + 1, fold)
        waiting.extend((item, depth + 1, item is below[-1]) for item in reversed(below))


class _Succession:
    """Which part follows which, and why one does not.

    `guessed` are the texts joined by best effort, by the id of their first note.
    """

    def __init__(self, thread: Thread) -> None:
        self.after: dict[str, Node] = {}
        self.guessed: dict[str, Article] = {}
        self._places: dict[str, int] = {}
        self._unseen: dict[str, State] = {}
        for part, after in next_parts(thread.nodes):
            if part.state is State.PRESENT is after.state:
                self.after.setdefault(part.id, after)
            elif part.state is State.PRESENT:
                self._unseen.setdefault(part.id, after.state)

        for article in thread.articles():
            if article.is_guess:
                self.guessed[article.root.id] = article
                self.after.update((first.id, then) for first, then in pairwise(article.nodes))
                self._places.update((node.id, n) for n, node in enumerate(article.nodes, 1))

    def place(self, node: Node) -> int | None:
        """Return which part of a joined text a node is."""
        return self._places.get(node.id) or (node.part.index if node.part is not None else None)

    def broken(self, nodes: list[Node]) -> State | None:
        """Return what became of the part after these, None when they are shown to their end."""
        last = nodes[-1]
        if last.state is not State.PRESENT or last.part is None:
            return None
        if last.part.index == last.part.total:
            return None
        return self._unseen.get(last.id, State.MISSING)


def _groups(thread: Thread, succession: _Succession) -> _Group:
    """Join what can be read as one and return the top of the tree that this makes."""
    groups: list[_Group] = []
    homes: dict[str, _Group] = {}
    for node in thread.nodes:
        if node.id in homes:
            continue
        parent = thread.node(node.parent) if node.parent is not None else None
        group = _Group([node], homes[parent.id] if parent is not None else None)
        if parent is not None and parent.id in succession.after:
            group.to_part = succession.place(parent)
        while (after := succession.after.get(group.nodes[-1].id)) is not None:
            group.nodes.append(after)
        homes.update((each.id, group) for each in group.nodes)
        groups.append(group)
    for group in reversed(groups):
        group.size += len(group.nodes)
        if group.up is not None:
            group.up.size += group.size
    for group in groups[1:]:
        if group.up is not None:
            group.up.children.append(group)
    return groups[0]


def _below(group: _Group, depth: int, fold: int | None) -> list[_Group | Fold]:
    if fold is None or len(group.children) <= fold:
        return list(group.children)
    ranked = sorted(group.children, key=lambda child: _rank(child, group))
    kept, left_out = set(ranked[:fold]), ranked[fold:]
    shown: list[_Group | Fold] = [child for child in group.children if child in kept]
    notes = sum(child.size for child in left_out)
    return [*shown, Fold(depth, len(left_out), notes)]


def _rank(child: _Group, group: _Group) -> tuple[bool, int]:
    """The author's own words first, then by age; a placeholder is as old as what wants it."""
    author = group.nodes[0].event
    first = child.nodes[0]
    dated = first.event or next((each.nodes[0].event for each in child.children), None)
    own = (
        first.state is State.PRESENT
        and first.event is not None
        and author is not None
        and first.event.pubkey == author.pubkey
    )
    return not own, dated.created_at if dated is not None else 0
