"""Many processes on any number of machines that keep the sources of one PostgreSQL store.

Knows the jobs: one for each source and relay, deferred when it is due, one at a time, tried again
later when it failed, and taken over when its worker died; and every hour one that obeys the policy
about what is over. Queue, locks and heartbeats are those of
procrastinate. What a job does is `visiting`'s.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.core.coverage import Finish
from nostr_threads.core.sources import SourceKind
from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from procrastinate import App
    from procrastinate.tasks import Task

    from nostr_threads.app.visiting import Told, Visits
    from nostr_threads.core.sources import Source
    from nostr_threads.store.sql import SqlStore

__all__ = ["Fleet", "Manned", "manned", "queue_at"]

Pair: TypeAlias = tuple[str, str]
"""A job: a source's name, and a relay's URL, "" for threads."""

_SYNC, _PLAN, _RESCUE, _TIDY = "sync", "plan", "rescue", "tidy"
_EVERY_MINUTE, _EVERY_HOUR = "* * * * *", "0 * * * *"
# A job that failed is tried again after 5, 17, 65 and 257 seconds; then it waits for its next turn.
_TRIES, _PAUSE, _GROWTH = 5, 1, 4
_GOT = (Finish.COMPLETE, Finish.LIMITED)
_WORKERS = "SELECT id FROM procrastinate_workers"


class _NotGotYet(Exception):
    """A relay failed: the job is tried again later."""


@dataclass(frozen=True, slots=True)
class Manned:
    """How a fleet stands: how many workers, what is at work, what waits, what has failed last."""

    workers: int
    working: tuple[Pair, ...]
    waiting: tuple[Pair, ...]
    failed: tuple[Pair, ...]


@asynccontextmanager
async def queue_at(url: str) -> AsyncIterator[App]:
    """Open the queue in the PostgreSQL database at `url`; it is made if it is not there.

    Raises `StoreError`.
    """
    try:
        import procrastinate
    except ImportError:
        raise StoreError(
            "a fleet of workers needs an extra: pip install 'nostr-threads[postgres]'"
        ) from None
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    try:
        async with app.open_async():
            if not await app.check_connection_async():
                # Another worker may be making it at this moment.
                with suppress(procrastinate.exceptions.ConnectorException):
                    await app.schema_manager.apply_schema_async()
            yield app
    except procrastinate.exceptions.ConnectorException as error:
        raise StoreError(f"the queue in the database cannot be used: {error}") from None


async def manned(app: App) -> Manned:
    """Return how the fleet stands."""
    workers = await app.connector.execute_query_all_async(_WORKERS)
    pairs = {}
    for status in ("doing", "todo", "failed"):
        jobs = await app.job_manager.list_jobs_async(task=_SYNC, status=status)
        named = ((str(each.task_kwargs["source"]), str(each.task_kwargs["relay"])) for each in jobs)
        pairs[status] = tuple(dict.fromkeys(named))
    return Manned(len(workers), pairs["doing"], pairs["todo"], pairs["failed"])


class Fleet:
    """One worker of the fleet. Every source is looked at again after `every` seconds.

    A worker that was not heard of for `dead` seconds has died: what it was at is taken over.
    `clock` gives unix seconds.
    """

    def __init__(
        self,
        app: App,
        store: SqlStore,
        visits: Visits,
        *,
        every: int,
        dead: float,
        clock: Callable[[], int],
        progress: Told = lambda _: None,
    ) -> None:
        self._app = app
        self._store = store
        self._visits = visits
        self._every = every
        self._dead = dead
        # Seconds from one look for the dead to the next.
        self._look_out = max(1, min(30, int(dead / 3)))
        self._clock = clock
        self._progress = progress
        self._sync = self._tasks()

    async def work(self, *, at_once: int = 4, for_ever: bool = True) -> None:
        """Do what is due, `at_once` jobs at a time; without `for_ever` until nothing waits.

        Where that is the policy of the store, what is over is removed every hour, or at the end.
        SIGINT and SIGTERM end it once what is at work is done.
        """
        await self.rescue()
        await self.plan()
        await self._app.run_worker_async(
            concurrency=at_once,
            wait=for_ever,
            delete_jobs="successful",
            update_heartbeat_interval=self._dead / 3,
            stalled_worker_timeout=self._dead,
            fetch_job_polling_interval=min(5.0, self._dead / 3),
        )
        if not for_ever:
            await self.tidy()

    async def plan(self) -> None:
        """Defer a job for each source and relay that is due, unless one waits already."""
        from procrastinate.exceptions import AlreadyEnqueued

        busy = (await manned(self._app)).working
        for source in await off_loop(self._store.sources.all):
            relays = await self._visits.relays(source)
            for relay in await off_loop(self._due, source, relays):
                name = f"{source.name} {relay}"
                if (source.name, relay) in busy:
                    continue
                with suppress(AlreadyEnqueued):
                    await self._sync.configure(lock=name, queueing_lock=name).defer_async(
                        source=source.name, relay=relay
                    )

    async def rescue(self) -> None:
        """Have others do what workers were at that have died."""
        from procrastinate.exceptions import ConnectorException
        from procrastinate.jobs import Status

        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._dead):
            try:
                await manager.retry_job(job)
            except ConnectorException:
                # The same job waits already: this one only stands in its way.
                await manager.finish_job(job, status=Status.FAILED, delete_job=True)

    async def tidy(self) -> None:
        """Remove for good what was deleted or has expired, where that is the policy."""
        await to_its_end(off_loop(self._store.upkeep.tidy, now=self._clock()))

    def _due(self, source: Source, relays: tuple[str, ...]) -> list[str]:
        """Return the relays of which it is time to ask a source again, "" for its threads."""
        syncs = self._store.sources.syncs(source.name)
        before = self._clock() - self._every
        if source.kind is SourceKind.THREAD:
            ended = min((sync.ended_at for sync in syncs.values()), default=0)
            return [""] if ended <= before else []
        due = [url for url in relays if url not in syncs or syncs[url].ended_at <= before]
        if source.replies:
            branches = self._store.sources.branches(source.name)
            fetched = min((each.fetched_at for each in branches.values()), default=0)
            due += [""] if fetched <= before else []
        return due

    def _is_done(self, name: str, relay: str) -> bool:
        """Whether a relay gave what it has of a source, and it is not time to ask again."""
        sync = self._store.sources.syncs(name).get(relay)
        before = self._clock() - self._every
        return sync is not None and sync.finish in _GOT and sync.ended_at > before

    def _tasks(self) -> Task[[str, str], Any, [str, str]]:
        """Tell the queue what can be done."""
        from procrastinate import RetryStrategy

        retry = RetryStrategy(max_attempts=_TRIES, wait=_PAUSE, exponential_wait=_GROWTH)

        @self._app.task(name=_SYNC, retry=retry)
        async def sync(source: str, relay: str) -> None:
            await self._do(source, relay)

        @self._app.periodic(cron=_EVERY_MINUTE)
        @self._app.task(name=_PLAN, queueing_lock=_PLAN)
        async def plan(timestamp: int) -> None:  # noqa: ARG001 - told to all that is periodic
            await self.plan()

        @self._app.periodic(cron=f"{_EVERY_MINUTE} */{self._look_out}")
        @self._app.task(name=_RESCUE, queueing_lock=_RESCUE)
        async def rescue(timestamp: int) -> None:  # noqa: ARG001 - the same
            await self.rescue()

        @self._app.periodic(cron=_EVERY_HOUR)
        @self._app.task(name=_TIDY, queueing_lock=_TIDY)
        async def tidy(timestamp: int) -> None:  # noqa: ARG001 - the same
            await self.tidy()

        return sync

    async def _do(self, name: str, relay: str) -> None:
        """Look for what a source is missing; raise where it should be tried again soon."""
        sources = await off_loop(self._store.sources.all)
        source = next((each for each in sources if each.name == name), None)
        if source is None or await off_loop(self._is_done, name, relay):
            # It was removed meanwhile, or looked at while this waited for its turn.
            return
        if relay:
            sync, _ = await self._visits.relay(source, relay, self._progress)
            if sync.finish not in _GOT:
                raise _NotGotYet(sync.reason)
            return
        relays = await self._visits.relays(source)
        if source.replies:
            await self._visits.branches(source, relays, self._progress)
        else:
            await self._visits.thread(source, relays, self._progress)
