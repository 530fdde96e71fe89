"""The store for many: one PostgreSQL database.

Knows how it is opened. What is done with it is known in `sql`. Imported when it is used: psycopg is
an extra.
"""

from __future__ import annotations

from nostr_threads.store.postgres_database import PostgresDatabase
from nostr_threads.store.sql import SqlStore

__all__ = ["PostgresStore"]


class PostgresStore(SqlStore):
    """Implements `Store` and `Outbox` over the PostgreSQL database of a `postgresql://` URL.

    Its tables are made where there are none. What the URL leaves open comes from the environment of
    libpq (PGHOST, PGPASSWORD, ~/.pgpass and so on). `read_only` refuses every write. Threads may
    share one store: calls wait for each other. Any number of processes may share a database:
    readers never wait, writers wait for at most ten seconds. Raises `StoreError` here and from
    every method; `StoreTooNew` for a database that a later version of this program has written.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        super().__init__(PostgresDatabase(url, read_only=read_only), read_only=read_only)
