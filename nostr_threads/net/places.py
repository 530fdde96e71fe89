"""Places that are taken and left, in the order of asking; how many there are may change.

Knows who waits. Knows nothing of what a place is good for.
"""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Places"]


class Places:
    """At most `most` are taken at once, save those that were when `allow` made them fewer."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def allow(self, most: int) -> None:
        """Change how many there are."""
        self._most = most
        self._admit()

    async def take(self) -> None:
        """Wait for a place; who is cancelled meanwhile has none."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            # It may have been given in the very moment of cancelling.
            if not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._taken < self._most:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
