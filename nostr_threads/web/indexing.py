"""The index of words, brought up to date beside everything else.

Knows that it may take long: a great import, or another process that writes. Whoever searches waits
for a moment, and then has what is indexed by then.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from nostr_threads.store.sql import SqlStore

__all__ = ["Indexing"]

_log = logging.getLogger(__name__)

# Seconds that a search waits for the index.
_PATIENCE = 1.0


class Indexing:
    """Indexes `store`, one round at a time, in a thread of its own. An async context manager."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._round: asyncio.Future[None] | None = None
        self._is_over = False

    async def __call__(self) -> None:
        """Begin with what is not indexed yet, unless that is being done, and wait for a moment."""
        if self._round is None or self._round.done():
            loop = asyncio.get_running_loop()
            self._round = loop.run_in_executor(self._thread, self._index)
        await asyncio.wait([self._round], timeout=_PATIENCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True
        if self._round is not None:
            await asyncio.wait([self._round])
        self._thread.shutdown()

    def _index(self) -> None:
        try:
            while not self._is_over and self._store.index_words():
                pass
        except StoreError as error:
            _log.warning("the index of words is behind: %s", error)
