"""1,000 parts signed, stored, and delivered to 5 relays, against nostr-sdk's client.

The relays are nostr-sdk's LocalRelay, new and empty for each job, in another process. Its client
sends the same signed events one after the other to all five and waits for the five OKs of each, as
a chain wants it. Ours does so too, and has kept all parts in an SQLite store on disk before the
first is sent, keeps what became of each at each relay, and reads all back at the end: all of that
is in its figure. `python -m benchmarks.publish` is the other process: it prints the relays' URLs
and runs until its input ends.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.timing import in_turn, ratio, table
from nostr_threads.app.publish import deliver, sign_all
from nostr_threads.core.compose import compose
from nostr_threads.core.join import Part
from nostr_threads.net.pool import Pool
from nostr_threads.signing.secret import secret_from_hex
from nostr_threads.signing.signer import KeySigner
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Author

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from nostr_threads.core.event import Draft, Verified

    _Sending = Callable[[tuple[Verified, ...], Sequence[str]], Coroutine[Any, Any, float]]

ROUNDS = 3
PARTS = 1_000
RELAYS = 5
_PATIENCE = timedelta(seconds=30)
_TEXT = "What follows is said at some length, as an answer of many parts is. " * 12


def run(rounds: int) -> None:
    """Measure, and print the tables."""
    author = Author(b"publish benchmark")
    signer = KeySigner(secret_from_hex(author.secret_hex()))
    drafts = _drafts(author.pubkey)
    events = asyncio.run(sign_all(drafts, signer))
    table(
        in_turn(
            {
                "signed, a part": lambda: _signing(drafts, signer),
                "stored, a part": lambda: _storing(events),
            },
            rounds,
        ),
        unit="us",
        per=PARTS,
    )
    seconds = in_turn(
        {
            "nostr-sdk's client": lambda: _with_relays(_theirs, events),
            "ours, stored and read back": lambda: _with_relays(_ours, events),
        },
        rounds,
    )
    table(seconds, unit="ms")
    theirs, ours = seconds.values()
    ratio("stored, delivered, read back / nostr-sdk", ours, theirs, "at most 1.2")


def _drafts(pubkey: str) -> list[Draft]:
    parts = [Part(index, PARTS, f"{_TEXT} ({index}/{PARTS})") for index in range(1, PARTS + 1)]
    return compose(parts, author=pubkey, created_at=int(time.time()) - PARTS)


def _signing(drafts: Sequence[Draft], signer: KeySigner) -> float:
    began = time.perf_counter()
    asyncio.run(sign_all(drafts, signer))
    return time.perf_counter() - began


def _storing(events: tuple[Verified, ...]) -> float:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "t.db") as store:
        began = time.perf_counter()
        store.enqueue(_posting(events, ["wss://relay.example"]))
        return time.perf_counter() - began


def _posting(events: tuple[Verified, ...], urls: Sequence[str]) -> Posting:
    return Posting(events, tuple(urls), len(urls), int(time.time()))


async def _ours(events: tuple[Verified, ...], urls: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "t.db") as store:
        async with Pool() as pool:
            # Theirs is connected before, too.
            await asyncio.gather(*(pool.relay(url).publish(events[0]) for url in urls))
            posting = _posting(events, urls)
            began = time.perf_counter()
            store.enqueue(posting)
            report = await deliver(posting, pool=pool, outbox=store, clock=lambda: int(time.time()))
            seconds = time.perf_counter() - began
    assert report.complete
    return seconds


async def _theirs(events: tuple[Verified, ...], urls: Sequence[str]) -> float:
    # It ships no types.
    sdk: Any = import_module("nostr_sdk")
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    client = sdk.ClientBuilder().build()
    for url in urls:
        await client.add_relay(sdk.RelayUrl.parse(url))
    await client.connect(_PATIENCE)
    given = [sdk.Event.from_json(event.to_json()) for event in events]
    await client.send_event(given[0])
    began = time.perf_counter()
    for event in given:
        sent = await client.send_event(event)
        assert len(sent.success) == len(urls)
    seconds = time.perf_counter() - began
    await client.shutdown()
    sdk.uniffi_set_event_loop(None)
    return seconds


# The relays


def _with_relays(job: _Sending, events: tuple[Verified, ...]) -> float:
    with _relays() as urls:
        return asyncio.run(job(events, urls))


@contextmanager
def _relays() -> Iterator[list[str]]:
    """Run empty relays in another process; their URLs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.publish"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        urls = process.stdout.readline().split()
        if len(urls) != RELAYS:
            raise SystemExit("the relays did not start")
        yield urls
    finally:
        process.communicate(timeout=30)


async def _serve() -> None:
    sdk: Any = import_module("nostr_sdk")
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    rate = sdk.RateLimit(max_reqs=100_000, notes_per_minute=1_000_000)
    relays = [sdk.LocalRelayBuilder().rate_limit(rate).build() for _ in range(RELAYS)]
    for relay in relays:
        await relay.run()
    print(*[str(await relay.url()).rstrip("/") for relay in relays], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for relay in relays:
        relay.shutdown()


if __name__ == "__main__":
    asyncio.run(_serve())
