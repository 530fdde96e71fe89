"""What comes back to one question, bounded, and the check that lets it count.

Knows how an answer ends and which of its events are what they say. Knows nothing of connections.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish
from nostr_threads.core.event import verify
from nostr_threads.core.pages import PAGE
from nostr_threads.core.wire import Closed, CountResult, Delivered, Eose
from nostr_threads.errors import InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Event, Verified

__all__ = ["MOST_WORDS", "Question", "verified"]

# What one page may bring at most, whatever was asked for. Sizes are those of the message and of
# what its tags take once they are decoded, which may be twenty times as much.
_TAG_BYTES = 100
_MOST_EVENTS = 10 * PAGE
_MOST_BYTES = 16 * 2**20
_MOST_TAGS = 10_000

MOST_WORDS = 300
"""Characters kept of what a relay says about itself and us."""

# Verifying this many takes over a millisecond: the loop is left free meanwhile.
_OFF_LOOP = 50


@dataclass(slots=True)
class Question:
    """What came back so far; `changed` is set by every message that belongs to it."""

    events: list[Event] = field(default_factory=list)
    size: int = 0
    finish: Finish | None = None
    hints: tuple[str, ...] = ()
    reason: str = ""
    count: int | None = None
    in_vain: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, message: Delivered | Eose | Closed | CountResult, size: int) -> None:
        """Take one message of `size` bytes into account, unless the question has ended."""
        if self.finish is not None:
            return
        match message:
            case Delivered():
                self.size += size + _TAG_BYTES * sum(map(len, message.event.tags))
                if len(message.event.tags) > _MOST_TAGS:
                    self.in_vain += 1
                else:
                    self.events.append(message.event)
                if len(self.events) >= _MOST_EVENTS or self.size >= _MOST_BYTES:
                    self.end(Finish.LIMITED, "the relay sent far more than it was asked for")
            case Eose():
                self.hints = message.hints
                self.end(Finish.COMPLETE)
            case Closed():
                self.end(Finish.REFUSED, message.reason or "closed by the relay")
            case CountResult():
                self.count = message.tally.count
                self.end(Finish.COMPLETE)
        self.changed.set()

    def miss(self, size: int) -> None:
        """Count `size` bytes that could not be read, or were not asked for: what was, may lack."""
        self.in_vain += 1
        self.size += size
        if self.in_vain >= _MOST_EVENTS or self.size >= _MOST_BYTES:
            self.end(Finish.LIMITED, "the relay sent far too much that nobody asked for")
        self.changed.set()

    def end(self, finish: Finish, reason: str = "") -> None:
        """Close the question; the first ending counts."""
        if self.finish is None:
            self.finish, self.reason = finish, reason[:MOST_WORDS]
        self.changed.set()


async def verified(events: list[Event]) -> tuple[tuple[Verified, ...], int, bool]:
    """Return the events that are what they say, once each, how many are not, and if any is lost.

    An id counts as seen only once an event with that id was verified: a forged copy that comes
    first must not hide the honest one. An id of which only forged copies came is lost.
    """
    if len(events) < _OFF_LOOP:
        return _verify_each(events)
    return await asyncio.to_thread(_verify_each, events)


def _verify_each(events: Iterable[Event]) -> tuple[tuple[Verified, ...], int, bool]:
    good: dict[str, Verified] = {}
    bad: set[str] = set()
    refused = 0
    for event in events:
        if event != good.get(event.id):
            try:
                good[event.id] = verify(event)
            except InvalidEvent:
                bad.add(event.id)
                refused += 1
    return tuple(good.values()), refused, not bad.issubset(good)
