"""Publish an answer: sign all parts, keep them, deliver them in order, read them back.

Knows the order that loses nothing: nothing is sent before everything is signed and stored, and part
n+1 goes to a relay only once that relay or the quorum has part n. What became of each part at each
relay is kept as it is learned, so that an interrupted delivery goes on where it was.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import nip19
from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.filters import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.net.pool import Pool
    from nostr_threads.signing.signer import Signer
    from nostr_threads.store.base import Outbox, Posting

__all__ = ["Report", "deliver", "sign_all"]

# After these a relay is left alone for the rest of a delivery: the next part would fare no better.
_HOPELESS = (Status.UNREACHABLE, Status.NO_ANSWER)
_HINTS = 3
# Ids in one filter: some relays take messages of no more than 16 kB.
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a posting: one delivery for each part and relay, in order of part."""

    posting: Posting

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """One for each part and relay, by part, then in the order of the relays."""
        return self.posting.deliveries

    @property
    def accepted(self) -> bool:
        """Whether every part was taken by as many relays as the quorum wants."""
        parts = range(1, len(self.posting.events) + 1)
        return all(self.taken(part) >= self.posting.quorum for part in parts)

    @property
    def complete(self) -> bool:
        """Whether every part was read back from every relay: an OK alone proves nothing."""
        return all(delivery.status is Status.STORED for delivery in self.deliveries)

    @property
    def open(self) -> int:
        """How many deliveries stay in the outbox, to be sent or read back again."""
        return sum(not delivery.final for delivery in self.deliveries)

    @property
    def reached(self) -> bool:
        """Whether any relay could be reached at all."""
        unreached = (Status.UNREACHABLE, Status.QUEUED)
        return any(delivery.status not in unreached for delivery in self.deliveries)

    def taken(self, part: int) -> int:
        """How many relays have taken a part, as far as anybody knows."""
        return sum(d.status.taken for d in self.deliveries if d.part == part)

    @property
    def code(self) -> str:
        """The nevent of the first part, with relays that took it."""
        first = self.posting.events[0]
        relays = (d.relay for d in self.deliveries if d.part == 1 and d.status.taken)
        hints = tuple(relays)[:_HINTS]
        return nip19.encode(nip19.EventPointer(first.id, hints, first.pubkey, first.kind))


async def sign_all(drafts: Iterable[Draft], signer: Signer) -> tuple[Verified, ...]:
    """Sign every part, in order. Raises `SigningError`; nothing has been sent by then."""
    return tuple([await signer.sign(draft) for draft in drafts])


async def deliver(
    posting: Posting,
    *,
    pool: Pool,
    outbox: Outbox,
    clock: Callable[[], int],
    progress: Callable[[Delivery], None] = lambda _: None,
) -> Report:
    """Send what is not final yet, part by part, read back what was taken, and report.

    The posting must be in the outbox. Sending again what a relay has already is harmless: the bytes
    are the same. Nothing is raised for a relay that fails: see the deliveries.
    """
    courier = _Courier(posting, pool, outbox, clock, progress)
    for part, event in enumerate(posting.events, 1):
        await courier.send(part, event)
    await courier.explain()
    await courier.read_back()
    return Report(replace(posting, deliveries=courier.deliveries))


class _Courier:
    """What is known of one posting while it is being delivered."""

    def __init__(
        self,
        posting: Posting,
        pool: Pool,
        outbox: Outbox,
        clock: Callable[[], int],
        progress: Callable[[Delivery], None],
    ) -> None:
        self._posting = posting
        self._pool = pool
        self._outbox = outbox
        self._clock = clock
        self._progress = progress
        self._hopeless: dict[str, Delivery] = {}
        parts = range(1, len(posting.events) + 1)
        self._known = {
            (part, url): Delivery(part, url, Status.QUEUED)
            for part in parts
            for url in posting.relays
        }
        self._known.update({(d.part, d.relay): d for d in posting.deliveries})

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        return tuple(self._known.values())

    def taken(self, part: int) -> int:
        return sum(self._known[part, url].status.taken for url in self._posting.relays)

    async def send(self, part: int, event: Verified) -> None:
        """Send one part to every relay that may have it and has not decided on it."""
        await asyncio.gather(
            *(
                self._send(part, event, url)
                for url in self._posting.relays
                if self._may_have(part, url) and not _decided(self._known[part, url])
            )
        )

    def _may_have(self, part: int, url: str) -> bool:
        """Whether the part before is there, or the quorum has it: no reader meets a gap."""
        if part == 1 or self._known[part - 1, url].status.taken:
            return True
        return self.taken(part - 1) >= self._posting.quorum

    async def _send(self, part: int, event: Verified, url: str) -> None:
        if (earlier := self._hopeless.get(url)) is not None:
            await self._record(replace(earlier, part=part))
            return
        status, reason = await self._pool.relay(url).publish(event)
        delivery = Delivery(part, url, status, reason)
        if status in _HOPELESS:
            self._hopeless[url] = delivery
        await self._record(delivery)

    async def explain(self) -> None:
        """Say of every part that was not sent why. What can never be sent is rejected with it."""
        for part in range(2, len(self._posting.events) + 1):
            for url in self._posting.relays:
                delivery = self._known[part, url]
                if delivery.status is Status.QUEUED and not self._may_have(part, url):
                    await self._record(self._unsent(part, url))

    def _unsent(self, part: int, url: str) -> Delivery:
        before = self._known[part - 1, url]
        at_part = [self._known[part - 1, each] for each in self._posting.relays]
        possible = sum(not _refused(each) for each in at_part)
        if _refused(before) and possible < self._posting.quorum:
            why = before.reason if part > 2 and "not sent" in before.reason else ""
            why = why or f"not sent: part {part - 1} was rejected"
            return Delivery(part, url, Status.REJECTED, why)
        why = f"not sent: part {part - 1} was taken by {self.taken(part - 1)}"
        return Delivery(part, url, Status.QUEUED, f"{why} of {self._posting.quorum}")

    async def read_back(self) -> None:
        """Ask each relay for what it says it has: OK is not stored."""
        await asyncio.gather(*(self._read_back(url) for url in self._posting.relays))

    async def _read_back(self, url: str) -> None:
        doubtful = {
            self._posting.events[part - 1].id: delivery
            for (part, relay), delivery in self._known.items()
            if relay == url and delivery.status in (Status.ACCEPTED, Status.DUPLICATE)
        }
        if not doubtful:
            return
        ids = tuple(doubtful)
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            answer = await self._pool.relay(url).fetch(Filter(ids=chunk))
            held = {event.id for event in answer.events}
            for event_id in chunk:
                await self._judge(doubtful[event_id], answer, held=event_id in held)

    async def _judge(self, delivery: Delivery, answer: Answer, *, held: bool) -> None:
        """Note what reading back has shown; without a complete answer it has shown nothing."""
        if held:
            await self._record(replace(delivery, status=Status.STORED))
        elif answer.finish is Finish.COMPLETE:
            await self._record(replace(delivery, status=Status.LOST, reason="not read back"))
        else:
            why = f"not read back: {answer.reason or answer.finish.value}"
            await self._record(replace(delivery, reason=why))

    async def _record(self, delivery: Delivery) -> None:
        self._known[delivery.part, delivery.relay] = delivery
        event: Verified = self._posting.events[delivery.part - 1]
        await off_loop(self._outbox.record, event.id, delivery, now=self._clock())
        self._progress(delivery)


def _decided(delivery: Delivery) -> bool:
    return delivery.final or delivery.status.taken


def _refused(delivery: Delivery) -> bool:
    return delivery.status is Status.REJECTED and delivery.final
