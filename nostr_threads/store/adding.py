"""How a batch of events gets into the tables: versions, tags, sightings, and what follows from it.

Knows what a new event changes for the stored ones. Knows nothing of transactions or of filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.expiry import expires_at
from nostr_threads.core.kinds import address_of
from nostr_threads.store import deleting, links, looks, purging
from nostr_threads.store.base import Added
from nostr_threads.store.reading import rows_of
from nostr_threads.store.relays import relay_row
from nostr_threads.store.tags import tag_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nostr_threads.core.event import Verified
    from nostr_threads.store.connection import Connection

__all__ = ["add"]

_New = dict[int, "Verified"]
"""New events by the row they get."""

# Of those that are there and those that were, which `purging` keeps in mind.
_LAST_ROW = """
    SELECT max(row) FROM (
        SELECT max(event) AS row FROM events
        UNION ALL SELECT CAST(value AS BIGINT) FROM settings WHERE name = 'last row'
    ) AS given
"""

_Version = tuple[int, bytes, int]
"""Sorts the current one first: minus `created_at`, id, row (NIP-01: of equals the lowest id)."""

_CURRENT = """
    SELECT address, -created_at, id, event FROM events WHERE superseded = 0 AND address IN (?*)
"""


def add(
    connection: Connection, events: Iterable[Verified], *, relay: str | None, now: int
) -> list[Added]:
    """Keep `events`; say of each what it is once all are there, KNOWN for a repetition.

    Works inside the caller's transaction. `relay` and `now` are those of `Store.add`.
    """
    batch = list(events)
    unique = {event.id: event for event in batch}
    rows = rows_of(connection, unique)
    gone = purging.purged(connection, unique.keys() - rows.keys())
    fresh = (event for event in unique.values() if event.id not in rows and event.id not in gone)
    new: _New = dict(enumerate(fresh, _next_row(connection)))
    outcomes = _keep(connection, new) if new else {}
    if relay is not None:
        _sight(connection, (*rows.values(), *new), relay, now)
    return [outcomes.pop(event.id, Added.KNOWN) for event in batch]


def _keep(connection: Connection, new: _New) -> dict[str, Added]:
    addresses = {row: found for row, event in new.items() if (found := address_of(event))}
    changed = _insert(connection, new, addresses)
    connection.insert("tags", "name, value, created_at, event", tag_rows(connection, new))
    links.connect(connection, new, changed)
    deleting.delete(connection, new, addresses.values())
    outcomes = _outcomes(connection, new)
    # What was deleted waits, too: whether it is told is the policy's to say when somebody looks.
    looks.announce(
        connection,
        {row: new[row] for row in new if outcomes[new[row].id] is not Added.SUPERSEDED},
    )
    return outcomes


def _next_row(connection: Connection) -> int:
    # Nobody else writes inside our transaction: numbered here, rows can be inserted in bulk.
    found = connection.execute(_LAST_ROW).fetchone()
    return (found[0] or 0) + 1


def _insert(connection: Connection, new: _New, addresses: Mapping[int, str]) -> list[str]:
    """Insert the events themselves; return the addresses that have a new current version."""
    current, superseded = _versions(connection, new, addresses)
    connection.executemany(
        "UPDATE events SET superseded = 1 WHERE event = ?",
        ((row,) for row in superseded if row not in new),
    )
    connection.insert(
        "events",
        "event, id, pubkey, created_at, kind, address, expires_at, superseded, json",
        (
            _event_row(connection, row, event, addresses.get(row), superseded=row in superseded)
            for row, event in new.items()
        ),
    )
    return [address for address, row in current.items() if row in new]


def _versions(
    connection: Connection, new: _New, addresses: Mapping[int, str]
) -> tuple[dict[str, int], set[int]]:
    """Return the row of each address's current version, and the rows that are no longer it."""
    known = map(connection.column, dict.fromkeys(addresses.values()))
    stored = connection.look_up(_CURRENT, known)
    current: dict[str, _Version] = {
        connection.text(address): (time, event_id, row) for address, time, event_id, row in stored
    }
    superseded: set[int] = set()
    for row, address in addresses.items():
        version = (-new[row].created_at, bytes.fromhex(new[row].id), row)
        first, *rest = sorted((version, current.get(address, version)))
        current[address] = first
        superseded.update(other[2] for other in rest if other != first)
    return {address: version[2] for address, version in current.items()}, superseded


def _event_row(
    connection: Connection, row: int, event: Verified, address: str | None, *, superseded: bool
) -> tuple[object, ...]:
    return (
        row,
        connection.column(event.id),
        connection.column(event.pubkey),
        event.created_at,
        event.kind,
        None if address is None else connection.column(address),
        expires_at(event),
        int(superseded),
        event.to_json(),
    )


def _outcomes(connection: Connection, new: _New) -> dict[str, Added]:
    outcomes = {event.id: Added.NEW for event in new.values()}
    hidden = connection.execute(
        "SELECT event, deleted FROM events WHERE event >= ? AND (superseded = 1 OR deleted = 1)",
        (min(new),),
    )
    for row, deleted in hidden:
        outcomes[new[row].id] = Added.DELETED if deleted else Added.SUPERSEDED
    return outcomes


def _sight(connection: Connection, rows: Iterable[int], relay: str, now: int) -> None:
    number = relay_row(connection, relay)
    connection.complete("sightings", "event, relay, seen_at", ((row, number, now) for row in rows))
