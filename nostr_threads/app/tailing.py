"""A source kept up to date from one relay for as long as anybody likes: what is missing, then live.

Knows when something may have been missed: after a lost connection, a sleep, a change of the clock.
Then what is missing is looked for again, as at the beginning. How that is done is `syncing`'s.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.core.coverage import Finish
from nostr_threads.core.windows import Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.net.relay import Relay
    from nostr_threads.store.sources import Sync

__all__ = ["Tail"]

# Seconds from one look at the clock, and at what waits to be stored, to the next.
_TICK = 1.0
# A tick that took so many more was a sleep, or a change of the clock.
_JUMP = 60
# Seconds that live events reach back: clocks differ, and relays pass on what is some minutes old.
_BACK = 600
# Seconds of the latest that do not count as got: a connection may have been dead for a while.
_DOUBTED = 120
# Seconds from one note of how far it is got to the next.
_NOTED = 30
# Events that wait to be stored.
_MOST_WAITING = 500
# Seconds until a relay that failed is tried again, and until one that keeps no subscription is.
_PAUSES = (5, 30, 120, 600)
_NEXT_LOOK = 300


class Tail:
    """Follows what matches `filter` at `relay`.

    `sync` looks for what is missing, and says how that ended; `keep` stores events, and notes the
    span that was got with them. `clock` gives unix seconds; `pause` waits for so many.
    """

    def __init__(
        self,
        condition: Filter,
        relay: Relay,
        *,
        sync: Callable[[], Awaitable[Sync]],
        keep: Callable[[Sequence[Verified], Span | None], object],
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._filter = condition
        self._relay = relay
        self._sync = sync
        self._keep = keep
        self._clock = clock
        self._pause = pause
        self._waiting: list[Verified] = []
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled. Raises `StoreError`."""
        failures = 0
        while True:
            since = int(self._clock()) - _BACK
            sync = await self._sync()
            if sync.finish in (Finish.COMPLETE, Finish.LIMITED):
                failures = 0
                if await self._live(since):
                    continue
                await self._pause(_NEXT_LOOK)
            else:
                await self._pause(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1

    async def _live(self, since: int) -> bool:
        """Take what comes from `since` on; whether to look at once for what was missed meanwhile.

        False where the relay keeps no subscription.
        """
        listening, again = asyncio.Event(), asyncio.Event()

        def heard() -> None:
            (again if listening.is_set() else listening).set()

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(since, heard))
            ticking = tasks.create_task(self._tick(since, listening))
            returning = tasks.create_task(again.wait())
            await asyncio.wait((reading, ticking, returning), return_when=asyncio.FIRST_COMPLETED)
            was_closed = reading.done()
            for task in (reading, ticking, returning):
                task.cancel()
        await self._store(None)
        return not was_closed

    async def _read(self, since: int, heard: Callable[[], None]) -> None:
        wanted = replace(self._filter, since=max(since, self._filter.since or 0), until=None)
        async with aclosing(self._relay.follow(wanted, listening=heard)) as events:
            async for event in events:
                while len(self._waiting) >= _MOST_WAITING:
                    self._room.clear()
                    await self._room.wait()
                self._waiting.append(event)

    async def _tick(self, since: int, listening: asyncio.Event) -> None:
        """Store what waits, and note how far it is got, until the clock makes a jump."""
        noted = last = self._clock()
        while True:
            await self._pause(_TICK)
            now = self._clock()
            if not 0 <= now - last <= _TICK + _JUMP:
                return
            last, span = now, None
            if listening.is_set() and now - noted >= _NOTED and now - _DOUBTED > since:
                noted, span = now, Span(since, int(now) - _DOUBTED)
            if self._waiting or span is not None:
                await self._store(span)

    async def _store(self, span: Span | None) -> None:
        waiting, self._waiting = self._waiting, []
        self._room.set()
        if waiting or span is not None:
            await to_its_end(off_loop(self._keep, waiting, span))
