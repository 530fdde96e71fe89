"""Stores as earlier versions of the program made them: empty, for a test to fill."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nostr_threads.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["version_1"]


@contextmanager
def version_1(path: Path) -> Iterator[sqlite3.Connection]:
    """Make the file that the first version would have made; it is filled by plain SQL."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in schema._statements(schema._migrations()[1]):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        yield connection
    finally:
        connection.close()
