"""A connection to SQLite as the other modules want one.

Knows what only SQLite does: temporary tables for long lists, its `PRAGMA`s. Knows nothing of
transactions.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, ClassVar

from nostr_threads.store import keys
from nostr_threads.store.fts5 import Fts5

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nostr_threads.store.connection import Step

__all__ = ["SqliteConnection"]

# A full chunk has always the same text, so that SQLite's statement cache finds it again.
_CHUNK = 500
# SQLite takes 32,766 variables in one statement: a longer list goes through a temporary table.
_MAX_MARKS = 500
_WANTED = """
    CREATE TEMP TABLE IF NOT EXISTS wanted (
        list INTEGER, value ANY, PRIMARY KEY (list, value)
    ) STRICT, WITHOUT ROWID
"""
# A damaged file may have millions.
_MOST_FAULTS = 100
_BYTES = """
    SELECT page_count * page_size, freelist_count * page_size
    FROM pragma_page_count, pragma_page_size, pragma_freelist_count
"""


class SqliteConnection(sqlite3.Connection):
    """Implements `Connection`; what runs a statement is sqlite3's own."""

    # Without statistics (ANALYZE makes other queries here slower) SQLite would often pick the wrong
    # index: the unary plus keeps it from those that are not meant.
    aside: ClassVar[str] = "+"
    column = staticmethod(keys.to_column)
    text = staticmethod(keys.from_column)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lists = 0

    @property
    def words(self) -> Fts5:
        """What finds events by what people wrote."""
        return Fts5(self)

    def insert(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert any number of rows, none of which is there or twice among them."""
        self.executemany(_inserting(table, columns), rows)

    def complete(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert those of any number of rows that are not there."""
        self.executemany(f"{_inserting(table, columns)} ON CONFLICT DO NOTHING", rows)

    def look_up(self, query: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        """Run `query` for any number of values, in chunks."""
        waiting = list(values)
        for start in range(0, len(waiting), _CHUNK):
            chunk = waiting[start : start + _CHUNK]
            yield from self.execute(query.replace("?*", ",".join("?" * len(chunk))), chunk)

    def one_of(self, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """Return what follows a column that is to be one of `values`, and its parameters."""
        if len(values) <= _MAX_MARKS:
            return f"IN ({','.join('?' * len(values))})", values
        number, self._lists = self._lists, self._lists + 1
        if number == 0:
            self.execute(_WANTED)
            self.execute("DELETE FROM temp.wanted")
        self.executemany(
            "INSERT OR IGNORE INTO temp.wanted (list, value) VALUES (?, ?)",
            ((number, value) for value in values),
        )
        return "IN (SELECT value FROM temp.wanted WHERE list = ?)", (number,)

    def forget_lists(self) -> None:
        """Begin anew with what `one_of` is given: nobody uses it any more."""
        self._lists = 0

    def reachable(self, first: str, steps: Sequence[Step]) -> str:
        """Return the WITH of `reached (key)`: all to which any of `steps` lead from `first`."""
        on = (f"SELECT {what} FROM reached here CROSS JOIN {where}" for what, where in steps)  # noqa: S608 - our own text
        return f"WITH RECURSIVE reached (key) AS ({' UNION '.join((first, *on))})"

    def size(self) -> tuple[int, int]:
        """Return how many bytes the file takes, and how many of them are not in use."""
        size, spare = self.execute(_BYTES).fetchone()
        return size, spare

    def damage(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the file, and which rows name something that is not there."""
        for (words,) in self.execute(f"PRAGMA integrity_check({_MOST_FAULTS})"):
            if words != "ok":
                yield "file", str(words)
        for table, row, parent, _ in self.execute("PRAGMA foreign_key_check"):
            yield str(table), f"its row {row} names something that is not in {parent}"


def _inserting(table: str, columns: str) -> str:
    marks = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
