"""A clock that stands still until a test moves it.

Knows what time it is and who waits. Knows nothing of the real time.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

__all__ = ["START", "ManualClock"]

START = 1_700_000_000.0
"""Where a clock starts, in unix seconds: 14 November 2023."""


class ManualClock:
    """Call it for unix seconds; `advance` moves it and wakes those who `wait`."""

    def __init__(self, now: float = START) -> None:
        self._now = now
        self._order = count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        """Return the time, in unix seconds."""
        return self._now

    @property
    def waiting(self) -> int:
        """How many wait for the time to pass."""
        return sum(not future.done() for _, _, future in self._waiting)

    async def wait(self, seconds: float) -> None:
        """Wait until the clock has been moved that far; stands in for `asyncio.sleep`."""
        if seconds <= 0:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._now + seconds, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Move the clock on. Raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds
        while self._waiting and self._waiting[0][0] <= self._now:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
