"""One SQLite file: opened, locked, its transactions, and its errors in our words.

Knows files and transactions. Knows nothing of events.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING

from nostr_threads.errors import StoreError, TooCostly
from nostr_threads.store import schema
from nostr_threads.store.sqlite_connection import SqliteConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CACHE_MIB", "SqliteDatabase"]

_MEMORY = ":memory:"
_BUSY_SECONDS = 10.0
CACHE_MIB = 64
"""What is kept of the file in memory, unless somebody asks for less."""

# Steps of SQLite's machine between two looks at the clock, some milliseconds: each look waits for
# the interpreter.
_STEPS = 100_000

_WAL_PAGES = 5_000  # of 8 KiB

# The beginning of SQLite's name for an error, and what to tell the person whose file it is.
_ADVICE = (
    ("SQLITE_NOTADB", "this is not a database; choose another file or move this one away"),
    (
        "SQLITE_CORRUPT",
        "the database is damaged; `mirror salvage` writes what can be read of it to a file: then "
        "move it away and import that",
    ),
    ("SQLITE_FULL", "there is no room left on the disk; make room and try again"),
    ("SQLITE_READONLY", "the database cannot be written; check the permissions of file and folder"),
    ("SQLITE_PERM", "the database cannot be used; check the permissions of file and folder"),
    ("SQLITE_CANTOPEN", "the database cannot be opened; check that file and folder are accessible"),
    ("SQLITE_BUSY", "another program is using the database; try again when it has finished"),
    ("SQLITE_LOCKED", "another program is using the database; try again when it has finished"),
    ("SQLITE_IOERR", "the disk reports an error; check the disk and the file"),
)


class SqliteDatabase:
    """A connection that threads may share: one transaction at a time, whoever asks.

    Raises `StoreError` (`StoreTooNew` for a later schema) from every method, never sqlite3's own.
    A durable transaction is on the disk when it returns. Any other is whole or absent after a power
    cut, and survives the death of the process: what relays have can be fetched again, and waiting
    for the disk after every batch halves the speed.
    """

    def __init__(
        self, path: Path | str, *, read_only: bool = False, cache_mib: int = CACHE_MIB
    ) -> None:
        self._path = str(path)
        self._lock = RLock()
        self._connection: SqliteConnection | None = None
        with self._translated():
            self._connection = _open(self._path, read_only=read_only)
            try:
                # A batch touches pages all over the indices: keep them, and write them together.
                self._connection.execute(f"PRAGMA cache_size = -{cache_mib * 1024}")
                _prepare(self._connection, self._path, read_only=read_only)
            except BaseException:
                self.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[SqliteConnection]:
        """Give one unchanging view of the database to the block."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[SqliteConnection]:
        """Commit what the block writes, or nothing of it when it raises."""
        with self._transaction("BEGIN IMMEDIATE", durable=durable) as connection:
            yield connection

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound what the block reads to `seconds` in all; nobody else reads here meanwhile."""
        with self._lock:
            connection, end = self._connection, monotonic() + seconds
            if connection is not None:
                connection.set_progress_handler(lambda: monotonic() > end, _STEPS)
            try:
                yield
            finally:
                if connection is not None:
                    connection.set_progress_handler(None, 0)

    def flush(self) -> None:
        """Put on the disk what was committed so far. Raises `StoreError` when that fails."""
        with self._lock, self._translated():
            if self._connection is None:
                raise StoreError(f"{self._path}: the store is closed")
            self._connection.execute("PRAGMA synchronous = FULL")
            # Without a transaction there is nothing to wait for: moving the log syncs it first.
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def vacuum(self) -> None:
        """Write the file anew without what is not in use, and cut the log."""
        with self._lock, self._translated():
            if self._connection is None:
                raise StoreError(f"{self._path}: the store is closed")
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Release the file. Closing twice is allowed."""
        with self._lock, self._translated():
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, begin: str, *, durable: bool = False) -> Iterator[SqliteConnection]:
        with self._lock, self._translated():
            if self._connection is None:
                raise StoreError(f"{self._path}: the store is closed")
            # SQLite lets this be changed only between transactions.
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._connection.forget_lists()
            with schema.transaction(self._connection, begin):
                yield self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say sqlite3's errors in words that name the file and a way out."""
        try:
            yield
        except sqlite3.Error as error:
            if _name(error) == "SQLITE_INTERRUPT":
                raise TooCostly(f"{self._path}: the question took too long") from error
            raise StoreError(f"{self._path}: {_advice(error)}") from error


def _open(path: str, *, read_only: bool) -> SqliteConnection:
    try:
        if not read_only and path != _MEMORY:
            _create(Path(path))
        return _connect(path, read_only=read_only)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{path}: cannot be opened: {reason}") from error


def _create(path: Path) -> None:
    # Drafts of an answer are nobody else's business until they are sent.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _connect(path: str, *, read_only: bool) -> SqliteConnection:
    if Path(path).is_dir():
        # SQLite would call it a fault of the disk.
        raise IsADirectoryError(EISDIR, "it is a folder")
    if path == _MEMORY:
        name, is_uri = path, False
    else:
        # `rw` and not `rwc`: a path that went away meanwhile is an error, not a new database.
        name, is_uri = f"{Path(path).absolute().as_uri()}?mode={'ro' if read_only else 'rw'}", True
    return sqlite3.connect(
        name,
        uri=is_uri,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=SqliteConnection,
    )


def _prepare(connection: sqlite3.Connection, path: str, *, read_only: bool) -> None:
    # Nothing that others refer to is ever removed, and looking each reference up costs a fifteenth
    # of the time that storing takes: that they all lead somewhere is for the tests to find out.
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    if read_only:
        schema.require_current(connection, path)
    else:
        schema.migrate(connection, path)


def _name(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", None) or ""


def _advice(error: sqlite3.Error) -> str:
    name = _name(error)
    return next((advice for start, advice in _ADVICE if name.startswith(start)), str(error))
