"""Relays: their rows, what they delivered so far, and what they say of themselves.

Knows URLs and figures. Knows nothing of what a relay is asked, and does not read its document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.routing import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.store.connection import Connection

__all__ = ["document", "keep_document", "record", "records", "relay_row"]

# What is kept of the old figures at each new one: after some 35 outcomes they count half.
_KEPT = 0.98
_RECORD = """
    INSERT INTO relay_records (relay, hits, misses) VALUES (?1, ?2, ?3)
    ON CONFLICT (relay) DO UPDATE
    SET hits = relay_records.hits * ?4 + ?2, misses = relay_records.misses * ?4 + ?3
"""


def relay_row(connection: Connection, url: str) -> int:
    """Return the row of a relay, making one when the URL is new."""
    row = connection.execute("SELECT relay FROM relays WHERE url = ?", (url,)).fetchone()
    if row is None:
        making = "INSERT INTO relays (url) VALUES (?) RETURNING relay"
        row = connection.execute(making, (url,)).fetchone()
    return int(row[0])


def records(connection: Connection) -> dict[str, Record]:
    """Return what every relay that has a record delivered so far, by URL."""
    query = "SELECT url, hits, misses FROM relay_records JOIN relays USING (relay)"
    return {url: Record(hits, misses) for url, hits, misses in connection.execute(query)}


def record(connection: Connection, outcomes: Mapping[str, bool]) -> None:
    """Add a hit (True) or a miss to the record of each relay, and let its old figures fade."""
    for url, hit in outcomes.items():
        row = relay_row(connection, url)
        connection.execute(_RECORD, (row, float(hit), float(not hit), _KEPT))


def document(connection: Connection, url: str) -> tuple[str, int] | None:
    """Return a relay's document and when it was fetched, None when it never was."""
    query = "SELECT text, fetched_at FROM relay_documents JOIN relays USING (relay) WHERE url = ?"
    found = connection.execute(query, (url,)).fetchone()
    return None if found is None else (found[0], found[1])


def keep_document(connection: Connection, url: str, text: str, now: int) -> None:
    """Replace a relay's document; an empty `text` says that it has none."""
    connection.execute(
        "INSERT INTO relay_documents (relay, text, fetched_at) VALUES (?, ?, ?)"
        " ON CONFLICT (relay) DO UPDATE SET text = excluded.text, fetched_at = excluded.fetched_at",
        (relay_row(connection, url), text, now),
    )
