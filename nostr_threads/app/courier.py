"""One relay's share of a delivery: its parts sent in order at its own pace, and read back.

Knows what to do about each answer of a relay. What others wait for is the ledger's to know.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish
from nostr_threads.core.delivery import Delivery, Status, after_failure
from nostr_threads.core.filters import Filter
from nostr_threads.core.pacing import Pace
from nostr_threads.core.wire import prefix_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from nostr_threads.app.ledger import Ledger
    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.event import Verified
    from nostr_threads.net.relay import Relay

__all__ = ["Courier", "Terms"]

# After these a relay is left alone for the rest of a delivery: the next part would fare no better.
_HOPELESS = (Status.UNREACHABLE, Status.NO_ANSWER)
# Ids in one filter: some relays take messages of no more than 16 kB.
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """How relays are treated. `clock` gives unix seconds, `jitter` numbers from 0 to 1.

    A relay that wants it slower (`rate-limited:`) is waited for, `patience` seconds in all; `paces`
    keeps what each has taught. Without `everything` only what is due is sent.
    """

    clock: Callable[[], int]
    jitter: Callable[[], float]
    paces: MutableMapping[str, Pace]
    patience: float = 120.0
    everything: bool = True
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Courier:
    """Brings a posting to one relay."""

    def __init__(self, relay: Relay, ledger: Ledger, terms: Terms) -> None:
        self._relay = relay
        self._ledger = ledger
        self._terms = terms
        self._patience = terms.patience
        self._sent_at = float("-inf")
        self._events = {event.id: event for event in ledger.posting.events}

    async def bring(self, reached: Callable[[str], Awaitable[None]]) -> None:
        """Send what is not decided yet, part by part, and read back what was taken.

        `reached` is called with the relay's URL once it has anything.
        """
        self._ledger.enter()
        try:
            await self._send_all()
        finally:
            self._ledger.leave()
        await self._prove()
        if any(each.status.taken for each in self._known):
            await reached(self._relay.url)

    async def look(self) -> None:
        """Read back what the relay was found to have before: it may have it no more."""
        there = [each for each in self._known if each.status.taken]
        for delivery, held in await self._held(there):
            if held is False:
                lost = replace(delivery, status=Status.LOST, reason="it is not there any more")
                self._ledger.record(replace(lost, tries=0, retry_at=0))
            elif held:
                self._ledger.record(replace(delivery, status=Status.STORED))

    @property
    def _known(self) -> list[Delivery]:
        return list(self._ledger.at_relay(self._relay.url))

    async def _send_all(self) -> None:
        failed: Delivery | None = None
        for delivery in self._known:
            if delivery.final or delivery.status.taken or not self._is_due(delivery):
                continue
            if not await self._ledger.allowed(delivery.part, delivery.relay):
                return
            if failed is not None:
                same = replace(delivery, status=failed.status, reason=failed.reason)
                self._ledger.record(self._failed(same))
                continue
            sent = await self._send(delivery)
            self._ledger.record(sent)
            failed = sent if sent.status in _HOPELESS else None

    def _is_due(self, delivery: Delivery) -> bool:
        return self._terms.everything or delivery.due(self._terms.clock())

    async def _send(self, delivery: Delivery) -> Delivery:
        """Send one part, as often as the relay only wants it slower and there is patience."""
        event = self._ledger.posting.events[delivery.part - 1]
        while True:
            await self._keep_pace()
            status, reason = await self._relay.publish(event)
            if prefix_of(reason) != "rate-limited" or status is not Status.REJECTED:
                break
            pace = self._slow_down(reason)
            if pace.gap > self._patience:
                break
            self._patience -= pace.gap
        told = replace(delivery, status=status, reason=reason)
        if status.taken:
            self._terms.paces[self._relay.url] = self._pace.taken()
            return replace(told, tries=0, retry_at=0)
        return self._failed(told)

    @property
    def _pace(self) -> Pace:
        return self._terms.paces.get(self._relay.url, Pace())

    def _slow_down(self, reason: str) -> Pace:
        pace = self._terms.paces[self._relay.url] = self._pace.refused(reason)
        return pace

    async def _keep_pace(self) -> None:
        now = asyncio.get_running_loop().time()
        if (wait := self._sent_at + self._pace.gap - now) > 0:
            await self._terms.sleep(wait)
        self._sent_at = max(now, now + wait)

    def _failed(self, delivery: Delivery) -> Delivery:
        return after_failure(
            delivery,
            now=self._terms.clock(),
            since=self._ledger.posting.created_at,
            jitter=self._terms.jitter(),
        )

    async def _prove(self) -> None:
        """Read back what was taken: OK is not stored. What is lost is sent once more."""
        lost = await self._lost()
        for delivery in lost:
            sent = await self._send(delivery)
            if not sent.status.taken:
                sent = self._failed(delivery)
            self._ledger.record(sent)
        if lost:
            for delivery in await self._lost():
                self._ledger.record(self._failed(delivery))

    async def _lost(self) -> list[Delivery]:
        """Ask for what the relay says that it has, note what it shows, and return what lacks."""
        doubtful = [
            each for each in self._known if each.status in (Status.ACCEPTED, Status.DUPLICATE)
        ]
        lost: list[Delivery] = []
        for delivery, held in await self._held(doubtful):
            if held:
                self._ledger.record(replace(delivery, status=Status.STORED))
            elif held is False:
                lost.append(replace(delivery, status=Status.LOST, reason="not read back"))
                self._ledger.record(lost[-1])
        return lost

    async def _held(self, asked: list[Delivery]) -> list[tuple[Delivery, bool | None]]:
        """Whether the relay has each part; None where that could not be found out."""
        found: list[tuple[Delivery, bool | None]] = []
        for start in range(0, len(asked), _CHUNK):
            chunk = asked[start : start + _CHUNK]
            answer = await self._ask(chunk)
            held = {event.id for event in answer.events}
            found += [(each, self._judged(each, answer, held)) for each in chunk]
        return found

    async def _ask(self, asked: list[Delivery]) -> Answer:
        ids = tuple(self._id(each) for each in asked)
        known: dict[str, Verified] = dict(self._events)
        return await self._relay.fetch(Filter(ids=ids), known=known)

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
