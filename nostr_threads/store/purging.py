"""Events removed for good: what its author wanted gone, and what has expired.

Knows what may go, what goes with it, and that it does not come back. What is only hidden is for
`deleting` and `queries`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.store import links, reading, searching
from nostr_threads.store.keys import Column
from nostr_threads.store.tags import tag_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.store.connection import Connection

__all__ = ["purge", "purged"]

# Events that are removed in one transaction: others want to write, too.
_BATCH = 1_000

# One's own parts stay: the outbox tells what became of them.
_OVER = """
    SELECT e.event, e.id, e.address, e.json FROM events e
    WHERE (e.deleted = 1 OR e.expires_at <= ?)
    AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.event = e.event) LIMIT ?
"""
# Without the version that was deleted an older one would count as current.
_OLDER = """
    SELECT e.event, e.id, e.address, e.json FROM events e
    WHERE e.superseded = 1 AND e.address IN (?*)
    AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.event = e.event)
"""
_CURRENT = "SELECT event FROM events WHERE superseded = 0 AND event IN (?*)"
# By the whole key: there is no other index, and there may be millions.
_REMOVE_TAG = "DELETE FROM tags WHERE name = ? AND value = ? AND created_at = ? AND event = ?"
_REMOVE = (
    "DELETE FROM links WHERE child = ?",
    "DELETE FROM sightings WHERE event = ?",
    "DELETE FROM arrivals WHERE event = ?",
    "DELETE FROM events WHERE event = ?",
)

# A row's number is never given again, or whoever counts up to one would pass over a new event.
_LAST_ROW = """
    INSERT INTO settings (name, value)
    SELECT 'last row', CAST(max(event) AS TEXT) FROM events WHERE TRUE
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
    WHERE CAST(settings.value AS BIGINT) < CAST(excluded.value AS BIGINT)
"""

_Row = tuple[int, bytes, Column | None, str]


def purge(connection: Connection, now: int) -> int:
    """Remove some thousand events that are over; return how many went, 0 when none is left.

    Works inside the caller's transaction. What asked for it stays, and so do the ids.
    """
    over: list[_Row] = connection.execute(_OVER, (now, _BATCH)).fetchall()
    current = {row for (row,) in connection.look_up(_CURRENT, [each[0] for each in over])}
    addresses = {each[2] for each in over if each[2] is not None and each[0] in current}
    older = connection.look_up(_OLDER, addresses)
    rows = {each[0]: each for each in (*over, *older)}
    if rows:
        connection.execute(_LAST_ROW)
        _remove(connection, list(rows.values()), now)
    return len(rows)


def purged(connection: Connection, event_ids: Iterable[str]) -> frozenset[str]:
    """Return those of `event_ids` that were removed for good."""
    # Mostly nothing ever was.
    if connection.execute("SELECT 1 FROM purged LIMIT 1").fetchone() is None:
        return frozenset()
    query = "SELECT id FROM purged WHERE id IN (?*)"
    found = connection.look_up(query, map(connection.column, event_ids))
    return frozenset(connection.text(row[0]) for row in found)


def _remove(connection: Connection, rows: Sequence[_Row], now: int) -> None:
    ids = ((event_id, now) for _, event_id, _, _ in rows)
    connection.complete("purged", "id, purged_at", ids)
    searching.forget(connection, [(row, found) for row, _, _, found in rows])
    numbers: list[tuple[Any, ...]] = [(row,) for row, _, _, _ in rows]
    events = {row: reading.decode(found) for row, _, _, found in rows}
    connection.executemany(_REMOVE_TAG, tag_rows(connection, events))
    for statement in _REMOVE:
        connection.executemany(statement, numbers)
    addresses = {connection.text(each[2]) for each in rows if each[2] is not None}
    links.disconnect(connection, addresses | {event_id.hex() for _, event_id, _, _ in rows})
