"""The relays over which a client and a signer elsewhere talk (NIP-46).

Knows when somebody listens, and what comes back after a connection was lost. Knows nothing of what
is said.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from nostr_threads.core.delivery import Status
from nostr_threads.errors import BunkerError
from nostr_threads.signing.envelope import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Self

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.net.pool import Pool

__all__ = ["RelayWire"]

_Result = TypeVar("_Result")

# Seconds. A relay that says nothing once it was asked listens all the same, as far as is known.
_UNTIL_LISTENING = 3.0
_PAUSE = 5.0
# Ids that are remembered: the same event comes from each relay.
_MOST_IDS = 1_000
# Bytes of a message. A text that is signed elsewhere goes there and comes back, in base64.
_LARGEST = 2**20
# Complaints that are remembered, so as not to be repeated.
_MOST_TOLD = 20
# Events on their way to one relay: one that does not take them holds nobody else up.
_MOST_UNDER_WAY = 100


class RelayWire:
    """Brings what matches `wanted` from relays, and sends to them; an async context manager.

    What comes from several relays is brought to `heard` once; what comes again from one that had it
    was sent again. `again` is called whenever a relay listens once more after its connection was
    lost. `trouble` is told when a relay cannot be reached, or refuses something, once for the same
    words. Nothing is dialled before something is sent, or `listen` was called.
    """

    def __init__(
        self,
        pool: Pool,
        relays: tuple[str, ...],
        wanted: Filter,
        heard: Callable[[Verified], Awaitable[None]],
        again: Callable[[], Awaitable[None]],
        trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._pool = pool
        self._relays = relays
        self._wanted = wanted
        self._heard = heard
        self._again = again
        self._trouble = trouble
        self._told: deque[str] = deque(maxlen=_MOST_TOLD)
        self._refusal = ""
        self._is_wanted = asyncio.Event()
        self._moved = asyncio.Event()
        self._listening: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._first_from: dict[str, str] = {}
        self._under_way: defaultdict[str, int] = defaultdict(int)
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._start(self._run())
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in tuple(self._running):
            task.cancel()
        # What went wrong in the body is the caller's, as it is: not one of a group.
        await self._tasks.__aexit__(None, None, None)

    def listen(self) -> None:
        """Connect, even before there is something to send."""
        self._is_wanted.set()

    def move(self, relays: tuple[str, ...]) -> None:
        """Go on at other relays."""
        self._relays = relays
        self._moved.set()

    def refusal(self) -> str:
        """Return which relay has refused something last, and why; "" for none."""
        return self._refusal

    async def send(self, event: Verified) -> None:
        """Send an event to all relays; return once it went out to one.

        A relay need not say that it passes such events on, and it keeps none: only the other end
        can tell that one has arrived. Raises `BunkerError` where no relay can be reached.
        """
        self.listen()
        relays = self._relays
        sending = [self._start(self._send(url, event)) for url in relays]
        for first in asyncio.as_completed(sending):
            if await first:
                return
        names = ", ".join(relays)
        raise BunkerError(f"no relay of the bunker can be reached: {names}", is_silence=True)

    async def _send(self, url: str, event: Verified) -> bool:
        relay = self._pool.relay(url)
        if self._under_way[url] >= _MOST_UNDER_WAY or not await relay.reach():
            return False
        # Whoever answers before anybody listens is not heard: no relay keeps such events.
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNTIL_LISTENING):
                await self._listening[url].wait()
        self._start(self._publish(url, event))
        return True

    async def _publish(self, url: str, event: Verified) -> None:
        self._under_way[url] += 1
        try:
            status, words = await self._pool.relay(url).publish(event)
            if status is Status.REJECTED:
                self._refused(url, words)
        finally:
            self._under_way[url] -= 1

    async def _run(self) -> None:
        await self._is_wanted.wait()
        while True:
            self._moved.clear()
            async with asyncio.TaskGroup() as tasks:
                following = [tasks.create_task(self._follow(url)) for url in self._relays]
                await self._moved.wait()
                for task in following:
                    task.cancel()

    async def _follow(self, url: str) -> None:
        back, is_listening = asyncio.Event(), self._listening[url]
        has_listened = False

        def listening() -> None:
            nonlocal has_listened
            if has_listened:
                back.set()
            has_listened = True
            is_listening.set()

        relay = self._pool.relay(url)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_whenever(back, self._again))
            if not await relay.reach():
                self._tell(f"{url} cannot be reached: {plain(relay.why_not)}")
            while True:
                events = relay.follow(
                    self._wanted,
                    listening=listening,
                    closed=partial(self._refused, url),
                    largest=_LARGEST,
                )
                try:
                    async with aclosing(events):
                        async for event in events:
                            if self._was_sent(event, url):
                                await self._heard(event)
                finally:
                    is_listening.clear()
                # The relay has closed the subscription.
                await asyncio.sleep(_PAUSE)  # it might do so at once, again and again

    def _refused(self, url: str, words: str) -> None:
        self._refusal = f"{url} says no: {plain(words)}"
        self._tell(self._refusal)

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.append(words)
            self._trouble(words)

    def _was_sent(self, event: Verified, url: str) -> bool:
        """Whether an event was sent just now, and is not another relay's copy."""
        first = self._first_from.setdefault(event.id, url)
        if len(self._first_from) > _MOST_IDS:
            del self._first_from[next(iter(self._first_from))]
        return first == url

    def _start(self, doing: Coroutine[object, object, _Result]) -> asyncio.Task[_Result]:
        """Do something as long as this is open."""
        task = self._tasks.create_task(doing)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def _whenever(happened: asyncio.Event, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await happened.wait()
        happened.clear()
        await do()
