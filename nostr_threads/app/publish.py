"""Publish an answer: sign all parts, keep them, deliver them in order, read them back.

Knows the order that loses nothing: nothing is sent before everything is signed and stored, and part
n+1 goes to a relay only once that relay or the quorum has part n. What became of each part at each
relay is kept as it is learned, so that an interrupted delivery goes on where it was. One process at
a time delivers a posting.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.courier import Courier, Terms, unknown
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.leasing import leased
from nostr_threads.app.ledger import Ledger
from nostr_threads.core import kinds, nip19
from nostr_threads.core.delivery import Delivery, Status

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterable,
        MutableMapping,
    )

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.core.pacing import Pace
    from nostr_threads.net.pool import Pool
    from nostr_threads.signing.signer import Signer
    from nostr_threads.store.base import Outbox, Posting

__all__ = ["Report", "State", "check", "deliver", "sign_all"]

_HINTS = 3


class State(StrEnum):
    """How an answer in the outbox stands."""

    ON_ITS_WAY = "on its way"
    ARRIVED = "arrived"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    CANCELLED = "cancelled"


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
        return self.posting.accepted

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
    def state(self) -> State:
        """How it stands; what is still tried anywhere is on its way."""
        statuses = {delivery.status for delivery in self.deliveries}
        if self.open:
            return State.ON_ITS_WAY
        if statuses == {Status.CANCELLED}:
            return State.CANCELLED
        if self.complete:
            return State.ARRIVED
        return State.GIVEN_UP if Status.GIVEN_UP in statuses else State.REFUSED

    @property
    def retry_at(self) -> int | None:
        """When (unix seconds) the next of them is due; None when none is open."""
        return min((each.retry_at for each in self.deliveries if not each.final), default=None)

    def taken(self, part: int) -> int:
        """How many of the author's relays have taken a part, as far as anybody knows."""
        return self.posting.taken(part)

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
    usual: Callable[[str], Awaitable[float]] = unknown,
    reached: Callable[[str], Awaitable[None]] = _nothing_more,
) -> Report:
    """Send what is not final yet, each relay at its own pace, read back what was taken, and report.

    The posting must be in the outbox. Sending again what a relay has already is harmless: the bytes
    are the same. Without `everything` only what is due is sent. A relay that wants it slower, or
    never says OK, is waited for, `patience` seconds in all; `paces`, by URL, is what was learned of
    that, and `usual` tells what is known of a relay's software. `reached` is called for each relay
    that has taken something. Nothing is raised for a relay that fails: see the deliveries. Raises
    `StoreError`, also when the right to send is lost.
    """
    paces = {} if paces is None else paces
    terms = Terms(clock, random.random, paces, patience, everything, sleep, usual)
    async with _at_work(posting, outbox, clock, progress) as ledger:
        if ledger is None:
            return Report(await _current(posting, outbox), busy=True)
        relays = [pool.relay(url) for url in ledger.posting.relays]
        ledger.enter(len(relays))
        async with asyncio.TaskGroup() as tasks:
            for relay in relays:
                tasks.create_task(Courier(relay, ledger, terms).bring(reached))
        _explain(ledger)
    return Report(ledger.settled)


async def check(
    posting: Posting,
    *,
    pool: Pool,
    outbox: Outbox,
    clock: Callable[[], int],
    progress: Callable[[Delivery], None] = lambda _: None,
    parts: Collection[int] | None = None,
) -> Report:
    """Read back what relays had when they were last asked; what one has no more is lost, and due.

    Only `parts` (from 1) are looked for, if given. Where a relay cannot be asked what is known of
    it stays. Sends nothing.
    """
    terms = Terms(clock, random.random, {})
    wanted = range(1, len(posting.events) + 1) if parts is None else parts
    async with _at_work(posting, outbox, clock, progress) as ledger:
        if ledger is None:
            return Report(await _current(posting, outbox), busy=True)
        async with asyncio.TaskGroup() as tasks:
            for url in ledger.posting.relays:
                tasks.create_task(Courier(pool.relay(url), ledger, terms).look(wanted))
    return Report(ledger.settled)


@asynccontextmanager
async def _at_work(
    posting: Posting,
    outbox: Outbox,
    clock: Callable[[], int],
    progress: Callable[[Delivery], None],
) -> AsyncIterator[Ledger | None]:
    """Give the ledger of a posting that nobody else is sending, None where somebody is.

    What was learned is written, however the block ends.
    """
    with ungrouped():
        async with leased(posting.id, outbox, clock) as is_ours:
            if not is_ours:
                yield None
                return
            ledger = Ledger(await _current(posting, outbox), outbox, clock, progress)
            async with ledger.kept():
                yield ledger


async def _current(posting: Posting, outbox: Outbox) -> Posting:
    return await off_loop(outbox.posting, posting.id) or posting


def _explain(ledger: Ledger) -> None:
    """Say of every part that was not sent why. What can never be sent is rejected with it."""
    for part in range(2, len(ledger.posting.events) + 1):
        for url in ledger.posting.relays:
            if ledger.at(part, url).status is Status.QUEUED and not ledger.may_have(part, url):
                ledger.record(_unsent(ledger, part, url))


def _unsent(ledger: Ledger, part: int, url: str) -> Delivery:
    """Say why a part was not sent: for now, until one of those before it is tried again, or ever.

    What nobody refused but all have given up is given up with it.
    """
    queued, before = ledger.at(part, url), ledger.at(part - 1, url)
    own = [ledger.at(part - 1, each) for each in ledger.posting.own]
    possible = sum(not _is_over(each) for each in own)
    if _is_over(before) and possible < ledger.posting.quorum:
        why = before.reason if part > 2 and "not sent" in before.reason else ""
        word = "rejected" if before.status is Status.REJECTED else "given up"
        why = why or f"not sent: part {part - 1} was {word}"
        return replace(queued, status=before.status, reason=why, retry_at=0)
    why = f"not sent: part {part - 1} was taken by {ledger.taken(part - 1)}"
    due = [each.retry_at for each in (before, *own) if not (each.final or each.status.taken)]
    retry_at = min(due, default=0)
    return replace(queued, reason=f"{why} of {ledger.posting.quorum}", retry_at=retry_at)


def _is_over(delivery: Delivery) -> bool:
    """Whether it did not arrive, and nobody tries again by itself."""
    return delivery.final and delivery.status is not Status.STORED
