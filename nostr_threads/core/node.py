"""One place of a thread: its event or what is known instead, its state, its place in an answer.

Knows what a node is. Where it stands is decided in `tree`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.answering import stands_flat
from nostr_threads.core.split import Part
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nostr_threads.core.event import Event, Verified

__all__ = ["Node", "State", "is_next_part", "next_parts", "part_of"]


class State(Enum):
    """What is known of a node."""

    PRESENT = "present"
    MISSING = "missing"
    """Something answers it, and its event is not there."""
    DELETED = "deleted"
    EXPIRED = "expired"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the tree. `id` is the event's, or the key by which a missing one was named.

    `parent` is the id of the parent node, None for the root. `depth` counts from 0. `wanted_by` are
    the ids of the events that name a missing one, `hints` the relays they name for it. `why` is the
    reason for a state that is not PRESENT, or for `kept`: DELETED or EXPIRED for what is PRESENT
    only because its reader keeps it all the same. `part` is its place in a split answer. A
    comment's external root (NIP-73) is PRESENT and has no event: there is none to find.
    """

    id: str
    parent: str | None
    depth: int
    state: State
    event: Verified | None = None
    why: str = ""
    part: Part | None = None
    wanted_by: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    kept: State | None = None


def part_of(event: Event) -> Part | None:
    """Return the event's place in a split answer; a tag that says nothing valid is no part."""
    for tag in event.tags:
        if tag[:1] == ("part",):
            try:
                return Part.from_tag(event.content, tag)
            except InvalidInput:
                return None
    return None


def is_next_part(event: Event | None, part: Part | None, parent: Node) -> bool:
    """Whether `event`, being `part`, goes on where its parent ends: same author, same answer."""
    return (
        event is not None
        and part is not None
        and parent.event is not None
        and parent.part is not None
        and event.pubkey == parent.event.pubkey
        and part.index == parent.part.index + 1
        and part.total == parent.part.total
    )


def next_parts(nodes: Sequence[Node]) -> Iterator[tuple[Node, Node]]:
    """Yield each part with one that goes on where it ends, in the order of the latter.

    That one answers the part before it. In forum threads (NIP-7D) parts stand side by side: there
    it follows the last that was written before it and answers the same, or what both answer.
    """
    by_id = {node.id: node for node in nodes}
    flat = _flat_parts(nodes)
    for node in nodes:
        parent = by_id[node.parent] if node.parent is not None else None
        if (before := _beside(node, flat)) is not None:
            yield before, node
        elif parent is not None and is_next_part(node.event, node.part, parent):
            yield parent, node


_Row: TypeAlias = tuple[str | None, str, int, int]
"""Parts that may stand in each other's place: what they answer, their author, total and index."""


def _flat_parts(nodes: Sequence[Node]) -> dict[_Row, list[Node]]:
    """Return the parts that stand side by side, each row by age."""
    rows: dict[_Row, list[Node]] = {}
    for node in nodes:
        if node.part is not None and (row := _row(node, node.part.index)) is not None:
            rows.setdefault(row, []).append(node)
    for alike in rows.values():
        alike.sort(key=_written_at)
    return rows


def _beside(node: Node, flat: Mapping[_Row, Sequence[Node]]) -> Node | None:
    row = _row(node, node.part.index - 1) if flat and node.part is not None else None
    alike = flat.get(row, ()) if row is not None else ()
    # Whoever answers the same note twice at length wrote the second answer later.
    place = bisect_left(alike, _written_at(node), key=_written_at)
    return alike[place - 1] if place else None


def _row(node: Node, index: int) -> _Row | None:
    if node.event is None or node.part is None or not stands_flat(node.event):
        return None
    return node.parent, node.event.pubkey, node.part.total, index


def _written_at(node: Node) -> int:
    return node.event.created_at if node.event is not None else 0
