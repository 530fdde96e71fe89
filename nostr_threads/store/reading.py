"""Stored events by id, by thread, and where each was seen.

Knows how a row becomes an event again. Knows nothing of filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.event import Event, Verified
from nostr_threads.errors import InvalidEvent, StoreError
from nostr_threads.store.keys import look_up, to_column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

__all__ = ["decode", "event", "sightings", "thread"]

# The last line is for versions that answer nothing themselves, of an article that now does.
_THREAD = """
    WITH below (event) AS (SELECT child FROM links WHERE root = ?1)
    SELECT json FROM events WHERE event IN (
        SELECT event FROM events WHERE id = ?1
        UNION SELECT event FROM events WHERE address = ?1
        UNION SELECT event FROM below
        UNION SELECT event FROM events WHERE address IN (
            SELECT address FROM events JOIN below USING (event) WHERE address IS NOT NULL)
    )
"""
_SIGHTINGS = """
    SELECT e.id, r.url FROM events e JOIN sightings s USING (event) JOIN relays r USING (relay)
    WHERE e.id IN (?*) ORDER BY s.seen_at, s.relay
"""


def decode(text: str) -> Verified:
    """Return a stored event. Raises `StoreError` when it is not one any more."""
    try:
        # Only verified events get in, and what SQLite gives back is what it was given: checking
        # each signature again would cost ten times what the rest of a query does.
        return Verified(Event.from_json(text))
    except InvalidEvent as error:
        raise StoreError(f"the database holds a damaged event: {error.reason}") from error


def event(connection: sqlite3.Connection, event_id: str) -> Verified | None:
    """Return the event of that id, whatever its state."""
    query = "SELECT json FROM events WHERE id = ?"
    found = connection.execute(query, (to_column(event_id),)).fetchone()
    return None if found is None else decode(found[0])


def thread(connection: sqlite3.Connection, root: str) -> list[Verified]:
    """Return the versions of the root `root` (id or address) and all whose chain ends there."""
    return [decode(text) for (text,) in connection.execute(_THREAD, (to_column(root),))]


def sightings(
    connection: sqlite3.Connection, event_ids: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return for every one of `event_ids` its relays in order of first sighting, () for none."""
    seen: dict[str, list[str]] = {event_id: [] for event_id in event_ids}
    for event_id, url in look_up(connection, _SIGHTINGS, map(to_column, seen)):
        seen[event_id.hex()].append(url)
    return {event_id: tuple(urls) for event_id, urls in seen.items()}
