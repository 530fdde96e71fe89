"""One place of a thread: its event or what is known instead, its state, its place in an answer.

Knows what a node is. Where it stands is decided in `tree`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nostr_threads.core.split import Part
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from nostr_threads.core.event import Event, Verified

__all__ = ["Node", "State", "is_next_part", "part_of"]


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
    reason for a state that is not PRESENT. `part` is its place in a split answer. A comment's
    external root (NIP-73) is PRESENT and has no event: there is none to find.
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
