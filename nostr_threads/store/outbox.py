"""The outbox's tables: postings, their parts, their destinations, and each part's deliveries.

Knows how a posting is kept and put together again. Knows nothing of sending or of quorums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.errors import StoreError
from nostr_threads.store.adding import add
from nostr_threads.store.base import Posting
from nostr_threads.store.keys import to_column
from nostr_threads.store.looks import forget
from nostr_threads.store.reading import decode, rows_of
from nostr_threads.store.relays import relay_row

if TYPE_CHECKING:
    import sqlite3

__all__ = ["enqueue", "load", "load_all", "record"]

# Others may be final too: whether a refusal is, its reason tells (`Delivery.final`).
_UNPROVEN = "WHERE posting IN (SELECT posting FROM deliveries WHERE status <> ?)"


def enqueue(connection: sqlite3.Connection, posting: Posting) -> None:
    """Keep a posting, or add the relays that are new to one that is there already.

    Raises `StoreError` when another version of it is there: the same first part with other parts,
    or a part of another posting.
    """
    add(connection, posting.events, relay=None, now=posting.created_at)
    row = _row(connection, posting.id)
    if row is None:
        row = _insert(connection, posting)
    elif _part_ids(connection, row) != [event.id for event in posting.events]:
        raise StoreError(f"posting {posting.id} is in the outbox with other parts")
    for relay in posting.relays:
        _queue(connection, row, relay, posting.created_at)


def record(connection: sqlite3.Connection, event_id: str, delivery: Delivery, now: int) -> None:
    """Replace what is known of one part at one relay; a relay not asked before is added.

    Raises `StoreError` when no posting has this event as this part.
    """
    found = connection.execute(
        "SELECT posting FROM parts JOIN events USING (event) WHERE id = ? AND part = ?",
        (to_column(event_id), delivery.part),
    ).fetchone()
    if found is None:
        raise StoreError(f"no posting in the outbox has event {event_id} as part {delivery.part}")
    _queue(connection, found[0], delivery.relay, now)
    connection.execute(
        "UPDATE deliveries SET status = ?, reason = ?, updated_at = ?"
        " WHERE posting = ? AND part = ? AND relay = ?",
        (
            delivery.status.value,
            delivery.reason,
            now,
            found[0],
            delivery.part,
            relay_row(connection, delivery.relay),
        ),
    )


def load(connection: sqlite3.Connection, posting_id: str) -> Posting | None:
    """Return one posting with its deliveries."""
    row = _row(connection, posting_id)
    return None if row is None else _load(connection, row)


def load_all(connection: sqlite3.Connection, *, open_only: bool) -> list[Posting]:
    """Return postings, oldest first; with `open_only` those with a delivery not yet final."""
    which = _UNPROVEN if open_only else ""
    query = " ".join(("SELECT posting FROM postings", which, "ORDER BY created_at, posting"))
    rows = connection.execute(query, (Status.STORED.value,) if open_only else ()).fetchall()
    postings = [_load(connection, row[0]) for row in rows]
    return [posting for posting in postings if not open_only or _is_open(posting)]


def _is_open(posting: Posting) -> bool:
    return not all(delivery.final for delivery in posting.deliveries)


def _row(connection: sqlite3.Connection, posting_id: str) -> int | None:
    query = "SELECT posting FROM postings WHERE id = ?"
    found = connection.execute(query, (to_column(posting_id),)).fetchone()
    return None if found is None else int(found[0])


def _part_ids(connection: sqlite3.Connection, row: int) -> list[str]:
    query = "SELECT id FROM parts JOIN events USING (event) WHERE posting = ? ORDER BY part"
    return [found[0].hex() for found in connection.execute(query, (row,))]


def _insert(connection: sqlite3.Connection, posting: Posting) -> int:
    row = connection.execute(
        "INSERT INTO postings (id, quorum, created_at) VALUES (?, ?, ?) RETURNING posting",
        (to_column(posting.id), posting.quorum, posting.created_at),
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


def _queue(connection: sqlite3.Connection, row: int, url: str, now: int) -> None:
    """Make a relay a destination of a posting, each part queued for it, unless it is one."""
    relay = relay_row(connection, url)
    connection.execute(
        "INSERT INTO destinations (posting, position, relay)"
        " SELECT ?1, ifnull(max(position) + 1, 0), ?2 FROM destinations WHERE posting = ?1"
        " ON CONFLICT DO NOTHING",
        (row, relay),
    )
    connection.execute(
        "INSERT INTO deliveries (posting, part, relay, status, reason, updated_at)"
        " SELECT posting, part, ?, ?, '', ? FROM parts WHERE posting = ?"
        " ON CONFLICT DO NOTHING",
        (relay, Status.QUEUED.value, now, row),
    )


def _load(connection: sqlite3.Connection, row: int) -> Posting:
    head = connection.execute("SELECT quorum, created_at FROM postings WHERE posting = ?", (row,))
    quorum, created_at = head.fetchone()
    events = connection.execute(
        "SELECT json FROM parts JOIN events USING (event) WHERE posting = ? ORDER BY part", (row,)
    )
    relays = connection.execute(
        "SELECT url FROM destinations JOIN relays USING (relay) WHERE posting = ?"
        " ORDER BY position",
        (row,),
    )
    return Posting(
        events=tuple(decode(text) for (text,) in events),
        relays=tuple(url for (url,) in relays),
        quorum=quorum,
        created_at=created_at,
        deliveries=_deliveries(connection, row),
    )


def _deliveries(connection: sqlite3.Connection, row: int) -> tuple[Delivery, ...]:
    found: list[tuple[Any, ...]] = connection.execute(
        "SELECT part, url, status, reason FROM deliveries JOIN relays USING (relay)"
        " JOIN destinations USING (posting, relay) WHERE posting = ? ORDER BY part, position",
        (row,),
    ).fetchall()
    return tuple(Delivery(part, url, Status(status), reason) for part, url, status, reason in found)
