"""Full text of what people wrote, indexed when it is first looked for (SQLite's FTS5).

Knows which events have a text, and how a search is put to the index. An event is indexed once:
whether it may be shown is for `queries` to know.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.search_terms import found_by, parse_terms, spaced
from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

    from nostr_threads.core.search_terms import Term

__all__ = ["expression", "forget", "index", "is_behind", "require_index", "text_of"]

_WRITTEN = (kinds.NOTE, kinds.FORUM_THREAD, kinds.COMMENT, kinds.ARTICLE)
_TITLES = frozenset(("title", "summary", "subject"))
# Events that are indexed in one transaction: others want to write, too.
_BATCH = 5_000

# Without a copy of the texts: they are in the events.
_TABLE = """
    CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(
        text, content = '', tokenize = 'unicode61 remove_diacritics 2'
    )
"""
_FRESH = """
    SELECT event, json FROM events WHERE event > ? AND event <= ? AND kind IN (1, 11, 1111, 30023)
"""
_IS_MADE = "SELECT 1 FROM sqlite_schema WHERE name = 'texts'"
_BEHIND = "SELECT 1 FROM indexed WHERE upto < (SELECT max(event) FROM events)"


def is_behind(connection: sqlite3.Connection) -> bool:
    """Whether there is no index yet, or there are events that are not in it."""
    if connection.execute(_IS_MADE).fetchone() is None:
        return True
    return connection.execute(_BEHIND).fetchone() is not None


def require_index(connection: sqlite3.Connection) -> None:
    """Raise `StoreError` where there is no index, and none can be made."""
    if connection.execute(_IS_MADE).fetchone() is None:
        raise StoreError("nothing of this store was indexed: search it once with leave to write")


def index(connection: sqlite3.Connection) -> bool:
    """Index some thousand events more, in the caller's transaction; whether there are others."""
    connection.execute(_TABLE)
    (upto,) = connection.execute("SELECT upto FROM indexed").fetchone()
    (last,) = connection.execute("SELECT max(event) FROM events").fetchone()
    end = min(upto + _BATCH, last or 0)
    fresh = connection.execute(_FRESH, (upto, end)).fetchall()
    connection.executemany(
        "INSERT INTO texts (rowid, text) VALUES (?, ?)",
        ((row, text_of(found)) for row, found in fresh),
    )
    connection.execute("UPDATE indexed SET upto = max(upto, ?)", (end,))
    return bool(end < (last or 0))


def forget(connection: sqlite3.Connection, row: int, found: str) -> None:
    """Take an event, by its row and JSON, out of the index, before its row is removed."""
    if json.loads(found)["kind"] not in _WRITTEN:
        return
    (upto,) = connection.execute("SELECT upto FROM indexed").fetchone()
    if row <= upto:
        connection.execute(
            "INSERT INTO texts (texts, rowid, text) VALUES ('delete', ?, ?)", (row, text_of(found))
        )


def text_of(found: str) -> str:
    """Return what is indexed of an event in JSON: what its author wrote, and its titles."""
    event = json.loads(found)
    titles = (tag[1] for tag in event["tags"] if len(tag) > 1 and tag[0] in _TITLES)
    return spaced("\n".join((*titles, event["content"])))


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
