"""What keeps a store in order over the years: checked, counted, made small, rid of what is over.

Knows the database as a whole. What an event means is for the other modules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.store import auditing, purging
from nostr_threads.store.policy import Policy, policy
from nostr_threads.store.salvaging import Salvage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nostr_threads.store.auditing import Fault
    from nostr_threads.store.connection import Database

__all__ = ["Statistics", "Upkeep"]

_COUNTS = "SELECT kind, count(*) FROM events GROUP BY kind ORDER BY 2 DESC, 1"
_HIDDEN = """
    SELECT coalesce(sum(superseded), 0), coalesce(sum(deleted), 0), count(*) FROM events
"""
_EXPIRED = "SELECT count(*) FROM events WHERE expires_at <= ? AND superseded = 0 AND deleted = 0"
_AUTHORS = "SELECT count(DISTINCT pubkey) FROM events"
_TIMES = "SELECT min(created_at), max(created_at) FROM events"
_RELAYS = """
    SELECT url, count(*) FROM sightings JOIN relays USING (relay) GROUP BY url ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds, and how large it is.

    `kinds` counts events by kind and `relays` those seen at each, both with the most first.
    `superseded` are hidden. `deleted` and those that have `expired` besides are, too, unless the
    `policy` is to keep them. `first` and `last` are the dates of the oldest and the newest event in
    unix seconds, None where there is none. `bytes` is the size of the database, `spare` what of it
    is not in use.
    """

    events: int
    authors: int
    superseded: int
    deleted: int
    expired: int
    first: int | None
    last: int | None
    bytes: int
    spare: int
    kinds: Mapping[int, int]
    relays: Mapping[str, int]
    policy: Policy


class Upkeep:
    """Does it for one database. Every method raises `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def audit(self, *, checked: Callable[[int], None] = lambda _: None) -> Iterator[Fault]:
        """Yield what is wrong with any event, or any table made from events; see `auditing`."""
        return auditing.audit(self._database, checked=checked)

    def salvage(self) -> Salvage:
        """Begin to read what can be read of a damaged file; see `salvaging`."""
        return Salvage(self._database)

    def statistics(self, *, now: int) -> Statistics:
        """Count what there is at `now`, in unix seconds. Reads all of it."""
        with self._database.reading() as connection:
            superseded, deleted, events = connection.execute(_HIDDEN).fetchone()
            (expired,) = connection.execute(_EXPIRED, (now,)).fetchone()
            (authors,) = connection.execute(_AUTHORS).fetchone()
            first, last = connection.execute(_TIMES).fetchone()
            size, spare = connection.size()
            return Statistics(
                events,
                authors,
                superseded,
                deleted,
                expired,
                first,
                last,
                size,
                spare,
                dict(connection.execute(_COUNTS).fetchall()),
                dict(connection.execute(_RELAYS).fetchall()),
                policy(connection),
            )

    def purge(self, *, now: int) -> int:
        """Remove for good what its author wanted gone and what has expired; return how much it was.

        One's own answers stay. What was removed does not come back, whoever sends it.
        """
        count = 0
        while True:
            with self._database.writing() as connection:
                removed = purging.purge(connection, now)
            if not removed:
                return count
            count += removed

    def tidy(self, *, now: int) -> int:
        """Purge where that is the policy; return how many events it removed."""
        with self._database.reading() as connection:
            found = policy(connection)
        return self.purge(now=now) if found is Policy.PURGE else 0

    def purged(self, event_ids: Iterable[str]) -> frozenset[str]:
        """Return those of `event_ids` that were removed for good."""
        with self._database.reading() as connection:
            return purging.purged(connection, event_ids)

    def vacuum(self) -> None:
        """Write the database anew without what is not in use. Needs as much room again meanwhile.

        Raises `StoreError` while another process is using it.
        """
        self._database.vacuum()
