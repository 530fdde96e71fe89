"""How a batch of events gets into the tables: versions, tags, links, deletions, sightings.

Knows what a new event changes for the stored ones. Knows nothing of transactions or of filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.expiry import expires_at
from nostr_threads.core.kinds import DELETION, address_of
from nostr_threads.store import links
from nostr_threads.store.base import Added
from nostr_threads.store.keys import Column, look_up, to_column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from nostr_threads.core.event import Verified

__all__ = ["add", "relay_row", "rows_of"]

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

_New = dict[int, "Verified"]
"""New events by the row they get."""

_Version = tuple[int, bytes, int]
"""Sorts the current one first: minus `created_at`, id, row (NIP-01: of equals the lowest id)."""

_CURRENT = """
    SELECT address, -created_at, id, event FROM events WHERE superseded = 0 AND address IN (?*)
"""
_DELETED_ID = "UPDATE events SET deleted = 1 WHERE id = ? AND pubkey = ? AND kind <> 5"
_DELETED_ADDRESS = (
    "UPDATE events SET deleted = 1 WHERE address = ? AND pubkey = ? AND created_at <= ?"
)
_DELETIONS = """
    SELECT l.parent, d.pubkey, d.created_at
    FROM links l JOIN events d ON d.event = l.child WHERE l.relation = 'deletion' AND
"""


def add(
    connection: sqlite3.Connection, events: Iterable[Verified], *, relay: str | None, now: int
) -> list[Added]:
    """Keep `events`; say of each what it is once all are there, KNOWN for a repetition.

    Works inside the caller's transaction. `relay` and `now` are those of `Store.add`.
    """
    batch = list(events)
    unique = {event.id: event for event in batch}
    rows = rows_of(connection, unique)
    fresh = (event for event in unique.values() if event.id not in rows)
    new: _New = dict(enumerate(fresh, _next_row(connection)))
    outcomes = _keep(connection, new) if new else {}
    if relay is not None:
        _sight(connection, (*rows.values(), *new), relay, now)
    return [outcomes.pop(event.id, Added.KNOWN) for event in batch]


def rows_of(connection: sqlite3.Connection, event_ids: Iterable[str]) -> dict[str, int]:
    """Return the row of each event that is stored, by id."""
    query = "SELECT id, event FROM events WHERE id IN (?*)"
    found = look_up(connection, query, map(to_column, event_ids))
    return {event_id.hex(): row for event_id, row in found}


def relay_row(connection: sqlite3.Connection, url: str) -> int:
    """Return the row of a relay, making one when the URL is new."""
    connection.execute("INSERT INTO relays (url) VALUES (?) ON CONFLICT DO NOTHING", (url,))
    row = connection.execute("SELECT relay FROM relays WHERE url = ?", (url,)).fetchone()
    return int(row[0])


def _keep(connection: sqlite3.Connection, new: _New) -> dict[str, Added]:
    addresses = {row: found for row, event in new.items() if (found := address_of(event))}
    changed = _insert(connection, new, addresses)
    connection.executemany(
        "INSERT INTO tags (name, value, created_at, event) VALUES (?, ?, ?, ?)",
        (tag for row, event in new.items() for tag in _tag_rows(row, event)),
    )
    links.connect(connection, new, changed)
    _delete(connection, new, addresses)
    return _outcomes(connection, new)


def _next_row(connection: sqlite3.Connection) -> int:
    # Nobody else writes inside our transaction: numbered here, rows can be inserted in bulk.
    found = connection.execute("SELECT max(event) FROM events").fetchone()
    return (found[0] or 0) + 1


def _insert(connection: sqlite3.Connection, new: _New, addresses: Mapping[int, str]) -> list[str]:
    """Insert the events themselves; return the addresses that have a new current version."""
    current, superseded = _versions(connection, new, addresses)
    connection.executemany(
        "UPDATE events SET superseded = 1 WHERE event = ?",
        ((row,) for row in superseded if row not in new),
    )
    connection.executemany(
        "INSERT INTO events (event, id, pubkey, created_at, kind, address, expires_at, superseded,"
        " json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            _event_row(row, event, addresses.get(row), superseded=row in superseded)
            for row, event in new.items()
        ),
    )
    return [address for address, row in current.items() if row in new]


def _versions(
    connection: sqlite3.Connection, new: _New, addresses: Mapping[int, str]
) -> tuple[dict[str, int], set[int]]:
    """Return the row of each address's current version, and the rows that are no longer it."""
    stored = look_up(connection, _CURRENT, dict.fromkeys(addresses.values()))
    current: dict[str, _Version] = {row[0]: (row[1], row[2], row[3]) for row in stored}
    superseded: set[int] = set()
    for row, address in addresses.items():
        version = (-new[row].created_at, bytes.fromhex(new[row].id), row)
        first, *rest = sorted((version, current.get(address, version)))
        current[address] = first
        superseded.update(other[2] for other in rest if other != first)
    return {address: version[2] for address, version in current.items()}, superseded


def _event_row(
    row: int, event: Verified, address: str | None, *, superseded: bool
) -> tuple[object, ...]:
    return (
        row,
        bytes.fromhex(event.id),
        bytes.fromhex(event.pubkey),
        event.created_at,
        event.kind,
        address,
        expires_at(event),
        superseded,
        event.to_json(),
    )


def _tag_rows(row: int, event: Verified) -> Iterator[tuple[str, Column, int, int]]:
    pairs = {tag[:2] for tag in event.tags if len(tag) > 1 and tag[0] in _LETTERS}
    for name, value in pairs:
        yield name, to_column(value), event.created_at, row


def _delete(connection: sqlite3.Connection, new: _New, addresses: Mapping[int, str]) -> None:
    """Obey NIP-09 both ways: new deletions of what is stored, stored deletions of what is new."""
    deletions = (row for row, event in new.items() if event.kind == DELETION)
    found = [*look_up(connection, _DELETIONS + "l.child IN (?*)", deletions)]
    keys = {to_column(event.id) for event in new.values()}.union(addresses.values())
    found += look_up(connection, _DELETIONS + "l.parent IN (?*)", keys)
    ids = [target[:2] for target in found if isinstance(target[0], bytes)]
    connection.executemany(_DELETED_ID, ids)
    others = [target for target in found if isinstance(target[0], str)]
    connection.executemany(_DELETED_ADDRESS, others)


def _outcomes(connection: sqlite3.Connection, new: _New) -> dict[str, Added]:
    flags = connection.execute(
        "SELECT event, superseded, deleted FROM events WHERE event >= ?", (min(new),)
    )
    return {new[row].id: _outcome(superseded, deleted) for row, superseded, deleted in flags}


def _outcome(superseded: int, deleted: int) -> Added:
    if deleted:
        return Added.DELETED
    return Added.SUPERSEDED if superseded else Added.NEW


def _sight(connection: sqlite3.Connection, rows: Iterable[int], relay: str, now: int) -> None:
    number = relay_row(connection, relay)
    connection.executemany(
        "INSERT INTO sightings (event, relay, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        ((row, number, now) for row in rows),
    )
