"""A source kept up to date from one relay for as long as anybody likes: live, and looked at again.

What counts as got is only ever what a look has found: a relay may send less of what is stored than
it has, and a connection may be dead for a while before anybody knows. A look is taken once somebody
listens, so that nothing falls between the two, and again whenever something may have been missed.
How that is done is `syncing`'s.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.core.coverage import Finish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.net.relay import Relay
    from nostr_threads.store.sources import Sync

__all__ = ["Tail"]

# Seconds from one look at the clock, and at what waits to be stored, to the next. The first event
# after one in which nothing came does not wait.
_TICK = 1.0
# A tick that took so many more was a sleep, or a change of the clock.
_JUMP = 60
# Seconds that live events reach back: clocks differ, and relays pass on what is some minutes old.
_BACK = 600
# Events that wait to be stored: then they are, before more is read.
_MOST_WAITING = 500
# Seconds in which a relay says that it listens; one that does not is looked at all the same.
_UNTIL_LISTENING = 10
# Seconds from one look to the next, while nothing seems to have been missed.
_NEXT_LOOK = 900
# Seconds until a relay that failed is tried again.
_PAUSES = (5, 30, 120, 600)
_GOT = (Finish.COMPLETE, Finish.LIMITED)


class Tail:
    """Follows what matches `condition` at `relay`.

    `sync` looks for what is missing, notes what was got, and says how that ended; `keep` stores
    events. `clock` gives unix seconds; `pause` waits for so many.
    """

    def __init__(
        self,
        condition: Filter,
        relay: Relay,
        *,
        sync: Callable[[], Awaitable[Sync]],
        keep: Callable[[Sequence[Verified]], object],
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._condition = condition
        self._relay = relay
        self._sync = sync
        self._keep = keep
        self._clock = clock
        self._pause = pause
        self._waiting: list[Verified] = []
        self._is_calm = True

    async def run(self) -> None:
        """Follow until cancelled. Raises `StoreError`."""
        failures = 0
        try:
            while True:
                rest = await self._round()
                if rest is None:
                    rest, failures = _PAUSES[min(failures, len(_PAUSES) - 1)], failures + 1
                else:
                    failures = 0
                await self._pause(rest)
        finally:
            await self._store()

    async def _round(self) -> float | None:
        """Listen and look until there is reason to begin anew; return the seconds until then.

        None where the relay failed.
        """
        listening, missed = asyncio.Event(), asyncio.Event()

        def heard() -> None:
            (missed if listening.is_set() else listening).set()

        def ended(_: object) -> None:
            listening.set()
            missed.set()

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(heard))
            reading.add_done_callback(ended)
            ticking = tasks.create_task(self._tick(missed))
            try:
                await self._first(listening, _UNTIL_LISTENING)
                while True:
                    if (await self._sync()).finish not in _GOT:
                        return None
                    if await self._first(missed, _NEXT_LOOK):
                        return _NEXT_LOOK if reading.done() else 0
            finally:
                reading.cancel()
                ticking.cancel()

    async def _first(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, for `seconds`; whether it came."""
        waits = [asyncio.ensure_future(each) for each in (event.wait(), self._pause(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        return event.is_set()

    async def _read(self, heard: Callable[[], None]) -> None:
        since = max(int(self._clock()) - _BACK, self._condition.since or 0)
        wanted = replace(self._condition, since=since)
        async with aclosing(self._relay.follow(wanted, listening=heard)) as events:
            async for event in events:
                self._waiting.append(event)
                if self._is_calm or len(self._waiting) >= _MOST_WAITING:
                    self._is_calm = False
                    await self._store()

    async def _tick(self, missed: asyncio.Event) -> None:
        """Store what waits, and tell when the clock makes a jump."""
        last = self._clock()
        while True:
            await self._pause(_TICK)
            now = self._clock()
            if not 0 <= now - last <= _TICK + _JUMP:
                missed.set()
            last = now
            self._is_calm = not self._waiting
            await self._store()

    async def _store(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            await to_its_end(off_loop(self._keep, waiting))
