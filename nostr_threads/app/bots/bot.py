"""Whoever answers: the Protocol that every source of answers fulfils, and anybody's own.

Knows what it is given and what it gives back. Knows nothing of keys and relays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Answer, Ask

__all__ = ["Bot"]


class Bot(Protocol):
    """Whoever answers. One object may be asked several things at once."""

    async def answer(self, ask: Ask) -> Answer | None:
        """Return what is to be said to `ask`, None for nothing.

        Whatever it raises is put on record and it is asked again later, some times. It has no key,
        and sends nothing: splitting, signing and sending is done with what it returns.
        """
        ...
