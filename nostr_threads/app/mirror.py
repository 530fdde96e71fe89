"""The mirror: sources that are kept whole here, each from the relays that may have it.

Knows what is done once and what again and again, and that one relay which fails holds no other up.
One look at what is missing is `visiting`'s, how a source is followed live `tailing`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.pushing import Pushing
from nostr_threads.app.syncing import keep
from nostr_threads.app.tailing import Tail
from nostr_threads.app.visiting import Progress, Visits
from nostr_threads.core.coverage import Finish
from nostr_threads.core.sources import SourceKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.app.documents import Documents
    from nostr_threads.app.fetch import Fetch
    from nostr_threads.app.pushing import Pushed
    from nostr_threads.app.routes import Routes
    from nostr_threads.app.visiting import Told
    from nostr_threads.core.event import Verified
    from nostr_threads.core.sources import Source
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.sources import Branch, Sync
    from nostr_threads.store.sql import SqlStore

__all__ = ["Mirror", "Progress", "Result"]

# Seconds until what does not come by itself is looked for again.
_NEXT_FETCH = 600
# Seconds until what is over is removed again.
_NEXT_PURGE = 3_600


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
    """Brings sources up to date. `fetch` fetches a thread; `clock` gives unix seconds.

    Every method raises `StoreError`.
    """

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
        self._clock = clock
        self.visits = Visits(
            store, pool, routes, documents, asking=asking, fetch=fetch, clock=clock
        )
        """One look at a time: what a worker of a fleet does."""

    async def add(self, source: Source) -> bool:
        """Keep something whole from now on; whether it is new. `run` gets it."""
        return await off_loop(self._store.sources.put, source, now=self._clock())

    async def sources(self) -> tuple[Source, ...]:
        """Return what is kept whole, in the order in which it was added."""
        return await off_loop(self._store.sources.all)

    async def remove(self, source: Source) -> bool:
        """Keep something up to date no more; whether it was. Its events stay."""
        return await off_loop(self._store.sources.remove, source.name)

    async def run(
        self,
        sources: Sequence[Source] | None = None,
        *,
        anew: bool = False,
        progress: Told = lambda _: None,
    ) -> list[Result]:
        """Get what is missing of `sources`, all at once; return what became of each, in order.

        Without any, all that were added are meant. `anew` asks for everything again, also for what
        was got before: events come late to relays. Where that is the policy of the store, what was
        deleted or has expired is removed for good at the end; see `Upkeep.tidy`.
        """
        wanted = await self.sources() if sources is None else sources
        with ungrouped():
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._run(source, anew, progress)) for source in wanted
                ]
        await self._tidy()
        return [task.result() for task in running]

    async def follow(
        self,
        sources: Sequence[Source] | None = None,
        *,
        progress: Told = lambda _: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Bring `sources` up to date and keep them so, until cancelled; `pause` waits for so long.

        What relays send is kept as it comes. Threads are fetched again every ten minutes, and what
        is searched for is asked for again. Where that is the policy of the store, what is over is
        removed every hour, and at the end where all sources are of the past.
        """
        wanted = await self.sources() if sources is None else sources
        with ungrouped():
            async with asyncio.TaskGroup() as tasks:
                tidying = tasks.create_task(self._tidy_up(pause))
                async with asyncio.TaskGroup() as followed:
                    for source in wanted:
                        followed.create_task(self._follow(source, progress, pause))
                tidying.cancel()
        await self._tidy()

    async def push(
        self,
        source: Source,
        url: str,
        *,
        own: str | None = None,
        told: Callable[[Pushed], None] = lambda _: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Pushed:
        """Bring to the relay `url` what it has not of a source; see `Pushing`.

        `pause` waits for so many seconds, where the relay wants it slower.
        What is hidden here is not passed on, nor what only its author may send (NIP-70), unless
        that is `own`. Raises `InvalidRelayUrl`.
        """
        (target,) = self._routes.name([url])
        with ungrouped():
            return await Pushing(
                source,
                self._pool.relay(target),
                self._store,
                self._documents,
                self.visits.comparing,
                now=self._clock(),
                own=own,
                told=told,
                sleep=pause,
            ).run()

    async def _tidy_up(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Obey the policy again and again: others may change it meanwhile."""
        while True:
            await pause(_NEXT_PURGE)
            await self._tidy()

    async def _tidy(self) -> None:
        await to_its_end(off_loop(self._store.upkeep.tidy, now=self._clock()))

    # Once

    async def _run(self, source: Source, anew: bool, progress: Told) -> Result:
        relays = await self.visits.relays(source)
        if source.kind is SourceKind.THREAD:
            ended = await self.visits.thread(source, relays, progress)
        else:
            async with asyncio.TaskGroup() as tasks:
                running = {
                    url: tasks.create_task(self.visits.relay(source, url, progress, anew=anew))
                    for url in relays
                }
            ended = {url: task.result() for url, task in running.items()}
        syncs = {url: sync for url, (sync, _) in ended.items()}
        fresh = sum(count for _, count in ended.values())
        if not source.replies:
            return Result(source, syncs, fresh)
        fresh += await self.visits.branches(source, relays, progress, anew=anew)
        branches = await off_loop(self._store.sources.branches, source.name)
        return Result(source, syncs, fresh, branches)

    # For ever

    async def _follow(
        self, source: Source, progress: Told, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        relays, wanted = await self.visits.relays(source), source.filter
        if source.replies:
            # Which threads are meant is known once the notes are here.
            await self._run(source, anew=False, progress=progress)
        if wanted is not None and (wanted.until or self._clock()) < self._clock():
            # Nothing more comes in of what is over.
            await self._run(source, anew=False, progress=progress)
            return
        if wanted is None or wanted.search is not None:
            # What belongs to a thread is told by no filter, and not every relay searches live.
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
        """Look again and again for what does not come by itself."""
        while True:
            if source.replies:
                await self.visits.branches(source, relays, progress)
            elif source.kind is SourceKind.THREAD:
                await self.visits.thread(source, relays, progress)
            else:
                await asyncio.gather(*(self.visits.relay(source, url, progress) for url in relays))
            await pause(_NEXT_FETCH)

    async def _sync(self, source: Source, url: str, progress: Told) -> Sync:
        sync, _ = await self.visits.relay(source, url, progress)
        return sync

    def _kept(
        self,
        source: Source,
        url: str,
        progress: Told,
        events: Sequence[Verified],
    ) -> None:
        fresh = keep(self._store, source, url, events, None, now=self._clock())
        if fresh:
            progress(Progress(source, url, fresh))
