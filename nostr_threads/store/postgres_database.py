"""One PostgreSQL database: reached, locked, its transactions, and its errors in our words.

Knows servers and transactions. Knows nothing of events.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg

from nostr_threads.errors import StoreError, TooCostly
from nostr_threads.store import postgres_schema
from nostr_threads.store.postgres_connection import PostgresConnection
from nostr_threads.store.postgres_url import Address
from nostr_threads.store.postgres_values import adapt

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PostgresDatabase"]

_Session: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

# Every query here is led by an index, and most are run again and again, from before the server has
# counted anything: a plan that was made when a table was empty must do for a million rows, too.
# To start helpers for one, or a compiler, takes longer than it runs.
_SETTINGS = (
    "SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0; SET jit = off; "
    "SET lock_timeout = '{}s'"
)
_BUSY_SECONDS = 10
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_REFUSED = "BEGIN READ ONLY"
# Whatever is usual at this server: after the wait all that others wrote has to be seen.
_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = {}; "
    + postgres_schema.LOCK
)

_STOPPED = "57014"
_NOT_WRITTEN = "the database cannot be written; check the rights of its user"
_GONE = "the connection to the server was lost; check the server and try again"
# The beginning of PostgreSQL's code for an error, and what to tell the person whose store it is.
_ADVICE = (
    ("25006", _NOT_WRITTEN),
    ("42501", "its user lacks a right there; see docs/scale.md for what is needed"),
    ("3F000", "it has no schema for tables that its user may use; see docs/scale.md"),
    ("53100", "there is no room left on the server's disk; make room and try again"),
    ("53300", "the server has no connection left; close others and try again"),
    ("53", "the server has run out of something; look into its log"),
    ("55P03", "another program is using the database; try again when it has finished"),
    ("40", "another program is using the database; try again when it has finished"),
    (_STOPPED, "the server has stopped it; try again, or raise its time limit"),
    ("57P", _GONE),
    ("08", _GONE),
    ("58", "the server's disk reports an error; look into its log"),
    ("XX", "the database is damaged; look into the server's log"),
)


class PostgresDatabase:
    """A connection that threads may share: one transaction at a time, whoever asks.

    Raises `StoreError` (`StoreTooNew` for a later schema) from every method, never psycopg's own.
    Of all who write one has its turn. A connection that was lost is made anew for the next
    transaction; what was lost with it is told.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._address = Address.parse(url)
        self._is_read_only = read_only
        self._lock = RLock()
        self._session: _Session | None = None
        self._connection: PostgresConnection | None = None
        self._is_closed = False
        self._end: float | None = None
        with self._translated():
            try:
                self._prepare(self._reached()[0])
            except BaseException:
                self.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[PostgresConnection]:
        """Give one unchanging view of the database to the block."""
        with self._transaction(_READ, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[PostgresConnection]:
        """Commit what the block writes, or nothing of it when it raises."""
        begin = _REFUSED if self._is_read_only else _WRITE.format("on" if durable else "off")
        with self._transaction(begin, writes=True) as connection:
            yield connection

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound what the block reads to `seconds` in all; nobody else reads here meanwhile."""
        with self._lock:
            self._end = monotonic() + seconds
            try:
                yield
            finally:
                self._end = None

    def flush(self) -> None:
        """Put on the disk what was committed so far. Raises `StoreError` when that fails."""
        # Whoever waits for a change of its own to be on the disk has waited for all before it.
        with self.writing(durable=True) as connection:
            connection.execute("UPDATE nostr_threads SET version = version")
        with self._lock, self._translated():
            session, _ = self._reached()
            # The server's own turn to count comes after a minute: until then it plans for a table
            # as it was before a file was taken in.
            for table in postgres_schema.outgrown(session):
                session.execute(f"ANALYZE {table}".encode())

    def vacuum(self) -> None:
        """Write the tables anew without what is not in use."""
        with self._lock, self._translated():
            if self._is_read_only:
                raise StoreError(f"{self._address}: {_NOT_WRITTEN}")
            session, _ = self._reached()
            for table in postgres_schema.tables(session):
                session.execute(f"VACUUM (FULL, ANALYZE) {table}".encode())

    def close(self) -> None:
        """Release the database. Closing twice is allowed."""
        with self._lock:
            self._is_closed = True
            if self._session is not None:
                self._session.close()

    @contextmanager
    def _transaction(self, begin: str, *, writes: bool) -> Iterator[PostgresConnection]:
        with self._lock, self._translated():
            session, connection = self._begun(begin)
            connection.can_keep = writes
            try:
                if self._end is not None:
                    left = max(int((self._end - monotonic()) * 1000), 1)
                    session.execute(f"SET LOCAL statement_timeout = {left}".encode())
                yield connection
                session.execute("COMMIT")
            except BaseException:
                _roll_back(session)
                raise

    def _begun(self, begin: str) -> tuple[_Session, PostgresConnection]:
        session, connection = self._reached()
        try:
            session.execute(begin.encode())
        except psycopg.Error:
            if not session.closed:
                _roll_back(session)
                raise
            # The server was started anew since: nothing of this transaction is lost yet.
            session, connection = self._reached()
            session.execute(begin.encode())
        return session, connection

    def _reached(self) -> tuple[_Session, PostgresConnection]:
        """Return the connection, which is made where there is none, or none any more."""
        if self._is_closed:
            raise StoreError(f"{self._address}: the store is closed")
        if self._session is None or self._connection is None or self._session.closed:
            self._session = self._address.connect()
            adapt(self._session)
            self._session.execute(_SETTINGS.format(_BUSY_SECONDS).encode())
            self._connection = PostgresConnection(self._session)
        return self._session, self._connection

    def _prepare(self, session: _Session) -> None:
        found = session.execute("SHOW server_encoding").fetchone()
        if found != ("UTF8",):
            raise StoreError(
                f"{self._address}: its encoding is not UTF8; make a database that has it"
            )
        if self._is_read_only:
            postgres_schema.require_current(session, str(self._address))
        else:
            postgres_schema.migrate(session, str(self._address))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say psycopg's errors in words that name the database and a way out."""
        try:
            yield
        except psycopg.Error as error:
            if self._end is not None and error.sqlstate == _STOPPED:
                raise TooCostly(f"{self._address}: the question took too long") from error
            raise StoreError(f"{self._address}: {self._advice(error)}") from error

    def _advice(self, error: psycopg.Error) -> str:
        code = error.sqlstate or ""
        for start, advice in _ADVICE:
            if code.startswith(start):
                return advice
        if not code and isinstance(error, psycopg.OperationalError):
            return _GONE
        return self._address.hushed(error.diag.message_primary or str(error))


def _roll_back(session: _Session) -> None:
    if not session.closed:
        session.execute("ROLLBACK")
