"""The viewer as a browser shows it, in light and in dark.

Knows how a page is opened and photographed. What it shows is `world`'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.async_api import async_playwright

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.web.opening import open_viewer
from pictures.world import LATEST, NOW, QUESTION_ID, SEEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["PIXELS", "SCHEMES", "photographed"]

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZE = (800, 1500)
"""Width and height of what is seen, in CSS pixels."""
SCALE = 0.95
PIXELS = (760, 1425)
"""Width and height of the picture: `SIZE` at `SCALE`."""

_DEBIANS = Path("/usr/bin/chromium")
_CHROMIUM = _DEBIANS if _DEBIANS.exists() else None


async def photographed(folder: Path) -> AsyncIterator[tuple[Scheme, bytes]]:
    """Yield each scheme and its picture (PNG). The store that is shown is made in `folder`.

    Debian's Chromium is driven where it is installed, else the one that playwright brings. The
    letters are those of the machine; those of the repository are Inter and Noto Color Emoji.
    """
    path = folder / "threads.db"
    with SqliteStore(path) as store:
        for relay, events in SEEN.items():
            store.add(events, relay=relay, now=NOW)
        store.looked(store.arrivals())
        store.add([LATEST], relay=next(iter(SEEN)), now=NOW)
    async with nt.open(path, nt.Config(), clock=lambda: NOW) as nostr:
        with SqliteStore(path, read_only=True) as reading:
            async with open_viewer(nostr, reading, clock=lambda: NOW) as address:
                url = f"{address.url}t/{nip19.encode(nip19.Note(QUESTION_ID))}"
                for scheme in SCHEMES:
                    yield scheme, await _picture(url, scheme)


async def _picture(url: str, scheme: Scheme) -> bytes:
    width, height = SIZE
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(
            viewport={"width": width, "height": height},
            device_scale_factor=SCALE,
            color_scheme=scheme,
        )
        await page.goto(url)
        picture = await page.screenshot()
        await browser.close()
        return picture
