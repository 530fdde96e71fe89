"""A plan signed, kept and brought to its relays: nothing is sent that is not kept.

Knows the order: work, signatures, outbox, delivery. How a delivery goes is `publish`'s to know.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.leasing import leased
from nostr_threads.app.mining import mine_chain
from nostr_threads.app.publish import Report, check, deliver, sign_all
from nostr_threads.core import kinds, nip19
from nostr_threads.core.delivery import Status
from nostr_threads.core.filters import Filter
from nostr_threads.core.pow import asked_bits
from nostr_threads.core.wire import prefix_of
from nostr_threads.errors import InvalidInput, NotFound
from nostr_threads.store.base import Posting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from nostr_threads.app.documents import Documents
    from nostr_threads.app.mining import Mining
    from nostr_threads.app.routes import Routes
    from nostr_threads.app.writing import Plan
    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.core.pacing import Pace
    from nostr_threads.net.pool import Pool
    from nostr_threads.signing.signer import Signer
    from nostr_threads.store.sql import SqlStore

__all__ = ["Sender"]


class Sender:
    """Sends what is planned, and what is in the outbox. `clock` gives unix seconds.

    A relay that wants it slower is waited for, `patience` seconds in all for an answer.
    """

    def __init__(
        self,
        store: SqlStore,
        pool: Pool,
        routes: Routes,
        documents: Documents,
        clock: Callable[[], int],
        patience: float,
    ) -> None:
        self._store = store
        self._pool = pool
        self._routes = routes
        self._documents = documents
        self._clock = clock
        self._patience = patience
        self._paces: dict[str, Pace] = {}

    async def send(
        self,
        plan: Plan,
        signer: Signer,
        quorum: int,
        *,
        mining: Callable[[Mining], None],
        progress: Callable[[Delivery], None],
        enqueue: Callable[[Posting], None] | None = None,
    ) -> Report:
        """Do the work (NIP-13), sign everything, keep it, deliver it and read it back.

        `enqueue` keeps it in the outbox, with what else is to be written in that transaction.
        """
        own = len(plan.relays) - len(plan.courtesy)
        if not 1 <= quorum <= own:
            raise InvalidInput(
                f"a quorum of {quorum} is not possible: there are {own} relays to write to"
            )
        drafts: Sequence[Draft] = plan.drafts
        if plan.work:
            drafts = await mine_chain(drafts, signer.public_key, plan.work, progress=mining)
        events = await sign_all(drafts, signer)
        posting = Posting(events, plan.relays, quorum, self._clock(), courtesy=plan.courtesy)
        await to_its_end(off_loop(enqueue or self._store.enqueue, posting))
        await off_loop(self._retire, posting)
        return await self._deliver(posting, progress)

    async def learn_work(self, report: Report, most_work: int) -> bool:
        """Note which relays of the author's want work and said so only by refusing (NIP-13).

        Whether that changes anything for this answer: where no relay has or may have any of it, it
        is taken back, and can be planned and signed anew. Nobody then sees two versions of a part.
        """
        wanted: dict[str, int] = {}
        for each in report.deliveries:
            if each.relay in report.posting.own and prefix_of(each.reason) == "pow":
                bits = asked_bits(each.reason, report.posting.events[each.part - 1].id)
                wanted[each.relay] = max(bits, wanted.get(each.relay, 0))
        for url, bits in wanted.items():
            if bits:
                await self._documents.wants_work(url, bits)
        if not any(0 < bits <= most_work for bits in wanted.values()):
            return False
        try:
            await off_loop(self._store.cancel, report.posting.id, now=self._clock())
        except InvalidInput:
            # Some relay has a part, had it, or may have it.
            return False
        return True

    async def resume(
        self,
        code: str | None = None,
        *,
        everything: bool = True,
        progress: Callable[[Delivery], None] = lambda _: None,
        only: Collection[str] | None = None,
    ) -> list[Report]:
        """Deliver what is still on its way: the same bytes again.

        With `code` that answer alone, also where it was given up. Without `everything` only what is
        due: after each failure there is a pause, which grows over days. `only` these, by the ids of
        their first parts.
        """
        if code is not None:
            posting = await self._posting(code)
            revived = await off_loop(self._store.revive, posting.id, self._clock())
            return [await self._deliver(revived, progress, everything=True)]
        postings = await off_loop(self._store.postings, open_only=True)
        return [
            await self._deliver(posting, progress, everything=everything)
            for posting in postings
            if only is None or posting.id in only
        ]

    async def check(
        self,
        code: str | None = None,
        *,
        progress: Callable[[Delivery], None] = lambda _: None,
    ) -> list[Report]:
        """Read back again what relays were found to have: what has vanished is `lost`, and due.

        A part that was deleted, replaced or has expired may vanish: it is passed over.
        """
        if code is not None:
            postings = [await self._posting(code)]
        else:
            postings = await off_loop(self._store.postings)
        reports = []
        for posting in postings:
            if not (parts := await off_loop(self._current_parts, posting)):
                continue
            self._routes.name(posting.own)
            report = await check(
                posting,
                pool=self._pool,
                outbox=self._store,
                clock=self._clock,
                progress=progress,
                parts=parts,
            )
            reports.append(report)
        return reports

    async def cancel(self, code: str) -> Report:
        """Take back an answer that no relay can have. Raises `InvalidInput` where one may."""
        posting = await self._posting(code)
        return Report(await off_loop(self._store.cancel, posting.id, now=self._clock()))

    async def abandon(self, posting: Posting) -> None:
        """Give up whatever is left to do for an answer that its author wants deleted.

        Raises `InvalidInput` while another process is sending it: that would go on.
        """
        if all(delivery.final for delivery in posting.deliveries):
            return
        async with leased(posting.id, self._store, self._clock) as is_ours:
            if is_ours:
                current = await off_loop(self._store.posting, posting.id) or posting
                await off_loop(
                    self._store.record_all, _given_up(current, "deleted"), now=self._clock()
                )
        if not is_ours:
            raise InvalidInput(
                f"the answer {posting.id} is being sent by another process at this moment; "
                "try again when that has ended"
            )

    async def _deliver(
        self, posting: Posting, progress: Callable[[Delivery], None], *, everything: bool = False
    ) -> Report:
        self._routes.name(posting.own)
        return await deliver(
            posting,
            pool=self._pool,
            outbox=self._store,
            clock=self._clock,
            progress=progress,
            everything=everything,
            paces=self._paces,
            patience=self._patience,
            usual=self._documents.usual_gap,
            reached=partial(self._spread, posting.events[0].pubkey),
        )

    async def _spread(self, author: str, url: str) -> None:
        """Let a relay have the author's relay list, as NIP-65 asks, unless it was seen there."""
        found = await off_loop(self._relay_list, author)
        if found is None or url in (await off_loop(self._store.sightings, [found.id]))[found.id]:
            return
        status, _ = await self._pool.relay(url).publish(found)
        if status.taken:
            await off_loop(self._store.add, [found], relay=url, now=self._clock())

    def _current_parts(self, posting: Posting) -> frozenset[int]:
        """Return the parts that are anywhere, and not deleted, replaced or expired since."""
        there = {each.part for each in posting.deliveries if each.status.taken}
        ids = {posting.events[part - 1].id: part for part in there}
        if not ids:
            return frozenset()
        wanted = Filter(ids=tuple(ids))
        found = self._store.query([wanted], now=self._clock(), strict=True)
        return frozenset(ids[event.id] for event in found)

    def _retire(self, posting: Posting) -> None:
        """Send no earlier version of what `posting` replaces any more: relays would not show it."""
        addresses = {kinds.address_of(event) for event in posting.events} - {None}
        ids = {event.id for event in posting.events}
        for earlier in self._store.postings(open_only=True) if addresses else ():
            old = {
                part
                for part, event in enumerate(earlier.events, 1)
                if kinds.address_of(event) in addresses and event.id not in ids
            }
            over = _given_up(earlier, "replaced by a newer version", old)
            self._store.record_all(over, now=self._clock())

    def _relay_list(self, author: str) -> Verified | None:
        wanted = Filter(kinds=(kinds.RELAY_LIST,), authors=(author,), limit=1)
        found = self._store.query([wanted], now=self._clock(), strict=True)
        return found[0] if found else None

    async def find(self, code: str) -> list[Posting]:
        """Return the answers in the outbox of which `code` names any part, newest first.

        An article has one for each version that was published. Raises `InvalidCode`.
        """
        wanted = nip19.parse_event(code)
        key = wanted.coordinate if isinstance(wanted, nip19.Address) else wanted.id
        return [
            posting
            for posting in reversed(await off_loop(self._store.postings))
            if any(key in (event.id, kinds.address_of(event)) for event in posting.events)
        ]

    async def _posting(self, code: str) -> Posting:
        if not (found := await self.find(code)):
            raise NotFound(f"nothing in the outbox is {code}: `outbox list --all` shows what is")
        return found[0]


def _given_up(
    posting: Posting, why: str, parts: Collection[int] | None = None
) -> list[tuple[str, Delivery]]:
    """What is left to do for a posting, or these of its parts, by the events' ids, as given up."""
    return [
        (
            posting.events[each.part - 1].id,
            replace(each, status=Status.GIVEN_UP, reason=why, retry_at=0),
        )
        for each in posting.deliveries
        if not each.final and (parts is None or each.part in parts)
    ]
