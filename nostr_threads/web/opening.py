"""The viewer put together: a store to read, relays to send to, and a port of this machine.

Knows which parts it is made of. Knows nothing of the terminal it was started from.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.web.answering import Answering
from nostr_threads.web.articles import Articles
from nostr_threads.web.fetching import Fetching
from nostr_threads.web.indexing import Indexing
from nostr_threads.web.library import Library
from nostr_threads.web.live import Live
from nostr_threads.web.looking import Looking
from nostr_threads.web.people import People
from nostr_threads.web.records import Records
from nostr_threads.web.serving import HOST, bound, hosts_of, serving
from nostr_threads.web.threads import Threads
from nostr_threads.web.viewer import viewer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from nostr_threads.app.client import Nostr
    from nostr_threads.store.sql import SqlStore

__all__ = ["Address", "open_viewer"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a viewer is, and the token that what writes needs."""

    url: str
    token: str

    @property
    def secret(self) -> str:
        """The address that lets a browser write, too: what is behind `#` is sent to nobody."""
        return f"{self.url}#token={self.token}"


@asynccontextmanager
async def open_viewer(
    nostr: Nostr,
    reading: SqlStore,
    *,
    clock: Callable[[], int],
    port: int = 0,
    relays: Sequence[str] = (),
) -> AsyncIterator[Address]:
    """Serve the pages of `reading`, a store that was opened to be read, as long as the block runs.

    What is written in the browser goes through `nostr`, to `relays` or else where that writes. Port
    0 takes any free one. Raises `InvalidInput` where the port is taken.
    """
    indexing = Indexing(nostr.store)
    library = Library(reading, clock=clock, viewer=nostr.viewer, index=indexing)
    live, answering = Live(reading, clock), Answering(nostr, relays, clock=clock)
    pages = (Threads(library), Articles(library), People(library), Records(library))
    parts = (*pages, live, answering, Fetching(nostr, relays), Looking(nostr.store))
    token = secrets.token_urlsafe(24)
    with bound(port) as listening:
        taken = listening.getsockname()[1]
        routes = [route for part in parts for route in part.routes()]
        app = viewer(routes, hosts=hosts_of(taken), token=token)
        serves = serving(app, listening, closing=live.close)
        async with indexing, asyncio.TaskGroup() as tasks, serves:
            delivering = tasks.create_task(answering.run())
            try:
                yield Address(f"http://{HOST}:{taken}/", token)
            finally:
                delivering.cancel()
