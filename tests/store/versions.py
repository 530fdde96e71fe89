"""Stores as earlier versions of the program made them: empty, for a test to fill."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nostr_threads.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["version_1", "version_2", "version_3", "version_4"]


def version_1(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Make the file that the first version would have made; it is filled by plain SQL."""
    return _version(path, 1)


def version_2(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Make the file that the second version would have made; it is filled by plain SQL."""
    return _version(path, 2)


def version_3(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Make the file that the third version would have made; it is filled by plain SQL."""
    return _version(path, 3)


def version_4(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Make the file that the fourth version would have made; it is filled by plain SQL."""
    return _version(path, 4)


@contextmanager
def _version(path: Path, number: int) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    # Each statement is its own transaction here: waiting for the disk is no part of any test.
    connection.execute("PRAGMA synchronous = OFF")
    try:
        for each in range(1, number + 1):
            for statement in schema._statements(schema._migrations()[each]):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        yield connection
    finally:
        connection.close()
