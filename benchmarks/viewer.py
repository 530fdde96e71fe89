"""A thread of 10,000 notes in the viewer: its first page, a later one, and in a browser.

Against reading the same thread from the store, which no page can do without. The browser's figure
is from the request until the page is there and its scripts have run.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from playwright.async_api import async_playwright

from benchmarks.events import crowd
from benchmarks.timing import ratio, table
from nostr_threads.app.config import Config
from nostr_threads.app.fetch import load_thread
from nostr_threads.app.opening import open as open_nostr
from nostr_threads.core import nip19
from nostr_threads.core.references import pointer_to
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Author
from nostr_threads.web.opening import open_viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Page

    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

ROUNDS = 5

_NOTES = 10_000
_RELAY = "wss://relay.example"
_CHROMIUM = Path("/usr/bin/chromium")
_BROWSER = _CHROMIUM if _CHROMIUM.exists() else None
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def run(rounds: int) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder) / "threads.db", rounds))


async def _measure(path: Path, rounds: int) -> None:
    events = crowd(_NOTES)
    async with AsyncExitStack() as opened:
        nostr = await opened.enter_async_context(open_nostr(path, Config()))
        nostr.store.add(events, relay=_RELAY, now=int(time.time()))
        reading = opened.enter_context(SqliteStore(path, read_only=True))
        address = await opened.enter_async_context(
            open_viewer(nostr, reading, clock=lambda: int(time.time()))
        )
        client = await opened.enter_async_context(
            httpx.AsyncClient(base_url=address.url, timeout=60)
        )
        playwright = await opened.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=_BROWSER, args=_FLAGS)
        opened.push_async_callback(browser.close)
        await _rounds(rounds, events, nostr.store, client, await browser.new_page())


async def _rounds(
    rounds: int,
    events: Sequence[Verified],
    store: SqlStore,
    client: httpx.AsyncClient,
    page: Page,
) -> None:
    root = events[0]
    place = f"/t/{nip19.encode(nip19.Note(root.id))}"
    names = ("read from the store", "its first page", "its page 50", "its first page in a browser")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        seconds[names[0]].append(_read(store, root))
        # Something new in the store: whatever was read before is read again.
        fresh = Author(number).reaction(root, created_at=root.created_at + number)
        store.add([fresh], relay=_RELAY, now=int(time.time()))
        seconds[names[1]].append(await _asked(client, place))
        seconds[names[2]].append(await _asked(client, f"{place}?page=50"))
        store.add([Author(-number - 1).reaction(root)], relay=_RELAY, now=int(time.time()))
        began = time.perf_counter()
        await page.goto(f"{client.base_url}{place[1:]}", wait_until="load")
        seconds[names[3]].append(time.perf_counter() - began)
    table(seconds, unit="ms")
    ratio("first page / reading", seconds[names[1]], seconds[names[0]], "at most 1.5")
    one = [1.0] * rounds
    ratio("first page in a browser, in seconds", seconds[names[3]], one, "at most 1")


def _read(store: SqlStore, root: Verified) -> float:
    began = time.perf_counter()
    found = load_thread(pointer_to(root.id), store=store, now=int(time.time()))
    assert found.thread.found == _NOTES
    return time.perf_counter() - began


async def _asked(client: httpx.AsyncClient, place: str) -> float:
    began = time.perf_counter()
    answer = await client.get(place)
    assert answer.status_code == 200
    return time.perf_counter() - began
