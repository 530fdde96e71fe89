"""What comes back to one question, bounded.

Knows how much may come and how an answer ends. Knows nothing of connections, and not whether the
events are what they say.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish
from nostr_threads.core.limits import Limits
from nostr_threads.core.messages import Closed, CountResult, Delivered, Eose, NegErr, NegMsg
from nostr_threads.core.pages import PAGE

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

__all__ = ["MOST_WORDS", "Question"]

# What one page may bring at most, whatever was asked for. Sizes are those of the message and of
# what its tags take once they are decoded, which may be twenty times as much.
_TAG_BYTES = 100
_MOST_EVENTS = 10 * PAGE
_MOST_BYTES = 16 * 2**20
_MOST_TAGS = 10_000

MOST_WORDS = 300
"""Characters kept of what a relay says about itself and us."""


@dataclass(slots=True)
class Question:
    """What came back so far; `woken` is set with `finish`, and when it is our turn.

    `limits` are those under which it was asked, `heard_at` is when the last message came. In one
    that goes `in_turns` (NIP-77) `message` is what we have to answer now, in hex, and `turns`
    counts those that came.
    """

    events: list[Event] = field(default_factory=list)
    size: int = 0
    finish: Finish | None = None
    hints: tuple[str, ...] = ()
    reason: str = ""
    count: int | None = None
    in_vain: int = 0
    limits: Limits = field(default_factory=Limits)
    heard_at: float = 0.0
    in_turns: bool = False
    message: str | None = None
    turns: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_waiting(self) -> bool:
        """Whether it is the relay's turn."""
        return self.finish is None and self.message is None

    @property
    def is_silent(self) -> bool:
        """Whether nothing came back at all yet."""
        return self.finish is None and not self.has_begun and not self.in_vain

    @property
    def has_begun(self) -> bool:
        """Whether any of what was asked for came."""
        return bool(self.events) or self.turns > 0

    def take(self) -> str:
        """Return the message that is ours to answer; the relay's turn begins."""
        message, self.message = self.message or "", None
        self.woken.clear()
        return message

    def note(
        self, message: Delivered | Eose | Closed | CountResult | NegMsg | NegErr, size: int
    ) -> None:
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
            case Closed() | NegErr():
                self.end(Finish.REFUSED, message.reason or "closed by the relay")
            case NegMsg():
                # At most one waits, since the relay has its next turn after ours.
                self.message = message.message
                self.turns += 1
                self.woken.set()
            case CountResult():
                self.count = None if message.tally.approximate else message.tally.count
                self.end(Finish.COMPLETE)

    def miss(self, size: int) -> None:
        """Count `size` bytes that could not be read, or were not asked for: what was, may lack."""
        self.in_vain += 1
        self.size += size
        if self.in_turns:
            # Without this turn there is no next one.
            known = Finish.LIMITED if self.turns else Finish.REFUSED
            self.end(known, "the relay sent what nobody can read, or out of turn")
        if self.in_vain >= _MOST_EVENTS or self.size >= _MOST_BYTES:
            self.end(Finish.LIMITED, "the relay sent far too much that nobody asked for")

    def end(self, finish: Finish, reason: str = "") -> None:
        """Close the question; the first ending counts."""
        if self.finish is None:
            self.finish, self.reason = finish, reason[:MOST_WORDS]
        self.woken.set()
