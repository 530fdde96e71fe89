"""Full text in SQLite, by its FTS5.

Knows how a search is put to that index. Which events have a text is known in `searching`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nostr_threads.core.search_terms import found_by, parse_terms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from nostr_threads.core.search_terms import Term

__all__ = ["Fts5"]

# Without a copy of the texts: they are in the events.
_TABLE = """
    CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(
        text, content = '', tokenize = 'unicode61 remove_diacritics 2'
    )
"""


class Fts5:
    """Implements `FullText`."""

    condition: ClassVar[str] = "e.event IN (SELECT rowid FROM texts WHERE texts MATCH ?)"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def is_made(self) -> bool:
        """Whether the index is there."""
        query = "SELECT 1 FROM sqlite_schema WHERE name = 'texts'"
        return self._connection.execute(query).fetchone() is not None

    def make(self) -> None:
        """Make it unless it is there."""
        self._connection.execute(_TABLE)

    def add(self, texts: Iterable[tuple[int, str]]) -> None:
        """Put in the texts of events, by their rows."""
        self._connection.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", texts)

    def remove(self, texts: Iterable[tuple[int, str]]) -> None:
        """Take out texts as they were put in: the index has no copy to find its words by."""
        self._connection.executemany(
            "INSERT INTO texts (texts, rowid, text) VALUES ('delete', ?, ?)", texts
        )

    @staticmethod
    def expression(search: str) -> str | None:
        """Return a search as FTS5 wants it; None for one that can find nothing."""
        terms = parse_terms(search)
        if not found_by(terms):
            return None
        wanted = " AND ".join(_phrase(term) for term in terms if not term.excluded)
        others = [_phrase(term) for term in terms if term.excluded]
        return f"({wanted}) NOT ({' OR '.join(others)})" if others else wanted


def _phrase(term: Term) -> str:
    # Words have letters and digits alone: nothing in them is a quote or an operator.
    return f'"{" ".join(term.words)}"{"*" if term.begins else ""}'
