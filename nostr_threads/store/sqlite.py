"""The embedded store: one SQLite file.

Knows how it is opened. What is done with it is known in `sql`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store.database import CACHE_MIB, SqliteDatabase
from nostr_threads.store.sql import SqlStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SqliteStore"]


class SqliteStore(SqlStore):
    """Implements `Store` and `Outbox` over the SQLite file at `path`, made when it is not there.

    ":memory:" is a store of its own that ends with `close`. `read_only` opens an existing file and
    refuses every write. Threads may share one store: calls wait for each other. Processes may share
    a file: readers never wait, writers wait for at most ten seconds. `cache_mib` bounds the memory
    for what is read and not yet written. Raises `StoreError` here and from every method;
    `StoreTooNew` for a file that a later version of this program has written.
    """

    def __init__(
        self, path: Path | str, *, read_only: bool = False, cache_mib: int = CACHE_MIB
    ) -> None:
        database = SqliteDatabase(path, read_only=read_only, cache_mib=cache_mib)
        super().__init__(database, read_only=read_only)
