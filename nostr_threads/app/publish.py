"""Publish an answer: sign all parts, keep them, deliver them in order, read them back.

Knows the order that loses nothing: nothing is sent before everything is signed and stored, and part
n+1 goes to a relay only once that relay or the quorum has part n. What became of each part at each
relay is kept as it is learned, so that an interrupted delivery goes on where it was. One process at
a time delivers a posting.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.courier import Courier, Terms
from nostr_threads.app.ledger import Ledger
from nostr_threads.core import kinds, nip19
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.core.pacing import Pace
    from nostr_threads.net.pool import Pool
    from nostr_threads.signing.signer import Signer
    from nostr_threads.store.base import Outbox, Posting

__all__ = ["Report", "check", "deliver", "sign_all"]

_HINTS = 3
# Seconds for which a process that died keeps others from sending, and how often the living renew.
_LEASE = 120
_RENEWAL = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a posting: one delivery for each part and relay, in order of part.

    `busy` means that another process is sending it, and nothing was done here.
    """

    posting: Posting
    busy: bool = False

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """One for each part and relay, by part, then in the order of the relays."""
        return self.posting.deliveries

    @property
    def accepted(self) -> bool:
        """Whether every part was taken by as many of the author's relays as the quorum wants."""
        parts = range(1, len(self.posting.events) + 1)
        return all(self.taken(part) >= self.posting.quorum for part in parts)

    @property
    def complete(self) -> bool:
        """Whether every part was read back from every relay of the author's: an OK proves nothing.

        Where it went as a courtesy does not count.
        """
        return all(delivery.status is Status.STORED for delivery in self._own)

    @property
    def open(self) -> int:
        """How many deliveries stay in the outbox, to be sent or read back again."""
        return sum(not delivery.final for delivery in self.deliveries)

    @property
    def reached(self) -> bool:
        """Whether any relay could be reached at all."""
        unreached = (Status.UNREACHABLE, Status.QUEUED)
        return any(delivery.status not in unreached for delivery in self.deliveries)

    @property
    def retry_at(self) -> int | None:
        """When (unix seconds) the next of them is due; None when none is open."""
        return min((each.retry_at for each in self.deliveries if not each.final), default=None)

    def taken(self, part: int) -> int:
        """How many of the author's relays have taken a part, as far as anybody knows."""
        return sum(each.status.taken for each in self._own if each.part == part)

    @property
    def code(self) -> str:
        """The nevent of the first part, or the naddr of an article, with relays that took it."""
        first = self.posting.events[0]
        relays = (d.relay for d in self.deliveries if d.part == 1 and d.status.taken)
        hints = tuple(relays)[:_HINTS]
        if kinds.is_addressable(first.kind):
            identifier = kinds.identifier_of(first)
            return nip19.encode(nip19.Address(first.kind, first.pubkey, identifier, hints))
        return nip19.encode(nip19.EventPointer(first.id, hints, first.pubkey, first.kind))

    @property
    def _own(self) -> list[Delivery]:
        return [each for each in self.deliveries if each.relay not in self.posting.courtesy]


async def _nothing_more(_: str) -> None:
    """Leave it at what was delivered."""


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
    everything: bool = True,
    paces: MutableMapping[str, Pace] | None = None,
    patience: float = 120.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    reached: Callable[[str], Awaitable[None]] = _nothing_more,
) -> Report:
    """Send what is not final yet, each relay at its own pace, read back what was taken, and report.

    The posting must be in the outbox. Sending again what a relay has already is harmless: the bytes
    are the same. Without `everything` only what is due is sent. A relay that wants it slower is
    waited for, `patience` seconds in all; `paces`, by URL, is what was learned of that. `reached`
    is called for each relay that has taken something. Nothing is raised for a relay that fails: see
    the deliveries.
    """
    terms = Terms(clock, random.random, {} if paces is None else paces, patience, everything, sleep)

    async with _leased(posting, outbox, clock, progress) as ledger:
        if ledger is None:
            return Report(await _current(posting, outbox), busy=True)
        couriers = [Courier(pool.relay(url), ledger, terms) for url in posting.relays]
        await asyncio.gather(*(courier.bring(reached) for courier in couriers))
        _explain(ledger)
    return Report(ledger.settled)


