"""The words of a store kept indexed for those who may only read it.

Knows when there is something to index. How that is done is the store's to know.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from nostr_threads.errors import StoreError

__all__ = ["Indexer"]

_log = logging.getLogger(__name__)


class _Writer(Protocol):
    def index_words(self) -> bool:
        """Index some of what is not; whether there is more."""
        ...


class Indexer:
    """Indexes what is new with `index_words` of a store that can be written, every `seconds`."""

    def __init__(self, store: _Writer, *, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._is_ready = False
        self._has_failed = False

    @property
    def is_ready(self) -> bool:
        """Whether what was stored when it began can be found by its words."""
        return self._is_ready

    async def run(self) -> None:
        """Go on until cancelled. Others write meanwhile: what is indexed at once is little."""
        while True:
            try:
                while await asyncio.to_thread(self._store.index_words):
                    pass
            except StoreError as error:
                self._complain(error)
            else:
                self._has_failed = False
                self._is_ready = True
            await asyncio.sleep(self._seconds)  # what is stored meanwhile is indexed together

    def _complain(self, error: StoreError) -> None:
        """Say it once: another writer may be at work for hours."""
        if not self._has_failed:
            _log.warning("what is new cannot be indexed for searches: %s", error)
        self._has_failed = True
