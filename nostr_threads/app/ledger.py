"""What is known of each part of an answer at each relay, kept in the outbox as it is learned.

Knows who may go on and who has to wait. Knows nothing of relays.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core.delivery import Delivery, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nostr_threads.store.base import Outbox, Posting

__all__ = ["Ledger"]


class Ledger:
    """The deliveries of one posting. `run` writes while more is learned, `finish` what is left.

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
        self._changed = asyncio.Event()
        self._active = 0
        self._waiting = 0

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

    def enter(self) -> None:
        """Count one more who may change what others wait for."""
        self._active += 1

    def leave(self) -> None:
        """Count one less; when nobody is left who could change anything, all stop waiting."""
        self._active -= 1
        if not self._active:
            self._wake()

    async def allowed(self, part: int, url: str) -> bool:
        """Wait until a part may go to a relay; False once nobody is left to bring that about."""
        while not self.may_have(part, url):
            if self._active == 1:
                return False
            self._active -= 1
            self._waiting += 1
            if not self._active:
                self._wake()
            changed = self._changed
            await changed.wait()
        return True

    def _wake(self) -> None:
        """Let all who wait look again: each counts as active until it waits once more."""
        self._active += self._waiting
        self._waiting = 0
        self._changed.set()
        self._changed = asyncio.Event()

    # The outbox

    async def run(self) -> None:
        """Write what is learned, several at a time. Runs until cancelled; raises `StoreError`."""
        while True:
            await self._came.wait()
            self._came.clear()
            await self.finish()

    async def finish(self) -> None:
        """Write what is left. Raises `StoreError`."""
        unwritten, self._unwritten = self._unwritten, {}
        if unwritten:
            await asyncio.shield(off_loop(self._write, tuple(unwritten.values())))

    def _write(self, deliveries: Iterable[Delivery]) -> None:
        now = self._clock()
        for delivery in deliveries:
            event = self.posting.events[delivery.part - 1]
            self._outbox.record(event.id, delivery, now=now)
