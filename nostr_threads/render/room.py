"""Which notes of a thread have room in a budget: those that matter most, each below its parent.

Knows sizes and the tree. Knows nothing of what is said of a note, or of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.untrusted import cut, size
from nostr_threads.render.outline import Block, outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread

__all__ = ["BETWEEN", "Entry", "Parts", "choose", "entries_of"]

BETWEEN = "\n\n"
"""What stands between two notes."""

Parts: TypeAlias = Callable[["Entry", bool], tuple[str, str]]
"""The heading of an entry, at its longest, and its text; told whether its parent may be absent."""

# Less of a note than this is not worth its heading.
_FEWEST_BYTES = 240
# The note that is asked for gets so much in any case.
_FIRST_BYTES = 900
_MOST_ENTRIES = 2_000


@dataclass(slots=True, eq=False)
class Entry:
    """A block with its number. `above` is what it answers. `text` is set once it is shown."""

    number: int
    block: Block
    above: Entry | None
    has_answers: bool = False
    text: str | None = None
    is_cut: bool = False
    left_out: int = 0
    """How many notes below it are not shown."""

    @property
    def node(self) -> Node:
        """The note it begins with."""
        return self.block.nodes[0]


def entries_of(thread: Thread) -> list[Entry]:
    """Return the blocks in display order, each with what it answers."""
    entries: list[Entry] = []
    line: list[Entry] = []
    for number, block in enumerate(outline(thread), 1):
        if isinstance(block, Block):  # nothing is folded
            del line[block.depth :]
            above = line[-1] if line else None
            if above is not None:
                above.has_answers = True
            line.append(Entry(number, block, above))
            entries.append(line[-1])
    return entries


def choose(entries: Sequence[Entry], around: str | None, room: int, parts: Parts) -> None:
    """Give a text to each entry that has `room` (bytes), and count what that leaves out below it.

    First comes the one that holds the node `around`, by default the root, then the root, then what
    lies between the two; then the others, the nearest first, each only below what it answers. One
    has at most half of what room is left, if others wait for it, and is cut in its middle.
    """
    path = _path(entries, around)
    ranked = [
        (entry, *parts(entry, entry in path)) for entry in _ranked(entries, path)[:_MOST_ENTRIES]
    ]
    rest = sum(size(head) + size(body) + len(BETWEEN) for _, head, body in ranked)
    for place, (entry, head, body) in enumerate(ranked):
        whole = size(head) + size(body) + len(BETWEEN)
        rest -= whole
        if entry.above is not None and entry.above.text is None and entry not in path:
            continue
        allowed = max(room // 2, room - rest)
        if place == 0:
            allowed = max(allowed, min(room, _FIRST_BYTES))
        left = allowed - size(head) - len(BETWEEN)
        if size(body) > left:
            if left < _FEWEST_BYTES:
                continue
            body, entry.is_cut = cut(body, left), True  # noqa: PLW2901 - shown in its place
        entry.text = body
        room -= size(head) + size(body) + len(BETWEEN)
    _count_left_out(entries)


def _path(entries: Sequence[Entry], around: str | None) -> dict[Entry, int]:
    """The entry that is asked for and those above it, with how many steps each is away."""
    homes = {node.id: entry for entry in entries for node in entry.block.nodes}
    entry = homes.get(around or "") or (entries[0] if entries else None)
    path: dict[Entry, int] = {}
    while entry is not None:
        path[entry] = len(path)
        entry = entry.above
    return path


def _ranked(entries: Sequence[Entry], path: dict[Entry, int]) -> list[Entry]:
    """The entries by what matters; `sorted` keeps those alike in display order."""
    away: dict[Entry, int] = {}
    for entry in entries:  # parents before their answers
        before = away[entry.above] if entry.above is not None else 0
        away[entry] = path.get(entry, before + 1)
    root = entries[0] if entries else None
    return sorted(
        entries, key=lambda each: (away[each] > 0, each is not root, each not in path, away[each])
    )


def _count_left_out(entries: Sequence[Entry]) -> None:
    """Count each note with the nearest above it that is shown."""
    for entry in entries:
        above = entry
        while above.text is None and above.above is not None:
            above = above.above
        if above is not entry:
            above.left_out += len(entry.block.nodes)
