"""Stored events by id, and where each was seen.

Knows how a row becomes an event again. Knows nothing of filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.event import Event, Verified
from nostr_threads.errors import InvalidEvent, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.store.connection import Connection

__all__ = ["decode", "event", "events", "known", "rows_of", "sightings"]

_SIGHTINGS = """
    SELECT e.id, r.url FROM events e JOIN sightings s USING (event) JOIN relays r USING (relay)
    WHERE e.id IN (?*) ORDER BY s.seen_at, s.relay
"""
_TEXTS = "SELECT id, json FROM events WHERE id IN (?*)"
# Read at once, and not kept when the first of them are enough.
_AT_ONCE = 8
_STORED = "SELECT id FROM events e WHERE id IN (?*)"
_SEEN = "SELECT 1 FROM sightings s WHERE s.event = e.event AND s.relay = {}"


def decode(text: str) -> Verified:
    """Return a stored event. Raises `StoreError` when it is not one any more."""
    try:
        # Only verified events get in, and what SQLite gives back is what it was given: checking
        # each signature again would cost ten times what the rest of a query does.
        return Verified(Event.from_json(text))
    except InvalidEvent as error:
        raise StoreError(f"the database holds a damaged event: {error.reason}") from error


def event(connection: Connection, event_id: str) -> Verified | None:
    """Return the event of that id, whatever its state."""
    query = "SELECT json FROM events WHERE id = ?"
    found = connection.execute(query, (connection.column(event_id),)).fetchone()
    return None if found is None else decode(found[0])


def events(connection: Connection, event_ids: Sequence[str], most: int) -> list[Verified | None]:
    """Return the first of these events, whatever their state, up to `most` characters of JSON."""
    found: list[Verified | None] = []
    for start in range(0, len(event_ids), _AT_ONCE):
        names = event_ids[start : start + _AT_ONCE]
        rows = connection.look_up(_TEXTS, map(connection.column, names))
        texts: dict[str, str] = {event_id.hex(): text for event_id, text in rows}
        for text in map(texts.get, names):
            found.append(None if text is None else decode(text))
            most -= len(text or "")
            if most <= 0:
                return found
    return found


def rows_of(connection: Connection, event_ids: Iterable[str]) -> dict[str, int]:
    """Return the row of each event that is stored, by id."""
    query = "SELECT id, event FROM events WHERE id IN (?*)"
    # In the order of the index: of a large one each page is then read once.
    found = connection.look_up(query, map(connection.column, sorted(event_ids)))
    return {event_id.hex(): row for event_id, row in found}


def known(connection: Connection, event_ids: Iterable[str], relay: str | None) -> frozenset[str]:
    """Return those of `event_ids` that are stored, and with `relay` (a URL) were seen there."""
    ids = map(connection.column, event_ids)
    if relay is None:
        return frozenset(row[0].hex() for row in connection.look_up(_STORED, ids))
    found = connection.execute("SELECT relay FROM relays WHERE url = ?", (relay,)).fetchone()
    if found is None:
        return frozenset()
    query = f"{_STORED} AND EXISTS ({_SEEN.format(int(found[0]))})"
    return frozenset(row[0].hex() for row in connection.look_up(query, ids))


def sightings(connection: Connection, event_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return for every one of `event_ids` its relays in order of first sighting, () for none."""
    seen: dict[str, list[str]] = {event_id: [] for event_id in event_ids}
    for event_id, url in connection.look_up(_SIGHTINGS, map(connection.column, seen)):
        seen[event_id.hex()].append(url)
    return {event_id: tuple(urls) for event_id, urls in seen.items()}
