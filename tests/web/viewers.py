"""A viewer on a real port, over a real store, and a client that asks it."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.web.opening import Address, open_viewer
from tests.app.worlds import NOW, opened
from tests.render.html.elements import Element, parsed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    import nostr_threads as nt
    from nostr_threads.testing import Author

__all__ = ["RELAY", "Viewing", "viewing"]

RELAY = "wss://seen.example"
SECONDS = 30.0


@dataclass(slots=True)
class Viewing:
    """One viewer: where it is, whose store it shows, and a client of it."""

    address: Address
    path: Path
    client: httpx.AsyncClient

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, **options)

    async def page(self, path: str) -> Element:
        """Ask as a browser does, and take the page apart."""
        answer = await self.client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert answer.status_code == 200, answer.text
        return parsed(answer.text.replace("<!doctype html>", ""))

    async def json(self, path: str) -> Any:
        answer = await self.client.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: object, *, token: str | None = None) -> httpx.Response:
        bearer = self.address.token if token is None else token
        return await self.client.post(
            path, json=body, headers={"Authorization": f"Bearer {bearer}"}
        )

    def store(self, *events: nt.Verified, relay: str | None = RELAY) -> None:
        """Put events into the store as another process would."""
        keep(self.path, *events, relay=relay)


def keep(path: Path, *events: nt.Verified, relay: str | None = RELAY) -> None:
    with SqliteStore(path) as store:
        store.add(events, relay=relay, now=NOW)


@asynccontextmanager
async def viewing(
    folder: Path,
    events: Iterable[nt.Verified] = (),
    *urls: str,
    viewer: Author | None = None,
    clock: Callable[[], int] = lambda: int(time.time()),
) -> AsyncIterator[Viewing]:
    """Serve a store that holds `events`; answers go to the relays `urls`."""
    path = folder / "threads.db"
    # Where they were seen an answer would go, too.
    keep(path, *events, relay=None if urls else RELAY)
    async with opened(path, *urls, viewer=viewer) as nostr:
        with SqliteStore(path, read_only=True) as reading:
            serving = open_viewer(nostr, reading, clock=clock)
            async with (
                serving as address,
                httpx.AsyncClient(
                    base_url=address.url,
                    follow_redirects=True,
                    timeout=SECONDS,
                    limits=httpx.Limits(max_connections=None),
                ) as client,
            ):
                yield Viewing(address, path, client)
