"""The outbox's tables: postings, their parts, their destinations, and each part's deliveries.

Knows how a posting is kept and put together again. Knows nothing of sending, of quorums, or of what
is hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.errors import NotFound, StoreError
from nostr_threads.store import cancelling
from nostr_threads.store.adding import add
from nostr_threads.store.base import Posting
from nostr_threads.store.looks import forget
from nostr_threads.store.reading import decode, rows_of
from nostr_threads.store.relays import relay_row

if TYPE_CHECKING:
    from nostr_threads.store.connection import Connection

__all__ = ["enqueue", "find", "load", "load_all", "record", "revive", "row_of"]

# Whether a refusal is final, too, its reason tells (`Delivery.final`).
_UNPROVEN = """
    WHERE posting IN (
        SELECT posting FROM deliveries WHERE status NOT IN ('stored', 'given-up', 'cancelled')
    )
"""
_RECORD = """
    UPDATE deliveries SET status = ?, reason = ?, tries = ?, retry_at = ?,
        arrived = CASE WHEN arrived = 1 THEN 1 ELSE ? END, updated_at = ?
    WHERE posting = ? AND part = ? AND relay = ?
"""
_REVIVE = """
    UPDATE deliveries SET status = ?, tries = 0, retry_at = 0, updated_at = ?
    WHERE posting = ? AND status = ?
