"""What can still be read of a damaged SQLite file.

Knows how to go around damaged pages. Repairs nothing, and believes nothing: an event counts once
its id and signature were checked again.
"""

from __future__ import annotations

import sqlite3
from statistics import mode
from typing import TYPE_CHECKING, Any

from nostr_threads.core.event import Event, verify
from nostr_threads.errors import InvalidEvent, InvalidInput, StoreError
from nostr_threads.store.database import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.store.connection import Database

__all__ = ["Salvage"]

# Rows that are read at once, where nothing is damaged.
_ROWS_AT_ONCE = 1_000
_ROWS = "SELECT json FROM events WHERE event BETWEEN ? AND ? ORDER BY event"
# How many rows there are, and the number of the last: the indices and the table each know.
_EXTENTS = (
    "SELECT count(*), max(event) FROM events INDEXED BY sqlite_autoindex_events_1",
    "SELECT count(*), max(event) FROM events INDEXED BY events_by_time",
    "SELECT count(*), max(event) FROM events INDEXED BY events_by_author",
    "SELECT count(*), max(event) FROM events NOT INDEXED",
)


class Salvage:
    """Yields the JSON of every event that can be read and is true, in the order of arrival.

    Raises `StoreError` where not even the number of rows can be read, and `InvalidInput` for
    another database than SQLite's.
    """

    def __init__(self, database: Database) -> None:
        if not isinstance(database, SqliteDatabase):
            raise InvalidInput("only a file can be salvaged; see what your server has for that")
        self._database = database
        self._rows, self._last = self._extent()
        self._found = 0

    @property
    def lost(self) -> int:
        """How many rows were not found so far."""
        return max(0, self._rows - self._found)

    def __iter__(self) -> Iterator[str]:
        """Go through all of it, once."""
        for first in range(1, self._last + 1, _ROWS_AT_ONCE):
            for text in self._between(first, min(first + _ROWS_AT_ONCE - 1, self._last)):
                if _is_true(text):
                    self._found += 1
                    yield text

    def _between(self, first: int, last: int) -> Iterator[str]:
        """Yield rows; where some cannot be read, those before and behind them."""
        parts = [(first, last)]
        while parts:
            first, last = parts.pop()
            rows = self._read(_ROWS, (first, last))
            if rows is not None:
                yield from (text for (text,) in rows)
            elif first < last:
                middle = (first + last) // 2
                parts += [(middle + 1, last), (first, middle)]

    def _extent(self) -> tuple[int, int]:
        """Return how many rows there are, and the number of the last, as most say.

        A damaged page may say anything, and seem whole.
        """
        found = [rows[0] for query in _EXTENTS if (rows := self._read(query, ())) is not None]
        if not found:
            raise StoreError("too much of the database is damaged: nothing in it can be found")
        return mode(count for count, _ in found), mode(last or 0 for _, last in found)

    def _read(self, query: str, values: Sequence[int]) -> list[Any] | None:
        """Return rows, or None where they cannot be read."""
        try:
            with self._database.reading() as connection:
                return connection.execute(query, tuple(values)).fetchall()
        except StoreError as error:
            if isinstance(error.__cause__, sqlite3.Error):
                return None
            raise


def _is_true(text: object) -> bool:
    if not isinstance(text, str):
        # A damaged row may hold anything.
        return False
    try:
        verify(Event.from_json(text))
    except InvalidEvent:
        return False
    return True
