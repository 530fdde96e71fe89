"""What is known of each part of an answer at each relay, kept in the outbox as it is learned.

Knows who may go on and who has to wait. Knows nothing of relays.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.core.delivery import Delivery, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from nostr_threads.store.base import Outbox, Posting

__all__ = ["Ledger"]

# Seconds between two writings: what comes close together is written together.
_PAUSE = 0.1


class Ledger:
    """The deliveries of one posting, written to the outbox while they are `kept`.

    What was learned and not written when the process dies is learned again: the same bytes are sent
    once more, which harms nobody. `progress` is told of each delivery at once.
    """

    def __init__(
        self,
        posting: Posting,
        outbox: Outbox,
        clock: Callable[[], int],
        progress: Callable[[Delivery], None],
    ) -> None:
        self.posting = posting
        self._outbox = outbox
        self._clock = clock
        self._progress = progress
        self._known = {
            (part, url): Delivery(part, url, Status.QUEUED)
            for part in range(1, len(posting.events) + 1)
            for url in posting.relays
        }
        self._known.update({(each.part, each.relay): each for each in posting.deliveries})
        self._unwritten: dict[tuple[int, str], Delivery] = {}
        self._came = asyncio.Event()
        self._active = 0
        self._waiting: list[tuple[int, asyncio.Future[bool]]] = []

    @property
    def settled(self) -> Posting:
        """The posting with everything that is known of it."""
        return replace(self.posting, deliveries=tuple(self._known.values()))

    def at(self, part: int, url: str) -> Delivery:
        """What is known of one part at one relay."""
        return self._known[part, url]

    def at_relay(self, url: str) -> Iterable[Delivery]:
        """What is known of all parts at one relay, in their order."""
        return [self._known[part, url] for part in range(1, len(self.posting.events) + 1)]

    def taken(self, part: int) -> int:
        """How many relays of the author's own have taken a part."""
        return sum(self._known[part, url].status.taken for url in self.posting.own)

    def may_have(self, part: int, url: str) -> bool:
        """Whether the part before is there, or the quorum has it: no reader meets a gap."""
        if part == 1 or self._known[part - 1, url].status.taken:
            return True
        return self.taken(part - 1) >= self.posting.quorum

    def record(self, delivery: Delivery) -> None:
        """Replace what is known of a part at a relay."""
        place = delivery.part, delivery.relay
        if self._known[place] == delivery:
            return
        self._known[place] = self._unwritten[place] = delivery
        self._came.set()
        self._wake()
        self._progress(delivery)

    # Waiting for others

    def enter(self, count: int) -> None:
        """Count so many more who may change what others wait for, before any of them begins."""
        self._active += count

    def leave(self) -> None:
        """Count one less: one who waits may be waiting for nobody now."""
        self._active -= 1
        self._give_up()

    async def allowed(self, part: int, url: str) -> bool:
        """Wait until a part may go to a relay; False once nobody can bring that about.

        Each relay asks for its parts in their order.
        """
        while not self.may_have(part, url):
            waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting.append((part, waiting))
            self._active -= 1
            self._give_up()
            if not await waiting:
                return False
        return True

    def _give_up(self) -> None:
        """When all wait, tell the one with the lowest part: nobody will send what it waits for.

        It may have later parts to send, for which others wait.
        """
        if not self._active and self._waiting:
            hopeless = min(self._waiting, key=itemgetter(0))
            self._waiting.remove(hopeless)
            self._resume(hopeless[1], False)

    def _wake(self) -> None:
        """Let all who wait look again."""
        waiting, self._waiting = self._waiting, []
        for _, each in waiting:
            self._resume(each, True)

    def _resume(self, waiting: asyncio.Future[bool], is_hopeful: bool) -> None:
        self._active += 1
        # One that was cancelled hears nothing any more.
        if not waiting.done():
            waiting.set_result(is_hopeful)

    # The outbox

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Write what is learned while the block runs, and the rest however it ends.

        Raises `StoreError`, in a group.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                keeping = tasks.create_task(self._keep())
                yield
                keeping.cancel()
        finally:
            await self._flush()

    async def _keep(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            await self._flush()
            await asyncio.sleep(_PAUSE)  # what comes in it is written with one transaction

    async def _flush(self) -> None:
        """Write all that was learned meanwhile: one thread for many."""
        unwritten, self._unwritten = self._unwritten, {}
        if unwritten:
            await to_its_end(off_loop(self._write, tuple(unwritten.values())))

    def _write(self, deliveries: Iterable[Delivery]) -> None:
        events = self.posting.events
        learned = [(events[each.part - 1].id, each) for each in deliveries]
        self._outbox.record_all(learned, now=self._clock())
