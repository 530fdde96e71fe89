"""What authors want gone: single events (NIP-09), or everything up to a time (NIP-62).

Knows what is marked as deleted, whichever came first. Knows nothing of what that hides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.kinds import DELETION, VANISH
from nostr_threads.store.keys import is_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nostr_threads.core.event import Event
    from nostr_threads.store.connection import Connection

__all__ = ["delete"]

_DELETED_ID = """
    UPDATE events SET deleted = 1 WHERE id = ? AND pubkey = ? AND kind NOT IN (5, 62)
"""
_DELETED_ADDRESS = (
    "UPDATE events SET deleted = 1 WHERE address = ? AND pubkey = ? AND created_at <= ?"
)
_DELETIONS = """
    SELECT l.parent, d.pubkey, d.created_at
    FROM links l JOIN events d ON d.event = l.child WHERE l.relation = 'deletion' AND
"""
_VANISHED = """
    INSERT INTO vanished (pubkey, until) VALUES (?, ?)
    ON CONFLICT (pubkey) DO UPDATE SET until = excluded.until
    WHERE excluded.until > vanished.until
"""
_GONE = "UPDATE events SET deleted = 1 WHERE pubkey = ? AND created_at <= ? AND kind <> 62"
_GONE_AT_ONCE = "UPDATE events SET deleted = 1 WHERE event = ?"


def delete(connection: Connection, new: Mapping[int, Event], addresses: Iterable[str]) -> None:
    """Obey new requests on what is stored, and stored requests on what is new (by row).

    `addresses` are those of the new events. All are stored and linked already.
    """
    _obey_deletions(connection, new, addresses)
    _obey_vanishing(connection, new)


def _obey_deletions(
    connection: Connection, new: Mapping[int, Event], addresses: Iterable[str]
) -> None:
    deletions = (row for row, event in new.items() if event.kind == DELETION)
    found = [*connection.look_up(_DELETIONS + "l.child IN (?*)", deletions)]
    keys = map(connection.column, (*(event.id for event in new.values()), *addresses))
    found += connection.look_up(_DELETIONS + "l.parent IN (?*)", keys)
    ids = [target[:2] for target in found if is_id(target[0])]
    connection.executemany(_DELETED_ID, ids)
    others = [target for target in found if not is_id(target[0])]
    connection.executemany(_DELETED_ADDRESS, others)


def _obey_vanishing(connection: Connection, new: Mapping[int, Event]) -> None:
    requests = [
        (connection.column(event.pubkey), event.created_at)
        for event in new.values()
        if _asks_everywhere(event)
    ]
    connection.executemany(_VANISHED, requests)
    connection.executemany(_GONE, requests)
    gone = _vanished(connection, {event.pubkey for event in new.values()})
    connection.executemany(
        _GONE_AT_ONCE,
        (
            (row,)
            for row, event in new.items()
            if event.kind != VANISH and event.created_at <= gone.get(event.pubkey, -1)
        ),
    )


def _asks_everywhere(event: Event) -> bool:
    """Whether it is a request to all relays: one to certain relays is no business of ours."""
    return event.kind == VANISH and "ALL_RELAYS" in event.tag_values("relay")


def _vanished(connection: Connection, pubkeys: Collection[str]) -> dict[str, int]:
    query = "SELECT pubkey, until FROM vanished WHERE pubkey IN (?*)"
    found = connection.look_up(query, map(connection.column, pubkeys))
    return {pubkey.hex(): until for pubkey, until in found}
