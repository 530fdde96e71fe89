"""A connection to PostgreSQL as the other modules want one.

Knows how their statements and values are put to psycopg, and how many rows get in at once. Knows
nothing of transactions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from nostr_threads.store import keys
from nostr_threads.store.postgres_values import bound, listed
from nostr_threads.store.tsvector import Tsvector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

    from nostr_threads.store.connection import Step

__all__ = ["PostgresConnection"]

# So few rows go as statements: to begin a COPY takes as long.
_FEW = 3
_MARK = re.compile(r"\?(\d*)")
# 0xff is never in UTF-8: with two of them in front it is no text, and of this length no id.
_DIGEST = b"\xff\xff"
_DIGEST_BYTES = len(_DIGEST) + 32
_KEEP = "INSERT INTO long_keys (digest, key) VALUES (?, ?) ON CONFLICT DO NOTHING"
_KEPT = "SELECT key FROM long_keys WHERE digest = ?"

_SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint, coalesce(sum(
        pg_relation_size(c.oid) * s.n_dead_tup / greatest(s.n_dead_tup + s.n_live_tup, 1)
    ), 0)::bigint
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE c.relkind = 'r'
    AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""
# What refers to events without having been declared.
_REFERENCES = (
    ("tags", "event"),
    ("links", "child"),
    ("sightings", "event"),
    ("parts", "event"),
    ("arrivals", "event"),
    ("texts", "event"),
)


class PostgresConnection:
    """Implements `Connection` over a psycopg connection whose cursors are raw.

    `can_keep` says whether it is in a transaction that writes.
    """

    # PostgreSQL has statistics and chooses by them.
    aside: ClassVar[str] = ""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.can_keep = False
        self.words = Tsvector(self)
        self._connection = connection
        self._types: dict[tuple[str, str], list[str]] = {}

    def execute(
        self, sql: str, parameters: Sequence[Any] = (), /
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement."""
        cursor = self._connection.cursor(binary=True)
        return cursor.execute(_translated(sql), bound(parameters))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run one statement for each of `rows`, without waiting for each."""
        cursor = self._connection.cursor(binary=True)
        if waiting := [bound(row) for row in rows]:
            cursor.executemany(_translated(sql), waiting)
        return cursor

    def insert(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert any number of rows, none of which is there or twice among them."""
        # All are made before: to make one may ask the database something.
        waiting = [*rows]
        if len(waiting) <= _FEW:
            marks = ", ".join("?" * (columns.count(",") + 1))
            self.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", waiting)  # noqa: S608 - our own names
            return
        types = self._types_of(table, columns)
        cursor = self._connection.cursor()
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.set_types(types)
            for row in waiting:
                copy.write_row(row)

    def complete(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert those of any number of rows that are not there."""
        if not (waiting := [*rows]):
            return
        types = self._types_of(table, columns)
        lists = ", ".join(f"?::{type_}[]" for type_ in types)
        self.execute(
            f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({lists})"  # noqa: S608 - our own names
            " ON CONFLICT DO NOTHING",
            [listed(each) for each in zip(*waiting, strict=True)],
        )

    def look_up(self, query: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        """Run `query` for any number of values, all at once."""
        if not (waiting := listed(values)):
            return iter(())
        found = self.execute(query.replace("IN (?*)", "= ANY(?)"), [waiting])
        return iter(() if found.description is None else found)

    def one_of(self, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """Return what follows a column that is to be one of `values`, and its parameters."""
        # Of a single value an index is read in its order.
        return ("= ?", values) if len(values) == 1 else ("= ANY(?)", [listed(values)])

    def reachable(self, first: str, steps: Sequence[Step]) -> str:
        """Return the WITH of `reached (key)`: all to which any of `steps` lead from `first`."""
        on = " UNION ALL ".join(f"SELECT {what} AS key FROM {where}" for what, where in steps)  # noqa: S608 - our own text
        return (
            f"WITH RECURSIVE reached (key) AS ({first} UNION "  # noqa: S608 - our own text
            f"SELECT step.key FROM reached here CROSS JOIN LATERAL ({on}) AS step)"
        )

    def column(self, text: str) -> bytes:
        """Return a key or the value of a tag as bytes; one that no index takes as its digest."""
        column = keys.to_bytes(text)
        return column if len(column) <= keys.LONGEST else self._digest_of(column)

    def text(self, column: keys.Column) -> str:
        """Return the text that `column` was given."""
        if len(column) == _DIGEST_BYTES and column[:2] == _DIGEST:
            (column,) = self.execute(_KEPT, (column,)).fetchone() or (b"",)
        return keys.from_column(column)

    def size(self) -> tuple[int, int]:
        """Return how many bytes the tables take, and about how many are of rows that are gone."""
        size, spare = self.execute(_SIZE).fetchone() or (0, 0)
        return size, spare

    def damage(self) -> Iterator[tuple[str, str]]:
        """Yield which tables have rows of events that are not there."""
        for table, column in _REFERENCES:
            missing = f"NOT EXISTS (SELECT 1 FROM events e WHERE e.event = t.{column})"  # noqa: S608 - our own names
            for (row,) in self.execute(f"SELECT t.{column} FROM {table} t WHERE {missing}"):  # noqa: S608
                yield table, f"its row {row} names something that is not in events"

    def _digest_of(self, column: bytes) -> bytes:
        digest = _DIGEST + sha256(column).digest()
        if self.can_keep:
            self.execute(_KEEP, (digest, column))
        return digest

    def _types_of(self, table: str, columns: str) -> list[str]:
        """Return the types of some columns of a table, which a COPY has to know."""
        if (found := self._types.get((table, columns))) is None:
            cursor = self.execute(f"SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608 - our own names
            found = [each.type_display for each in cursor.description or ()]
            self._types[table, columns] = found
        return found


@lru_cache(maxsize=1_024)
def _translated(sql: str) -> bytes:
    """Return a statement with PostgreSQL's own marks for its parameters."""
    count = 0

    def mark(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"${match[1] or count}"

    return _MARK.sub(mark, sql).encode()
