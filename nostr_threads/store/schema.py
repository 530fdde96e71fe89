"""The schema's versions: numbered SQL files, each applied in one transaction with its number.

Knows how a database becomes current and how a foreign one is told. Knows no table.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from nostr_threads.errors import StoreError, StoreTooNew, StoreTooOld

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["APPLICATION_ID", "latest", "migrate", "require_current", "scripts", "transaction"]

# "nost" in ASCII: tells our databases from another program's (PRAGMA application_id).
APPLICATION_ID = 0x6E6F7374

# Of a new file. Twice SQLite's own: indices of ids split less often, filling takes a twelfth less.
_PAGE_BYTES = 8192
# Tries to switch a new file to write-ahead logging. The first process to succeed does it for all.
_TURNS = 20


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    """Commit the block's work, or roll it back when it raises."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def latest() -> int:
    """Return the number of the newest migration."""
    return max(_migrations())


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the database up to date. Raises `StoreTooNew`, `StoreError` for one that is not ours.

    Safe when several processes open the same new file: the version is read again under the lock.
    """
    version = _read_version(connection, path)
    if version == 0:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        _log_ahead(connection)
    for number, script in sorted(_migrations().items()):
        if version < number:
            _apply(connection, path, number, script)


def require_current(connection: sqlite3.Connection, path: str) -> None:
    """Raise `StoreTooOld` unless the database can be read as it is, without migrating it."""
    if _read_version(connection, path) < latest():
        raise StoreTooOld(f"{path}: the database is empty or old; open it once for writing first")


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Make readers never wait for the writer. It stays with the file, which must be ours.

    It cannot be done inside a transaction, and SQLite does not wait for its turn as elsewhere: when
    other processes are opening the same new file, an empty transaction does the waiting.
    """
    for turn in range(_TURNS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if turn == _TURNS - 1 or not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
        else:
            return
        with transaction(connection, "BEGIN EXCLUSIVE"):
            pass


def _apply(connection: sqlite3.Connection, path: str, number: int, script: str) -> None:
    with transaction(connection, "BEGIN IMMEDIATE"):
        if _version(connection, path) >= number:
            return
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")


def _read_version(connection: sqlite3.Connection, path: str) -> int:
    # One view of all that is read, or a process that is just creating the file looks foreign.
    with transaction(connection, "BEGIN"):
        return _version(connection, path)


def _version(connection: sqlite3.Connection, path: str) -> int:
    """Return the schema's version, 0 for an empty file."""
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if owner not in (0, APPLICATION_ID) or (owner == 0 and tables):
        raise StoreError(f"{path}: this database belongs to another program; choose another file")
    if version > latest():
        raise StoreTooNew(
            f"{path}: written by a later version of this program (schema {version}, "
            f"this one knows {latest()}); update the program"
        )
    return version


def _migrations() -> dict[int, str]:
    return scripts("migrations")


@cache
def scripts(name: str) -> dict[int, str]:
    """Return the migrations in a folder of this package, by their numbers."""
    folder = files("nostr_threads.store") / name
    return {
        int(file.name.partition("_")[0]): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


def _statements(script: str) -> Iterator[str]:
    """Cut a script at the ends of its statements: `executescript` would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
