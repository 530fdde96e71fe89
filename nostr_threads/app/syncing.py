"""One source brought up to date from one relay: what is missing here is got, and kept as it comes.

Knows the two ways: what the two sides do not share is found out (NIP-77), or everything is asked
for, span by span. Whatever happens, what came stays, and the next run goes on from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.gathering import Gathering
from nostr_threads.core.backlog import Got, backlog
from nostr_threads.core.coverage import Finish
from nostr_threads.core.negentropy import Items
from nostr_threads.core.windows import Span, Spans
from nostr_threads.store.base import Added
from nostr_threads.store.sources import Method, Sync

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Sequence

    from nostr_threads.app.comparing import Comparing
    from nostr_threads.app.documents import Documents
    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.sources import Source
    from nostr_threads.net.relay import Relay
    from nostr_threads.store.sql import SqlStore

__all__ = ["Syncing", "keep"]

_SEARCH = 50
# Seconds that each run reaches back into what was got: an event may have come late to its relay.
_OVERLAP = 3_600
_MOST_KNOWN = 10_000


class Syncing:
    """Gets `source` from `relay`. `told` is called with how many events are new, as they come.

    `now` is in unix seconds: up to then everything is wanted. What was got before is asked for
    again with `anew`.
    """

    def __init__(
        self,
        source: Source,
        relay: Relay,
        store: SqlStore,
        documents: Documents,
        comparing: Comparing,
        *,
        now: int,
        anew: bool = False,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._relay = relay
        self._store = store
        self._documents = documents
        self._comparing = comparing
        self._now = now
        self._anew = anew
        self._told = told
        self._is_search = source.filter is not None and source.filter.search is not None
        until = (source.filter and source.filter.until) or now
        self._whole = Span(source.first, max(source.first, min(now, until)))

    async def run(self) -> Sync:
        """Get what is missing; return how it ended, which is noted. Raises `StoreError`."""
        if self._is_search and not await self._documents.offers(self._relay.url, _SEARCH):
            return await self._note(Method.PAGES, Finish.REFUSED, "it does not search (NIP-50)")
        name, url = self._source.name, self._relay.url
        # A clock that was ahead has taken seconds for got that had not been yet.
        await off_loop(self._store.sources.cut, name, url, after=self._now)
        finish, reason = Finish.REFUSED, ""
        method = Method.PAGES
        if not self._is_search and await self._comparing.may(self._relay.url):
            method = Method.NEGENTROPY
            await self._note(method, None, "")
            finish, reason = await self._by_difference()
        if finish is Finish.REFUSED:
            # Whatever it says against the one, the other may do.
            method, told = Method.PAGES, reason
            await self._note(method, None, told)
            finish, reason = await self._by_pages()
        return await self._note(method, finish, reason)

    async def _note(self, method: Method, finish: Finish | None, reason: str) -> Sync:
        sync = Sync(method, finish, reason, self._now)
        await off_loop(self._store.sources.note, self._source.name, self._relay.url, sync)
        return sync

    # All of it, span by span

    async def _by_pages(self) -> tuple[Finish, str]:
        name, url = self._source.name, self._relay.url
        before = (await off_loop(self._store.sources.syncs, name)).get(url)
        spans = Spans() if before is None or self._anew else before.spans
        walk = backlog(spans, self._whole, overlap=_OVERLAP)
        storing: Future[int] | None = None
        try:
            span = next(walk)
            while True:
                answer = await self._fetch(self._source.within(span.first, span.last))
                # Each is stored while the next is on its way.
                await self._stored(storing)
                is_got = answer.finish is Finish.COMPLETE
                storing = self._keep(answer.events, span if is_got else None)
                span = walk.send(Got(len(answer.events), answer.finish, answer.reason))
        except StopIteration as ended:
            finish, reason = ended.value
            return finish, reason
        finally:
            await self._stored(storing)

    async def _fetch(self, asked: Filter) -> Answer:
        # Of what is here already as much as there is room for need not be verified again.
        some = replace(asked, limit=_MOST_KNOWN)
        known = await off_loop(self._store.query, [some], now=self._now)
        return await self._relay.fetch(asked, known={event.id: event for event in known})

    # What the two sides do not share

    async def _by_difference(self) -> tuple[Finish, str]:
        asked = self._source.within(self._whole.first, self._whole.last)
        items = Items(await off_loop(self._store.items, [asked], now=None))
        difference = await self._relay.reconcile(asked, items)
        if difference.finish is not Finish.COMPLETE:
            self._comparing.failed(self._relay.url)
            is_gone = difference.finish is Finish.UNREACHABLE
            return difference.finish if is_gone else Finish.REFUSED, difference.reason
        gathering = Gathering(asked, self._relay, self._store, self._take)
        finish, reason = await gathering.run(difference.need)
        if finish is Finish.COMPLETE:
            await self._stored(self._keep((), self._whole))
        return finish, reason

    async def _take(self, events: Sequence[Verified]) -> None:
        await self._stored(self._keep(events, None))

    # Keeping

    async def _stored(self, storing: Future[int] | None) -> None:
        if storing is not None:
            self._told(await to_its_end(storing))

    def _keep(self, events: Sequence[Verified], span: Span | None) -> Future[int]:
        place = (self._store, self._source, self._relay.url)
        return off_loop(keep, *place, events, span, now=self._now)


def keep(
    store: SqlStore,
    source: Source,
    relay: str,
    events: Sequence[Verified],
    span: Span | None,
    *,
    now: int,
) -> int:
    """Store what came, then note that it came, with all of `span`; return how many were new."""
    outcomes = store.add(events, relay=relay, now=now)
    fresh = sum(outcome is not Added.KNOWN for outcome in outcomes)
    store.sources.got(source.name, relay, span, events=fresh)
    return fresh
