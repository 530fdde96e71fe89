"""One relay's share of a delivery: its parts sent in order at its own pace, and read back.

Knows what to do about each answer of a relay. What others wait for is the ledger's to know.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish
from nostr_threads.core.delivery import Delivery, Status, after_failure
from nostr_threads.core.filters import Filter
from nostr_threads.core.pacing import Pace
from nostr_threads.core.wire import prefix_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, MutableMapping

    from nostr_threads.app.ledger import Ledger
    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.event import Verified
    from nostr_threads.net.relay import Relay

__all__ = ["Courier", "Terms", "unknown"]

# Ids in one filter: some relays take messages of no more than 16 kB.
_CHUNK = 100
# Seconds for a look whether what was never answered has arrived: it may be a dead relay.
_GLANCE = 3.0


async def unknown(_: str) -> float:
    """Know nothing of a relay's software."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """How relays are treated. `clock` gives unix seconds, `jitter` numbers from 0 to 1.

    A relay that wants it slower (`rate-limited:`), or takes what it is sent and never says so, is
    waited for, `patience` seconds in all; `paces` keeps what each has taught, and `usual` tells the
    gap that a relay's software is known for (see `pacing`). Without `everything` only what is due
    is sent.
    """

    clock: Callable[[], int]
    jitter: Callable[[], float]
    paces: MutableMapping[str, Pace]
    patience: float = 120.0
    everything: bool = True
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    usual: Callable[[str], Awaitable[float]] = unknown


class Courier:
    """Brings a posting to one relay."""

    def __init__(self, relay: Relay, ledger: Ledger, terms: Terms) -> None:
        self._relay = relay
        self._ledger = ledger
        self._terms = terms
        self._patience = terms.patience
        self._events = {event.id: event for event in ledger.posting.events}

    async def bring(self, reached: Callable[[str], Awaitable[None]]) -> None:
        """Send what is not decided yet, part by part, and read back what was taken: OK is no proof.

        What is lost is sent once more. `reached` is called with the relay's URL once it has
        anything. The ledger counts this courier as entered, and here as having left.
        """
        try:
            await self._send_all([each for each in self._open if not each.status.taken])
            if lost := await self._prove():
                await self._send_all(lost)
                await self._prove()
                for delivery in self._open:
                    if delivery.status is Status.LOST:
                        self._ledger.record(self._failed(delivery))
        finally:
            self._ledger.leave()
        if any(each.status.taken for each in self._known):
            await reached(self._relay.url)

    async def look(self, parts: Collection[int]) -> None:
        """Read back which of `parts` the relay still has of those it was found to have before."""
        there = [each for each in self._known if each.status.taken and each.part in parts]
        for delivery, held in await self._held(there):
            if held is False:
                lost = replace(delivery, status=Status.LOST, reason="it is not there any more")
                self._ledger.record(replace(lost, tries=0, retry_at=0))
            elif held:
                self._ledger.record(_stored(delivery))

    @property
    def _known(self) -> list[Delivery]:
        return list(self._ledger.at_relay(self._relay.url))

    @property
    def _open(self) -> list[Delivery]:
        """What is left to do now, in order."""
        now, everything = self._terms.clock(), self._terms.everything
        return [each for each in self._known if not each.final and (everything or each.due(now))]

    # Sending

    async def _send_all(self, deliveries: list[Delivery]) -> None:
        failed: Delivery | None = None
        for delivery in deliveries:
            if not await self._ledger.allowed(delivery.part, delivery.relay):
                continue
            if failed is not None:
                self._ledger.record(_spared(delivery, failed))
                continue
            sent = await self._send(delivery)
            self._ledger.record(sent)
            failed = sent if _is_hopeless(sent) else None

    async def _send(self, delivery: Delivery) -> Delivery:
        """Send one part, as often as the relay only wants it slower and there is patience."""
        told = delivery
        while await self._keep_pace():
            told = await self._publish(delivery)
            if not _is_too_fast(told):
                break
            usual = await self._terms.usual(self._relay.url)
            self._pace = self._pace.refused(told.reason, usual=usual)
        if told is delivery:
            return self._postponed(delivery)
        if told.status is Status.NO_ANSWER:
            return await self._glance(told)
        if not told.status.taken:
            return self._failed(told)
        self._pace = self._pace.taken()
        # Its tries still count: only what is read back has arrived.
        return replace(told, retry_at=0)

    async def _publish(self, delivery: Delivery) -> Delivery:
        event = self._ledger.posting.events[delivery.part - 1]
        began = asyncio.get_running_loop().time()
        try:
            status, reason = await self._relay.publish(event)
        except asyncio.CancelledError:
            # It may be out: nobody may take it back as if it were not.
            cut_off = replace(delivery, status=Status.NO_ANSWER, reason="interrupted")
            self._ledger.record(cut_off)
            raise
        if status is Status.NO_ANSWER:
            self._patience -= asyncio.get_running_loop().time() - began
        return replace(delivery, status=status, reason=reason)

    async def _glance(self, delivery: Delivery) -> Delivery:
        """Look whether a part that got no answer has arrived all the same."""
        if (await self._ask([delivery], seconds=_GLANCE)).events:
            return _stored(delivery)
        return self._failed(delivery)

    @property
    def _pace(self) -> Pace:
        return self._terms.paces.get(self._relay.url, Pace())

    @_pace.setter
    def _pace(self, pace: Pace) -> None:
        self._terms.paces[self._relay.url] = pace

    async def _keep_pace(self) -> bool:
        """Wait until the relay may be sent more; False when there is no patience left for it."""
        clock = asyncio.get_running_loop().time
        wait = self._pace.wait(clock())
        if wait > self._patience:
            return False
        if wait:
            self._patience -= wait
            await self._terms.sleep(wait)
        self._pace = self._pace.sent(clock())
        return True

    def _postponed(self, delivery: Delivery) -> Delivery:
        """Leave for later what was not even tried: there was no patience left."""
        gap = self._pace.gap
        why = f"it wants pauses of {gap:.0f} s" if gap else "it takes too long to answer"
        later = replace(delivery, retry_at=self._terms.clock() + math.ceil(gap))
        return _with_reason(later, f"not sent: {why}")

    def _failed(self, delivery: Delivery) -> Delivery:
        return after_failure(
            delivery,
            now=self._terms.clock(),
            since=self._ledger.posting.created_at,
            jitter=self._terms.jitter(),
        )

    # Reading back

    async def _prove(self) -> list[Delivery]:
        """Ask for what the relay says that it has, note what it shows, and return what lacks."""
        doubtful = [each for each in self._open if each.status.taken]
        lost: list[Delivery] = []
        for delivery, held in await self._held(doubtful):
            if held:
                self._ledger.record(_stored(delivery))
            elif held is False:
                lost.append(replace(delivery, status=Status.LOST, reason="not read back"))
                self._ledger.record(lost[-1])
        return lost

    async def _held(self, asked: list[Delivery]) -> list[tuple[Delivery, bool | None]]:
        """Whether the relay has each part; None where that could not be found out."""
        found: list[tuple[Delivery, bool | None]] = []
        answer: Answer | None = None
        for start in range(0, len(asked), _CHUNK):
            chunk = asked[start : start + _CHUNK]
            # One that does not answer is not asked on: each time would cost another deadline.
            if answer is None or answer.finish is Finish.COMPLETE:
                answer = await self._ask(chunk)
            held = {event.id for event in answer.events}
            found += [(each, self._judged(each, answer, held)) for each in chunk]
        return found

    async def _ask(self, asked: list[Delivery], seconds: float | None = None) -> Answer:
        ids = tuple(self._id(each) for each in asked)
        known: dict[str, Verified] = dict(self._events)
        return await self._relay.fetch(Filter(ids=ids), known=known, seconds=seconds)

    def _judged(self, delivery: Delivery, answer: Answer, held: set[str]) -> bool | None:
        if self._id(delivery) in held:
            return True
        if answer.finish is Finish.COMPLETE:
            return False
        why = f"not read back: {answer.reason or answer.finish.value}"
        told = replace(delivery, reason=why)
        self._ledger.record(told if delivery.final else self._failed(told))
        return None

    def _id(self, delivery: Delivery) -> str:
        return self._ledger.posting.events[delivery.part - 1].id


def _stored(delivery: Delivery) -> Delivery:
    return replace(delivery, status=Status.STORED, reason="", tries=0, retry_at=0)


def _is_too_fast(delivery: Delivery) -> bool:
    return delivery.status is Status.REJECTED and prefix_of(delivery.reason) == "rate-limited"


def _is_hopeless(sent: Delivery) -> bool:
    """Whether the relay is left alone from now on: the next part would fare no better."""
    if sent.status is Status.REJECTED:
        return _is_too_fast(sent)
    return not sent.status.taken


def _spared(delivery: Delivery, failed: Delivery) -> Delivery:
    """Say of a part why it was not even tried after `failed`, and try it no earlier."""
    if failed.status in (Status.UNREACHABLE, Status.GIVEN_UP):
        return replace(failed, part=delivery.part)
    why = {Status.NO_ANSWER: "got no answer", Status.REJECTED: "came too fast"}.get(failed.status)
    reason = f"not sent: part {failed.part} {why}" if why else failed.reason
    return _with_reason(replace(delivery, retry_at=failed.retry_at), reason)


def _with_reason(delivery: Delivery, reason: str) -> Delivery:
    """Keep the words of a relay that was asked before: whether it is final depends on them."""
    return replace(delivery, reason=reason) if delivery.status is Status.QUEUED else delivery
