"""Postings that were stopped before anybody had them, and what the store is without their parts.

Knows when a posting can still be stopped, and what its parts had replaced or deleted. Knows nothing
of how it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.delivery import Status
from nostr_threads.errors import InvalidInput
from nostr_threads.store import links

if TYPE_CHECKING:
    from nostr_threads.store.connection import Connection

__all__ = ["cancel", "is_cancelled", "settle", "withdrawn"]

_ARRIVED = """
    SELECT r.url FROM deliveries d JOIN relays r USING (relay)
    WHERE d.posting = ?1 AND d.arrived = 1
    UNION SELECT r.url FROM parts p JOIN sightings s USING (event) JOIN relays r USING (relay)
    WHERE p.posting = ?1 LIMIT 1
"""
_CANCEL = """
    UPDATE deliveries SET status = ?, reason = '', tries = 0, retry_at = 0, updated_at = ?
    WHERE posting = ?
"""
_WITHDRAWN = """
    SELECT DISTINCT w.id FROM deliveries d JOIN parts p USING (posting, part)
    JOIN events w USING (event)
    WHERE d.status = 'cancelled' AND NOT EXISTS (SELECT 1 FROM sightings s WHERE s.event = w.event)
"""
# Each address has a current version: a withdrawn one when there is no other.
_VERSIONS = f"""
    UPDATE events SET superseded = CASE WHEN event = (
        SELECT v.event FROM events v WHERE v.address = events.address
        ORDER BY v.id IN ({_WITHDRAWN}), v.created_at DESC, v.id LIMIT 1
    ) THEN 0 ELSE 1 END WHERE address = ?
"""  # noqa: S608 - our own text
# The rules of `deleting`, asked of each target and not of each request.
_DELETED = f"""
    UPDATE events SET deleted = CASE WHEN EXISTS (
        SELECT 1 FROM links l JOIN events r ON r.event = l.child
        WHERE l.relation = 'deletion' AND l.parent = events.id AND r.pubkey = events.pubkey
        AND events.kind NOT IN (5, 62) AND r.id NOT IN ({_WITHDRAWN})
    ) OR EXISTS (
        SELECT 1 FROM links l JOIN events r ON r.event = l.child
        WHERE l.relation = 'deletion' AND l.parent = events.address AND r.pubkey = events.pubkey
        AND events.created_at <= r.created_at AND r.id NOT IN ({_WITHDRAWN})
    ) OR EXISTS (
        SELECT 1 FROM vanished v WHERE v.pubkey = events.pubkey
        AND events.created_at <= v.until AND events.kind <> 62
    ) THEN 1 ELSE 0 END WHERE id = ?1 OR address = ?1
"""  # noqa: S608 - our own text


def cancel(connection: Connection, row: int, now: int) -> None:
    """Make all deliveries of a posting (by row) `cancelled`, and take its parts out of sight.

    Raises `InvalidInput` when a relay has a part or may have it, and while it is being sent.
    """
    if is_cancelled(connection, row):
        return
    _require_unsent(connection, row, now)
    connection.execute(_CANCEL, (Status.CANCELLED.value, now, row))
    settle(connection, row)


def is_cancelled(connection: Connection, row: int) -> bool:
    """Whether a posting was cancelled, and not enqueued again since."""
    query = "SELECT 1 FROM deliveries WHERE posting = ? AND status = 'cancelled' LIMIT 1"
    return connection.execute(query, (row,)).fetchone() is not None


def withdrawn(connection: Connection) -> set[str]:
    """Return the ids of all parts that were cancelled and that no relay has shown."""
    return {event_id.hex() for (event_id,) in connection.execute(_WITHDRAWN)}


def settle(connection: Connection, row: int) -> None:
    """Decide anew what is current and what is deleted, where a posting's parts have a say in it.

    What was withdrawn replaces and deletes nothing.
    """
    addresses = connection.execute(
        "SELECT DISTINCT address FROM parts JOIN events USING (event)"
        " WHERE posting = ? AND address IS NOT NULL",
        (row,),
    ).fetchall()
    connection.executemany(_VERSIONS, addresses)
    links.connect(connection, {}, [connection.text(address) for (address,) in addresses])
    targets = connection.execute(
        "SELECT DISTINCT parent FROM links JOIN parts ON event = child"
        " WHERE posting = ? AND relation = 'deletion'",
        (row,),
    ).fetchall()
    connection.executemany(_DELETED, targets)


def _require_unsent(connection: Connection, row: int, now: int) -> None:
    if (found := connection.execute(_ARRIVED, (row,)).fetchone()) is not None:
        raise InvalidInput(f"{found[0]} may have it already: use `outbox delete`")
    owner, held_until = connection.execute(
        "SELECT owner, held_until FROM postings WHERE posting = ?", (row,)
    ).fetchone()
    if owner and held_until > now:
        raise InvalidInput("it is being sent at this moment: stop that first, or wait for its end")
    if owner:
        # Between a sending and its record there may have been a crash.
        raise InvalidInput(
            "its delivery was cut off, and a relay may have it already: use `outbox resume` to send"
            " the rest, or `outbox delete`"
        )
