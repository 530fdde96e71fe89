"""When relays were last asked for what somebody says of themselves.

Knows people and times. Knows nothing of what was found: that is in the events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.store.connection import Connection

__all__ = ["asked", "note_asked"]


def asked(connection: Connection, pubkeys: Iterable[str]) -> dict[str, int]:
    """Return the time of the last question about each of `pubkeys`; absent means never."""
    query = "SELECT pubkey, asked_at FROM people WHERE pubkey IN (?*)"
    found = connection.look_up(query, map(connection.column, pubkeys))
    return {pubkey.hex(): asked_at for pubkey, asked_at in found}


def note_asked(connection: Connection, pubkeys: Iterable[str], now: int) -> None:
    """Remember that relays were asked about all of `pubkeys` at `now`."""
    connection.executemany(
        "INSERT INTO people (pubkey, asked_at) VALUES (?, ?)"
        " ON CONFLICT (pubkey) DO UPDATE SET asked_at = excluded.asked_at",
        ((connection.column(pubkey), now) for pubkey in pubkeys),
    )
