"""A relay in a process of its own, full of events: `python -m benchmarks.relay KIND EVENTS`.

KIND is `nostr-sdk` for its LocalRelay, or `ours` for relayd; EVENTS are those of a `thread` among
others, or the relay's side of two that differ in so many. Prints its URL when it is full, and
runs until its input ends. Knows how to fill and start them, and how to be a context manager in the
process that measures: there it must not share the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect

from benchmarks.events import THREAD_NOTES, other_events, sides, thread_of
from nostr_threads.relayd.limits import Limits
from nostr_threads.relayd.server import RelayServer
from nostr_threads.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from nostr_threads.core.event import Verified

__all__ = ["PAGE", "running"]

PAGE = 500
"""Events that the relay gives at a time."""

# LocalRelay ends connections that publish much more than this.
_ON_A_CONNECTION = 2_500


@contextmanager
def running(kind: str, events: str = "thread") -> Iterator[str]:
    """Run a relay in another process; its URL."""
    command = [sys.executable, "-m", "benchmarks.relay", kind, events]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise SystemExit(f"the {kind} relay did not start")
        yield url
    finally:
        process.communicate(timeout=30)


async def _serve(kind: str, which: str) -> None:
    if which == "thread":
        events = [*other_events(), *thread_of(THREAD_NOTES)]
    else:
        events = sides(int(which))[1]
    relay = _local_relay(events) if kind == "nostr-sdk" else _relayd(events)
    async with relay as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def _relayd(events: Sequence[Verified]) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "relay.db") as store:
        store.add(events, relay=None, now=int(time.time()))
        async with RelayServer(store, limits=Limits(max_limit=PAGE)) as server:
            yield server.url


@asynccontextmanager
async def _local_relay(events: Sequence[Verified]) -> AsyncIterator[str]:
    # It ships no types.
    sdk: Any = import_module("nostr_sdk")
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    rate = sdk.RateLimit(max_reqs=100_000, notes_per_minute=1_000_000)
    relay = sdk.LocalRelayBuilder().rate_limit(rate).max_filter_limit(PAGE).build()
    await relay.run()
    try:
        url = str(await relay.url()).rstrip("/")
        for start in range(0, len(events), _ON_A_CONNECTION):
            await _publish(url, events[start : start + _ON_A_CONNECTION])
        yield url
    finally:
        relay.shutdown()


async def _publish(url: str, events: Sequence[Verified]) -> None:
    async with connect(url, compression=None) as socket:
        for event in events:
            await socket.send(f'["EVENT",{event.to_json()}]')
        for _ in events:
            answer = str(await socket.recv())
            if ",true," not in answer:
                raise SystemExit(f"the relay did not take an event: {answer}")


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
