"""When relays were last asked for what somebody says of themselves.

Knows people and times. Knows nothing of what was found: that is in the events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store.keys import look_up, to_column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["asked", "note_asked"]


def asked(connection: sqlite3.Connection, pubkeys: Iterable[str]) -> dict[str, int]:
    """Return the time of the last question about each of `pubkeys`; absent means never."""
    query = "SELECT pubkey, asked_at FROM people WHERE pubkey IN (?*)"
    found = look_up(connection, query, map(to_column, pubkeys))
    return {pubkey.hex(): asked_at for pubkey, asked_at in found}


def note_asked(connection: sqlite3.Connection, pubkeys: Iterable[str], now: int) -> None:
    """Remember that relays were asked about all of `pubkeys` at `now`."""
    connection.executemany(
        "INSERT INTO people (pubkey, asked_at) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at",
        ((to_column(pubkey), now) for pubkey in pubkeys),
    )
