"""A thread of 5,000 notes from a relay that holds 50,000 others, against nostr-sdk's client.

The relay is nostr-sdk's LocalRelay, in a process of its own, and gives 500 events at a time. Its
client asks for what names the root, page by page, and checks and keeps the events in memory. Ours
is measured three times: the same pages, verified; those kept in an SQLite store on disk, too; and
`nostr_threads.open(...).fetch`, which also asks for the root, for what answers each single note and
for reactions, and builds the tree. What the relay needs for those further questions is in that
figure, and is the most of it where the relay has no index of tags, as LocalRelay's memory has none:
so all is measured again at our own relay.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import nostr_threads
from benchmarks.events import THREAD_NOTES, thread_of
from benchmarks.relay import PAGE, running
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.app.keeping import Keeper
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.net.pool import Pool
from nostr_threads.store.sqlite import SqliteStore

ROUNDS = 3
_PATIENCE = timedelta(seconds=60)


def run(rounds: int) -> None:
    """Measure, and print the table."""
    root = thread_of(THREAD_NOTES)[0].id
    for kind in ("nostr-sdk", "ours"):
        with running(kind) as url, asyncio.Runner() as runner:
            seconds = in_turn(
                {
                    f"nostr-sdk's client at {kind}": lambda: runner.run(_theirs(url, root)),
                    "ours, the same pages": lambda: runner.run(_pages(url, root, stored=False)),
                    "ours, the same pages, stored": lambda: runner.run(_pages(url, root)),
                    "ours, the whole fetch": lambda: runner.run(_whole(url, root)),
                },
                rounds,
            )
        table(seconds, unit="ms")
        theirs, read, pages, whole = seconds.values()
        ratio("the same pages / nostr-sdk", read, theirs, "")
        ratio("the same pages, stored / nostr-sdk", pages, theirs, "at most 0.45")
        ratio("the whole fetch / nostr-sdk", whole, theirs, "")


async def _theirs(url: str, root: str) -> float:
    # It ships no types.
    sdk: Any = import_module("nostr_sdk")
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    client = sdk.ClientBuilder().build()
    await client.add_relay(sdk.RelayUrl.parse(url))
    await client.connect(_PATIENCE)
    began = time.perf_counter()
    found = await _their_pages(sdk, client, root)
    seconds = time.perf_counter() - began
    await client.shutdown()
    sdk.uniffi_set_event_loop(None)
    assert found == THREAD_NOTES - 1
    return seconds


async def _their_pages(sdk: Any, client: Any, root: str) -> int:
    wanted = sdk.Filter().kinds([sdk.Kind(1)]).event(sdk.EventId.parse(root)).limit(PAGE)
    asked = wanted
    seen: set[str] = set()
    while True:
        target = sdk.ReqTarget.auto([asked])
        page = await client.fetch_events(target, _PATIENCE)
        fresh = {event.id().to_hex() for event in page} - seen
        if not fresh:
            return len(seen)
        seen |= fresh
        oldest = min(event.created_at().as_secs() for event in page)
        asked = wanted.until(sdk.Timestamp.from_secs(oldest))


async def _pages(url: str, root: str, *, stored: bool = True) -> float:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "t.db") as store:
        async with Pool() as pool:
            relay, keeper = pool.relay(url), Keeper(store, int(time.time()))
            await relay.fetch(Filter(ids=(root,)))  # theirs is connected before, too
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                if stored:
                    # As `app.fetch` does: each page is stored while the next is on its way.
                    group.create_task(keeper.run())
                answer = await relay.fetch(
                    Filter(kinds=(1,), tags={"e": (root,)}), arrived=partial(keeper.put, url)
                )
                keeper.close()
            seconds = time.perf_counter() - began
        assert (answer.finish, len(answer.events)) == (Finish.COMPLETE, THREAD_NOTES - 1)
        assert len(keeper.kept[url]) == THREAD_NOTES - 1
    return seconds


async def _whole(url: str, root: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with nostr_threads.open(store=Path(folder) / "t.db") as nostr:
            began = time.perf_counter()
            found = await nostr.fetch(root, relays=[url])
            seconds = time.perf_counter() - began
    assert len(found.thread.events) == THREAD_NOTES
    return seconds
