"""The relays over which a client and a signer elsewhere talk (NIP-46).

Knows when somebody listens, and what comes back after a connection was lost. Knows nothing of what
is said.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from nostr_threads.errors import BunkerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.net.pool import Pool

__all__ = ["RelayWire"]

# Seconds. A relay that says nothing once it was asked listens all the same, as far as is known.
_UNTIL_LISTENING = 3.0
_PAUSE = 5.0
# Ids that are remembered: the same event comes from each relay.
_MOST_IDS = 1_000


class RelayWire:
    """Brings what matches `wanted` from relays, and sends to them. `run` must be running.

    Nothing is dialled before something is sent, or `listen` was called.
    """

    def __init__(self, pool: Pool, relays: tuple[str, ...], wanted: Filter) -> None:
        self._pool = pool
        self._relays = relays
        self._wanted = wanted
        self._wanted_by_anybody = asyncio.Event()
        self._moved = asyncio.Event()
        self._listening: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._first_from: dict[str, str] = {}

    @property
    def relays(self) -> tuple[str, ...]:
        """Where they meet."""
        return self._relays

    def listen(self) -> None:
        """Connect, even before there is something to send."""
        self._wanted_by_anybody.set()

    def move(self, relays: tuple[str, ...]) -> None:
        """Go on at other relays."""
        self._relays = relays
        self._moved.set()

    async def run(
        self,
        heard: Callable[[Verified], Awaitable[None]],
        again: Callable[[], Awaitable[None]],
    ) -> None:
        """Bring events to `heard`, until cancelled.

        What comes from several relays is brought once; what comes again from one that had it was
        sent again. `again` is called whenever a relay listens once more after its connection was
        lost.
        """
        await self._wanted_by_anybody.wait()
        while True:
            self._moved.clear()
            async with asyncio.TaskGroup() as tasks:
                following = [
                    tasks.create_task(self._follow(url, heard, again)) for url in self._relays
                ]
                await self._moved.wait()
                for task in following:
                    task.cancel()

    async def send(self, event: Verified) -> None:
        """Send an event to all relays. Raises `BunkerError` where none can be reached.

        A relay need not say that it passes such events on, and it keeps none: only the other end
        can tell that one has arrived.
        """
        self.listen()
        reached = await asyncio.gather(*(self._send(url, event) for url in self._relays))
        if not any(reached):
            names = ", ".join(self._relays)
            raise BunkerError(f"no relay of the bunker can be reached: {names}", is_silence=True)

    async def _send(self, url: str, event: Verified) -> bool:
        relay = self._pool.relay(url)
        if not await relay.reach():
            return False
        # Whoever answers before anybody listens is not heard: no relay keeps such events.
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNTIL_LISTENING):
                await self._listening[url].wait()
        await relay.publish(event)
        return True

    async def _follow(
        self,
        url: str,
        heard: Callable[[Verified], Awaitable[None]],
        again: Callable[[], Awaitable[None]],
    ) -> None:
        back = asyncio.Event()

        def listening() -> None:
            if self._listening[url].is_set():
                back.set()
            self._listening[url].set()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_whenever(back, again))
            while True:
                events = self._pool.relay(url).follow(self._wanted, listening=listening)
                async with aclosing(events):
                    async for event in events:
                        if self._was_sent(event, url):
                            await heard(event)
                # The relay has closed the subscription.
                await asyncio.sleep(_PAUSE)

    def _was_sent(self, event: Verified, url: str) -> bool:
        """Whether an event was sent just now, and is not another relay's copy."""
        first = self._first_from.setdefault(event.id, url)
        if len(self._first_from) > _MOST_IDS:
            del self._first_from[next(iter(self._first_from))]
        return first == url


async def _whenever(happened: asyncio.Event, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await happened.wait()
        happened.clear()
        await do()
