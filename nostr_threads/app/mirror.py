"""The mirror: sources that are kept whole here, each from the relays that may have it.

Knows which relays are asked for what, and that one which fails holds no other up. How one source is
got from one relay is `syncing`'s, how it is followed `tailing`'s.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.branches import Branches
from nostr_threads.app.destinations import relay_lists
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.pushing import Pushing
from nostr_threads.app.syncing import Syncing, keep
from nostr_threads.app.tailing import Tail
from nostr_threads.app.thread_source import fetch_source
from nostr_threads.core.coverage import Finish
from nostr_threads.core.routing import Reason
from nostr_threads.core.sources import SourceKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.app.documents import Documents
    from nostr_threads.app.fetch import Fetch
    from nostr_threads.app.pushing import Pushed
    from nostr_threads.app.routes import Routes
    from nostr_threads.core.event import Verified
    from nostr_threads.core.sources import Source
    from nostr_threads.core.windows import Span
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.sources import Branch, Sync
    from nostr_threads.store.sqlite import SqliteStore

__all__ = ["Mirror", "Progress", "Result"]

# Pairs of a source and a relay that are at work at once.
_AT_ONCE = 8
# Of them at one relay, which may compare only a few at once.
_AT_ONE_RELAY = 2
# Relays of one source, at most; beside those that were chosen by hand.
_MOST_RELAYS = 12
# Seconds until threads are fetched again.
_NEXT_FETCH = 600


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


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one source: how it ended at each relay, and how many events are new.

    `branches` are the threads under an author's notes, by their roots, where they are wanted.
    """

    source: Source
    syncs: Mapping[str, Sync]
    fresh: int
    branches: Mapping[str, Branch] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every relay gave everything it has."""
        finishes = {sync.finish for sync in self.syncs.values()}
        return finishes == {Finish.COMPLETE} and all(b.whole for b in self.branches.values())


class Mirror:
    """Brings sources up to date. `fetch` fetches a thread; `clock` gives unix seconds."""

    def __init__(
        self,
        store: SqliteStore,
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
        self._branches = Branches(store, pool, fetch=fetch, clock=clock)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._at: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONE_RELAY)
        )

    async def run(
        self, sources: Sequence[Source], *, anew: bool = False, progress: Told = lambda _: None
    ) -> list[Result]:
        """Get what is missing of `sources`, all at once; return what became of each, in order.

        `anew` asks for everything again, also for what was got before: events come late to relays.
        Raises `StoreError`.
        """
        with ungrouped():
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._source(source, anew, progress)) for source in sources
                ]
        return [task.result() for task in running]

    async def follow(
        self,
        sources: Sequence[Source],
        *,
        progress: Told = lambda _: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Bring `sources` up to date and keep them so, until cancelled; `pause` waits for so long.

        What relays send is kept as it comes. Threads are fetched again every ten minutes. Raises
        `StoreError`.
        """
        with ungrouped():
            async with asyncio.TaskGroup() as tasks:
                for source in sources:
                    tasks.create_task(self._follow(source, progress, pause))

    async def push(
        self,
        source: Source,
        url: str,
        *,
        own: str | None = None,
        told: Callable[[Pushed], None] = lambda _: None,
    ) -> Pushed:
        """Bring to the relay `url` what it has not of a source; see `Pushing`.

        What is hidden here is not passed on, nor what only its author may send (NIP-70), unless
        that is `own`. Raises `InvalidRelayUrl`, `StoreError`.
        """
        (target,) = self._routes.name([url])
        with ungrouped():
            return await Pushing(
                source,
                self._pool.relay(target),
                self._store,
                self._documents,
                now=self._clock(),
                own=own,
                told=told,
            ).run()

    # Once

    async def _source(self, source: Source, anew: bool, progress: Told) -> Result:
        relays = await self._relays(source)
        if source.kind is SourceKind.THREAD:
            ended = await self._thread(source, relays, progress)
        else:
            async with asyncio.TaskGroup() as tasks:
                running = {
                    url: tasks.create_task(self._from(source, url, anew, progress))
                    for url in relays
                }
            ended = {url: task.result() for url, task in running.items()}
        syncs = {url: sync for url, (sync, _) in ended.items()}
        fresh = sum(count for _, count in ended.values())
        if not source.replies:
            return Result(source, syncs, fresh)
        fresh += await self._grow(source, relays, anew, progress)
        branches = await off_loop(self._store.sources.branches, source.name)
        return Result(source, syncs, fresh, branches)

    async def _from(self, source: Source, url: str, anew: bool, progress: Told) -> tuple[Sync, int]:
        tally = _Tally(source, url, progress)
        async with self._at[url], self._places:
            progress(Progress(source, url))
            sync = await Syncing(
                source,
                self._pool.relay(url),
                self._store,
                self._documents,
                now=self._clock(),
                anew=anew,
                told=tally.add,
            ).run()
        progress(Progress(source, url, tally.fresh, sync))
        return sync, tally.fresh

    async def _thread(
        self, source: Source, relays: Sequence[str], progress: Told
    ) -> dict[str, tuple[Sync, int]]:
        async with self._places:
            ended = await fetch_source(
                source, self._fetch, self._store, relays=relays, now=self._clock()
            )
        for url, (sync, fresh) in ended.items():
            progress(Progress(source, url, fresh, sync))
        return ended

    async def _grow(self, source: Source, relays: Sequence[str], anew: bool, progress: Told) -> int:
        tally = _Tally(source, "", progress)
        await self._branches.run(source, relays, anew=anew, told=tally.add)
        return tally.fresh

    # For ever

    async def _follow(
        self, source: Source, progress: Told, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        relays, wanted = await self._relays(source), source.filter
        if wanted is None:
            await self._again(source, relays, progress, pause)
            return
        async with asyncio.TaskGroup() as tasks:
            if source.replies:
                tasks.create_task(self._again(source, relays, progress, pause))
            for url in relays:
                tail = Tail(
                    wanted,
                    self._pool.relay(url),
                    sync=partial(self._sync, source, url, progress),
                    keep=partial(self._kept, source, url, progress),
                    clock=self._clock,
                    pause=pause,
                )
                tasks.create_task(tail.run())

    async def _again(
        self,
        source: Source,
        relays: Sequence[str],
        progress: Told,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        """Fetch threads again and again: what belongs to one is not told by any filter."""
        while True:
            if source.replies:
                await self._grow(source, relays, anew=False, progress=progress)
            else:
                await self._thread(source, relays, progress)
            await pause(_NEXT_FETCH)

    async def _sync(self, source: Source, url: str, progress: Told) -> Sync:
        sync, _ = await self._from(source, url, anew=False, progress=progress)
        return sync

    def _kept(
        self,
        source: Source,
        url: str,
        progress: Told,
        events: Sequence[Verified],
        span: Span | None,
    ) -> None:
        fresh = keep(self._store, source, url, events, span, now=self._clock())
        if fresh:
            progress(Progress(source, url, fresh))

    # Relays

    async def _relays(self, source: Source) -> tuple[str, ...]:
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
