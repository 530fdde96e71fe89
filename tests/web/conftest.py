"""A browser for the tests of a module, and a page of it that tells all it asks for."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.npm import installed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, ConsoleMessage, Page

    from tests.web.viewers import Viewing

DEBIANS = Path("/usr/bin/chromium")
PLACE = DEBIANS if DEBIANS.exists() else None
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
MILLISECONDS = 60_000

expect.set_options(timeout=MILLISECONDS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium where it is installed, else the one that playwright brings."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=PLACE, args=QUIET)
        yield started
        await started.close()


@dataclass
class Tab:
    """A page of a browser: what it asked for, and what went wrong in it."""

    page: Page
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def strangers(self) -> list[str]:
        """The hosts of others that it asked for something."""
        hosts = [urlsplit(url).hostname for url in self.asked if not url.startswith("data:")]
        return [host or "" for host in hosts if host != "127.0.0.1"]

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)


@asynccontextmanager
async def tab(browser: Browser, viewer: Viewing, **options: Any) -> AsyncIterator[Tab]:
    """Open a page of one's own. At the end nothing may have gone wrong in it."""
    context = await browser.new_context(base_url=viewer.address.url, **options)
    try:
        page = await context.new_page()
        page.set_default_timeout(MILLISECONDS)
        opened = Tab(page)
        context.on("request", lambda request: opened.asked.append(request.url))
        context.on("weberror", lambda error: opened.faults.append(str(error.error)))
        page.on("console", opened.hear)
        yield opened
        assert opened.faults == []
    finally:
        await context.close()


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> str:
    """The script of axe-core."""
    folder = installed(Path(__file__).parent / "axe", "axe-core", request)
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    return script.read_text(encoding="utf-8")
