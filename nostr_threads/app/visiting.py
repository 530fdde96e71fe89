"""One look at what a source is missing: at one relay, for one thread, under one author's notes.

Knows which relays are asked for what, how many are at work at once, and how each look is told of.
Knows nothing of how often that is done.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.branches import Branches
from nostr_threads.app.comparing import Comparing
from nostr_threads.app.destinations import relay_lists
from nostr_threads.app.syncing import Syncing
from nostr_threads.app.thread_source import fetch_source
from nostr_threads.core.routing import Reason
from nostr_threads.core.sources import SourceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.app.documents import Documents
    from nostr_threads.app.fetch import Fetch
    from nostr_threads.app.routes import Routes
    from nostr_threads.core.sources import Source
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.sources import Sync
    from nostr_threads.store.sql import SqlStore

__all__ = ["Progress", "Told", "Visits"]

# Pairs of a source and a relay that are at work at once.
_AT_ONCE = 32
# Of them at one relay, which may compare only a few at once.
_AT_ONE_RELAY = 2
# Seconds that clocks differ anyway.
_CLOCKS_DIFFER = 60
# Relays of one source, at most; beside those that were chosen by hand.
_MOST_RELAYS = 12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: of a source, `fresh` events are new from a relay; with `sync` it has ended.

    The relay of the threads under an author's notes is "".
    """

    source: Source
    relay: str
    fresh: int = 0
    sync: Sync | None = None


Told: TypeAlias = "Callable[[Progress], None]"


class Visits:
    """Looks at relays for what sources are missing; see `Mirror` for what it is made of."""

    def __init__(
        self,
        store: SqlStore,
        pool: Pool,
        routes: Routes,
        documents: Documents,
        *,
        asking: Callable[[], Asking],
        fetch: Fetch,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._pool = pool
        self._routes = routes
        self._documents = documents
        self._asking = asking
        self._fetch = fetch
        self._clock = clock
        self.comparing = Comparing(documents)
        """Which relays are compared with."""
        self._branches = Branches(store, pool, fetch=fetch, clock=clock)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._at: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONE_RELAY)
        )

    async def relays(self, source: Source) -> tuple[str, ...]:
        """Return where a source is got from: as its owner said, else where it may be."""
        router = self._routes.reading(
            source.relays,
            source.hints,
            {},
            records=await off_loop(self._store.relay_records),
            most=_MOST_RELAYS,
            widen=not source.relays,
        )
        if source.kind is SourceKind.AUTHOR and not source.relays:
            found = await relay_lists(
                [source.value], self._routes.index, self._asking(), self._store, self._clock()
            )
            router.people(found)
        wanted = (each for each in router.choices if each.reason is not Reason.READS)
        return tuple(choice.relay for choice in wanted)

    async def relay(
        self, source: Source, url: str, progress: Told, *, anew: bool = False
    ) -> tuple[Sync, int]:
        """Get what is missing of a source from a relay; how it ended, how many events are new."""
        tally = _Tally(source, url, progress)
        async with self._at[url], self._places:
            progress(Progress(source, url))
            relay = self._pool.relay(url)
            await relay.reach()
            sync = await Syncing(
                source,
                relay,
                self._store,
                self._documents,
                self.comparing,
                now=self._time_at(url),
                anew=anew,
                told=tally.add,
            ).run()
        progress(Progress(source, url, tally.fresh, sync))
        return sync, tally.fresh

    def _time_at(self, url: str) -> int:
        """Return the time in unix seconds, or the relay's where ours is ahead of it.

        What is dated later may still come, and must not count as got.
        """
        skew = self._pool.clock_skews().get(url, 0.0)
        return self._clock() + (int(skew) if skew < -_CLOCKS_DIFFER else 0)

    async def thread(
        self, source: Source, relays: Sequence[str], progress: Told
    ) -> dict[str, tuple[Sync, int]]:
        """Fetch a thread; return the same for each relay that was asked."""
        async with self._places:
            ended = await fetch_source(
                source, self._fetch, self._store, relays=relays, now=self._clock()
            )
        for url, (sync, fresh) in ended.items():
            progress(Progress(source, url, fresh, sync))
        return ended

    async def branches(
        self, source: Source, relays: Sequence[str], progress: Told, *, anew: bool = False
    ) -> int:
        """Fetch what has moved of the threads under an author's notes; how many events are new."""
        tally = _Tally(source, "", progress)
        await self._branches.run(source, relays, anew=anew, told=tally.add)
        return tally.fresh


class _Tally:
    """Adds up what is new from one relay, and tells of it."""

    def __init__(self, source: Source, url: str, progress: Told) -> None:
        self.fresh = 0
        self._source = source
        self._url = url
        self._progress = progress

    def add(self, count: int) -> None:
        self.fresh += count
        self._progress(Progress(self._source, self._url, self.fresh))