async def check(
    posting: Posting,
    *,
    pool: Pool,
    outbox: Outbox,
    clock: Callable[[], int],
    progress: Callable[[Delivery], None] = lambda _: None,
) -> Report:
    """Read back what relays had when they were last asked; what one has no more is lost, and due.

    Where a relay cannot be asked what is known of it stays. Sends nothing.
    """
    terms = Terms(clock, random.random, {})
    async with _leased(posting, outbox, clock, progress) as ledger:
        if ledger is None:
            return Report(await _current(posting, outbox), busy=True)
        relays = [pool.relay(url) for url in posting.relays]
        await asyncio.gather(*(Courier(relay, ledger, terms).look() for relay in relays))
    return Report(ledger.settled)


@asynccontextmanager
async def _leased(
    posting: Posting,
    outbox: Outbox,
    clock: Callable[[], int],
    progress: Callable[[Delivery], None],
) -> AsyncIterator[Ledger | None]:
    """Give the ledger of a posting that nobody else is sending, None where somebody is.

    What was learned is written and the right to send given back, however the block ends.
    """
    owner = secrets.token_hex(8)
    if not await _lease(posting, outbox, clock, owner):
        yield None
        return
    ledger = Ledger(await _current(posting, outbox), outbox, clock, progress)
    try:
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(ledger.run()),
                tasks.create_task(_renew(posting, outbox, clock, owner)),
            ]
            yield ledger
            for task in beside:
                task.cancel()
    except BaseExceptionGroup as several:
        # One fault of the store ends all: it is told as it is, not as a group.
        raise several.exceptions[0] from None
    finally:
        try:
            await ledger.finish()
        finally:
            await asyncio.shield(off_loop(outbox.release, posting.id, owner))


async def _current(posting: Posting, outbox: Outbox) -> Posting:
    return await off_loop(outbox.posting, posting.id) or posting


async def _lease(posting: Posting, outbox: Outbox, clock: Callable[[], int], owner: str) -> bool:
    now = clock()
    return await off_loop(outbox.lease, posting.id, owner, now=now, until=now + _LEASE)


async def _renew(posting: Posting, outbox: Outbox, clock: Callable[[], int], owner: str) -> None:
    while True:
        await asyncio.sleep(_RENEWAL)
        if not await _lease(posting, outbox, clock, owner):
            raise StoreError(f"the answer {posting.id} is being sent by another process")


def _explain(ledger: Ledger) -> None:
    """Say of every part that was not sent why. What can never be sent is rejected with it."""
    for part in range(2, len(ledger.posting.events) + 1):
        for url in ledger.posting.relays:
            if ledger.at(part, url).status is Status.QUEUED and not ledger.may_have(part, url):
                ledger.record(_unsent(ledger, part, url))


def _unsent(ledger: Ledger, part: int, url: str) -> Delivery:
    queued, before = ledger.at(part, url), ledger.at(part - 1, url)
    own = [ledger.at(part - 1, each) for each in ledger.posting.own]
    possible = sum(not _refused(each) for each in own)
    if _refused(before) and possible < ledger.posting.quorum:
        why = before.reason if part > 2 and "not sent" in before.reason else ""
        why = why or f"not sent: part {part - 1} was rejected"
        return replace(queued, status=Status.REJECTED, reason=why)
    why = f"not sent: part {part - 1} was taken by {ledger.taken(part - 1)}"
    return replace(queued, reason=f"{why} of {ledger.posting.quorum}")


def _refused(delivery: Delivery) -> bool:
    return delivery.status is Status.REJECTED and delivery.final
