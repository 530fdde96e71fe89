"""Several connections to one store, each read by one thread at a time.

Knows who has which, and how long a question may take. Knows nothing of what is asked.
"""

from __future__ import annotations

from contextlib import contextmanager
from queue import LifoQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.store.base import Store

__all__ = ["Readers"]


class Readers:
    """Lends `stores`, which are all of the same place, to threads that read."""

    def __init__(self, stores: Sequence[Store]) -> None:
        # The one that came back last has most of what is read again and again in its memory.
        self._idle: LifoQueue[Store] = LifoQueue()
        for store in stores:
            self._idle.put(store)

    @contextmanager
    def borrowed(self, seconds: float) -> Iterator[Store]:
        """Give a store to the block, which may ask it for so long; then it raises `TooCostly`."""
        store = self._idle.get()
        try:
            with store.within(seconds):
                yield store
        finally:
            self._idle.put(store)
