"""Whose work is done next when there is more of it than threads: who had least of late.

Knows threads, and how long each client has had one. Knows nothing of what the work is.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Share", "Turns"]

Result = TypeVar("Result")

# After so many seconds what somebody had counts half.
_HALF_LIFE = 30.0
# Seconds: who has had less than that is never kept waiting by those who have had more.
_LITTLE = 0.5
# Seconds that anybody has for a question.
_LEAST = 0.25


@dataclass(slots=True, eq=False)
class Share:
    """The seconds that one client has had of late, as of `at`."""

    seconds: float = 0.0
    at: float = 0.0

    def had(self, now: float) -> float:
        """Return what counts of it now."""
        return float(self.seconds * 0.5 ** ((now - self.at) / _HALF_LIFE))

    def add(self, seconds: float, now: float) -> None:
        """Count some more."""
        self.seconds, self.at = self.had(now) + seconds, now


class Turns:
    """So many threads, one of which is only for clients that have had little of late.

    Used from one event loop. `close` it when nothing is to be run any more.
    """

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="relay")
        self._free = threads
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def patience(self, seconds: float) -> float:
        """Return how long one question may take that might take `seconds` if nobody waited.

        So whoever comes waits about as long, however many ask at once for what is costly.
        """
        return max(seconds / (1 + len(self._waiting) / self._count), _LEAST)

    async def run(self, share: Share, work: Callable[[], Result]) -> Result:
        """Do `work` in a thread when it is the turn of whoever has this share."""
        await self._turn(share)
        started = monotonic()
        work_done = asyncio.get_running_loop().run_in_executor(self._threads, work)

        def leave(_: asyncio.Future[Result]) -> None:
            share.add(monotonic() - started, monotonic())
            self._free += 1
            self._admit()

        work_done.add_done_callback(leave)
        # Whoever waits for it may go away: the thread is busy all the same until it is done.
        return await asyncio.shield(work_done)

    def close(self) -> None:
        """Let nothing more begin; what is being done is waited for."""
        self._threads.shutdown(cancel_futures=True)

    async def _turn(self, share: Share) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (share.had(monotonic()), next(self._numbers), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free += 1
                self._admit()
            raise

    def _admit(self) -> None:
        # Whoever has had more than a little leaves one thread to the others.
        while self._waiting and self._free > (self._waiting[0][0] > _LITTLE):
            _, _, turn = heappop(self._waiting)
            if not turn.cancelled():
                self._free -= 1
                turn.set_result(None)
