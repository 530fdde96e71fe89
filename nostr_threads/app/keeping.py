"""What a fetch brings, stored while the next is on its way.

Knows what was kept already. Knows nothing of where events come from.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store

__all__ = ["Keeper"]


class Keeper:
    """Stores events at `now` (unix seconds), in another thread, once for each relay that had them.

    `run` stores while more comes; `finish` is for what it had no time for.
    """

    def __init__(self, store: Store, now: int) -> None:
        self.kept: defaultdict[str, set[str]] = defaultdict(set)
        """The ids of what each relay gave."""
        self._store = store
        self._now = now
        self._waiting: defaultdict[str, dict[str, Verified]] = defaultdict(dict)
        self._came = asyncio.Event()
        self._closed = False
        self._begun: list[asyncio.Future[None]] = []

    def put(self, relay: str, events: Iterable[Verified]) -> None:
        """Take what `relay` gave."""
        kept = self.kept[relay]
        fresh = {event.id: event for event in events if event.id not in kept}
        if fresh:
            kept.update(fresh)
            self._waiting[relay].update(fresh)
            self._came.set()

    async def run(self) -> None:
        """Store what comes, until it is closed and all is stored. Raises `StoreError`."""
        while not self._closed or self._waiting:
            await self._came.wait()
            self._came.clear()
            await self.finish()

    def close(self) -> None:
        """Say that nothing more comes."""
        self._closed = True
        self._came.set()

    async def finish(self) -> None:
        """Store what waits, after what is being stored. Raises `StoreError`."""
        waiting, self._waiting = self._waiting, defaultdict(dict)
        # Whoever is cancelled stops waiting, and what it began goes on: it is waited for here.
        self._begun.append(off_loop(self._write, waiting))
        while self._begun:
            await asyncio.shield(self._begun[0])
            del self._begun[0]

    def _write(self, waiting: Mapping[str, Mapping[str, Verified]]) -> None:
        for relay, events in waiting.items():
            self._store.add(events.values(), relay=relay, now=self._now)
