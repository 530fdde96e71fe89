"""Which of 100,000 notes a relay and we do not share (1 %), against nostr-sdk's client (NIP-77).

The relay is nostr-sdk's LocalRelay, which compares no more than 50,000, then ours, in a process of
its own. Each client has its notes at hand, nostr-sdk's in a dictionary (its Python package comes
with no database that keeps events, so all of them are handed over for each sync), ours in an SQLite
store on disk. Measured is the time from the question to the ids, and to what is wanting, fetched
and verified. Bytes are counted between the client and the relay, in a run of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.events import sides
from benchmarks.relay import running
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.negentropy import Items
from nostr_threads.net.pool import Pool
from nostr_threads.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from benchmarks.timing import Job
    from nostr_threads.core.event import Verified

ROUNDS = 3
_PATIENCE = timedelta(seconds=60)
_TRIES = 5
_NOTES = Filter(kinds=(1,))
_COUNTS = {"nostr-sdk": 50_000, "ours": 100_000}


def run(rounds: int) -> None:
    """Measure, and print the tables."""
    for kind, count in _COUNTS.items():
        _measure(kind, count, rounds)


def _measure(kind: str, count: int, rounds: int) -> None:
    ours, _ = sides(count)
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteStore(Path(folder) / "ours.db") as store,
        running(kind, str(count)) as url,
        asyncio.Runner() as runner,
    ):
        store.add(ours, relay=None, now=int(time.time()))
        _compare(runner, url, kind, store, _shelf(ours), rounds)


def _compare(
    runner: asyncio.Runner, url: str, kind: str, store: SqliteStore, shelf: Any, rounds: int
) -> None:
    jobs: dict[str, Job] = {
        f"nostr-sdk's client at {kind}, ids": lambda: runner.run(_theirs(url, shelf)),
        "ours, ids": lambda: runner.run(_ours(url, store)),
        "ours, ids and events": lambda: runner.run(_ours(url, store, fetched=True)),
    }
    if kind == "ours":
        jobs["nostr-sdk's client, ids and events"] = lambda: _their_events(runner, url, shelf)
    seconds = in_turn(jobs, rounds)
    table(seconds, unit="ms")
    their_ids, ids, events, *their_events = seconds.values()
    ratio("ids / nostr-sdk", ids, their_ids, "at most 0.3")
    if their_events:
        ratio("ids and events / nostr-sdk", events, their_events[0], "at most 0.3")
    both = {
        "nostr-sdk's client": partial(_theirs, shelf=shelf),
        "ours": partial(_ours, store=store),
    }
    for name, job in both.items():
        up, down = runner.run(_bytes(url, job))
        print(f"  {name + ', ids: bytes up and down':48}{up:10,}{down:10,}")


def _their_events(runner: asyncio.Runner, url: str, shelf: Any) -> float:
    """Sync until all events came: it may stumble over its own subscription between two batches."""
    for _ in range(_TRIES):
        seconds = runner.run(_theirs(url, shelf, fetched=True))
        if seconds:
            return seconds
    raise SystemExit("nostr-sdk's client did not get the events")


async def _theirs(url: str, shelf: Any, *, fetched: bool = False) -> float:
    """Sync once; 0 seconds for a sync that brought less than there was."""
    sdk: Any = import_module("nostr_sdk")
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    before = dict(shelf.events)
    client = sdk.ClientBuilder().database(shelf).build()
    await client.add_relay(sdk.RelayUrl.parse(url))
    await client.connect(_PATIENCE)
    options = sdk.SyncOptions().direction(sdk.SyncDirection.DOWN)
    began = time.perf_counter()
    done = await client.sync(
        sdk.Filter().kind(sdk.Kind(1)), opts=options if fetched else options.dry_run()
    )
    seconds = time.perf_counter() - began
    await client.shutdown()
    sdk.uniffi_set_event_loop(None)
    wanted, got = len(before) // 199, len(shelf.events) - len(before)
    shelf.events = before
    if fetched:
        return seconds if got == wanted else 0.0
    assert (len(done.report.local), len(done.report.remote)) == (wanted, wanted)
    return seconds


async def _ours(url: str, store: SqliteStore, *, fetched: bool = False) -> float:
    async with Pool() as pool:
        relay = pool.relay(url)
        await relay.reach()  # theirs is connected before, too
        began = time.perf_counter()
        items = await asyncio.to_thread(_items, store)
        found = await relay.reconcile(_NOTES, items)
        if fetched:
            answer = await relay.fetch(Filter(ids=tuple(each.hex() for each in found.need)))
            assert len(answer.events) == len(found.need)
        seconds = time.perf_counter() - began
    assert found.finish is Finish.COMPLETE
    assert len(found.have) == len(found.need) == len(items) // 199
    return seconds


def _items(store: SqliteStore) -> Items:
    return Items(store.items([_NOTES], now=int(time.time())))


def _shelf(events: Sequence[Verified]) -> Any:
    """A database for nostr-sdk's client that does as little as may be."""
    from tests.peers.rust import Shelf

    sdk: Any = import_module("nostr_sdk")

    class Notes(Shelf):
        async def query(self, _: Any) -> list[Any]:
            return list(self.events.values())  # all of them are notes

    return Notes(sdk.Event.from_json(event.to_json()) for event in events)


# Bytes


async def _bytes(url: str, job: Any) -> tuple[int, int]:
    """Run a job once; how many bytes go to the relay and come back."""
    async with _counted(url) as (through, counts):
        await job(through)
    return counts["up"], counts["down"]


@asynccontextmanager
async def _counted(url: str) -> AsyncIterator[tuple[str, Counter[str]]]:
    counts: Counter[str] = Counter()
    target = urlsplit(url)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(target.hostname, target.port)
        ways = (("up", reader, far_writer), ("down", far_reader, writer))
        await asyncio.gather(*(_pass_on(*way, counts) for way in ways))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", counts


async def _pass_on(
    way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counts: Counter[str]
) -> None:
    while data := await reader.read(2**16):
        counts[way] += len(data)
        writer.write(data)
        await writer.drain()
    writer.close()