"""


def enqueue(connection: Connection, posting: Posting) -> None:
    """Keep a posting, or add the relays that are new to one that is there already.

    One that was cancelled begins anew. Raises `StoreError` when another version of it is there: the
    same first part with other parts, or a part of another posting.
    """
    add(connection, posting.events, relay=None, now=posting.created_at)
    row = find(connection, posting.id)
    if row is None:
        row = _insert(connection, posting)
    elif _part_ids(connection, row) != [event.id for event in posting.events]:
        raise StoreError(f"posting {posting.id} is in the outbox with other parts")
    again = cancelling.is_cancelled(connection, row)
    if again:
        _clear(connection, row, posting)
    for relay in posting.relays:
        courtesy = relay in posting.courtesy
        _queue(connection, row, relay, posting.created_at, courtesy=courtesy)
    if again:
        cancelling.settle(connection, row)


def record(connection: Connection, event_id: str, delivery: Delivery, now: int) -> None:
    """Replace what is known of one part at one relay; a relay not asked before is added.

    Raises `StoreError` when no posting has this event as this part.
    """
    found = connection.execute(
        "SELECT posting FROM parts JOIN events USING (event) WHERE id = ? AND part = ?",
        (connection.column(event_id), delivery.part),
    ).fetchone()
    if found is None:
        raise StoreError(f"no posting in the outbox has event {event_id} as part {delivery.part}")
    row = found[0]
    if not _replace(connection, row, delivery, now):
        _queue(connection, row, delivery.relay, now, courtesy=False)
        _replace(connection, row, delivery, now)


def revive(connection: Connection, row: int, now: int) -> None:
    """Queue again what was given up, with its last reason."""
    connection.execute(_REVIVE, (Status.QUEUED.value, now, row, Status.GIVEN_UP.value))


def find(connection: Connection, posting_id: str) -> int | None:
    """Return the row of a posting."""
    query = "SELECT posting FROM postings WHERE id = ?"
    found = connection.execute(query, (connection.column(posting_id),)).fetchone()
    return None if found is None else int(found[0])


def row_of(connection: Connection, posting_id: str) -> int:
    """Return the row of a posting. Raises `NotFound`."""
    row = find(connection, posting_id)
    if row is None:
        raise NotFound(f"there is no posting {posting_id} in the outbox")
    return row


def load(connection: Connection, row: int) -> Posting:
    """Return the posting of a row with its deliveries."""
    head = connection.execute("SELECT quorum, created_at FROM postings WHERE posting = ?", (row,))
    quorum, created_at = head.fetchone()
    events = connection.execute(
        "SELECT json FROM parts JOIN events USING (event) WHERE posting = ? ORDER BY part", (row,)
    )
    relays = connection.execute(
        "SELECT url, courtesy FROM destinations JOIN relays USING (relay) WHERE posting = ?"
        " ORDER BY position",
        (row,),
    ).fetchall()
    return Posting(
        events=tuple(decode(text) for (text,) in events),
        relays=tuple(url for url, _ in relays),
        quorum=quorum,
        created_at=created_at,
        deliveries=_deliveries(connection, row),
        courtesy=frozenset(url for url, courtesy in relays if courtesy),
    )


def load_all(connection: Connection, *, open_only: bool) -> list[Posting]:
    """Return postings, oldest first; with `open_only` those with a delivery not yet final."""
    which = _UNPROVEN if open_only else ""
    query = " ".join(("SELECT posting FROM postings", which, "ORDER BY created_at, posting"))
    rows = connection.execute(query).fetchall()
    postings = [load(connection, row[0]) for row in rows]
    return [posting for posting in postings if not open_only or _is_open(posting)]


def _is_open(posting: Posting) -> bool:
    return not all(delivery.final for delivery in posting.deliveries)


def _part_ids(connection: Connection, row: int) -> list[str]:
    query = "SELECT id FROM parts JOIN events USING (event) WHERE posting = ? ORDER BY part"
    return [found[0].hex() for found in connection.execute(query, (row,))]


def _insert(connection: Connection, posting: Posting) -> int:
    row = connection.execute(
        "INSERT INTO postings (id, quorum, created_at) VALUES (?, ?, ?) RETURNING posting",
        (connection.column(posting.id), posting.quorum, posting.created_at),
    ).fetchone()[0]
    rows = rows_of(connection, [event.id for event in posting.events])
    for part, event in enumerate(posting.events, 1):
        taken = connection.execute("SELECT 1 FROM parts WHERE event = ?", (rows[event.id],))
        if taken.fetchone() is not None:
            raise StoreError(f"event {event.id} is in the outbox already, as part of another one")
        connection.execute("INSERT INTO parts VALUES (?, ?, ?)", (row, part, rows[event.id]))
    # What one writes oneself is no news.
    forget(connection, rows.values())
    return int(row)


def _clear(connection: Connection, row: int, posting: Posting) -> None:
    """Make a posting what it is before it is queued."""
    connection.execute("DELETE FROM deliveries WHERE posting = ?", (row,))
    connection.execute("DELETE FROM destinations WHERE posting = ?", (row,))
    connection.execute(
        "UPDATE postings SET quorum = ?, created_at = ? WHERE posting = ?",
        (posting.quorum, posting.created_at, row),
    )


def _replace(connection: Connection, row: int, delivery: Delivery, now: int) -> bool:
    """Replace what is known of a delivery; False when the relay is no destination yet."""
    known = (delivery.status.value, delivery.reason, delivery.tries, delivery.retry_at)
    where = (row, delivery.part, relay_row(connection, delivery.relay))
    arrived = int(delivery.status.arrived)
    return connection.execute(_RECORD, (*known, arrived, now, *where)).rowcount == 1


def _queue(connection: Connection, row: int, url: str, now: int, *, courtesy: bool) -> None:
    """Make a relay a destination of a posting, each part queued for it, unless it is one."""
    relay = relay_row(connection, url)
    connection.execute(
        "INSERT INTO destinations (posting, position, relay, courtesy)"
        " SELECT ?1, coalesce(max(position) + 1, 0), ?2, ?3 FROM destinations WHERE posting = ?1"
        " ON CONFLICT DO NOTHING",
        (row, relay, int(courtesy)),
    )
    connection.execute(
        "INSERT INTO deliveries (posting, part, relay, status, reason, updated_at)"
        " SELECT posting, part, ?, ?, '', ? FROM parts WHERE posting = ?"
        " ON CONFLICT DO NOTHING",
        (relay, Status.QUEUED.value, now, row),
    )


def _deliveries(connection: Connection, row: int) -> tuple[Delivery, ...]:
    found: list[tuple[Any, ...]] = connection.execute(
        "SELECT part, url, status, reason, tries, retry_at FROM deliveries"
        " JOIN relays USING (relay) JOIN destinations USING (posting, relay)"
        " WHERE posting = ? ORDER BY part, position",
        (row,),
    ).fetchall()
    return tuple(Delivery(part, url, Status(status), *known) for part, url, status, *known in found)
