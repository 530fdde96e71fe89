"""Stored events in the order of their times, a stretch of time after the other.

Knows how long a stretch may be for its events to fit into memory. What meets a filter is known in
`queries`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.core.filters import Filter
from nostr_threads.store import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.store.connection import Connection
    from nostr_threads.store.queries import Sight

__all__ = ["Walk"]

# Stored events in a stretch. It grows while few of them are wanted, and shrinks again.
_LEAST, _MOST = 1_000, 32_000
_FEW = 250

_BOUND = "SELECT created_at FROM events WHERE created_at >= ? ORDER BY created_at LIMIT 1 OFFSET ?"


@dataclass(slots=True)
class Walk:
    """Goes through what meets one of `filters` and is seen.

    Each `step` may see another state of the database: what is stored meanwhile in a time that is
    passed is left out. Events of one second are never parted.
    """

    filters: Sequence[Filter]
    sight: Sight
    is_over: bool = False
    _since: int = 0
    _size: int = field(default_factory=lambda: _LEAST)
    _newest: Sequence[tuple[int, bytes]] | None = None

    def step(self, connection: Connection) -> list[str]:
        """Return the JSON of what is wanted of the next stretch, oldest first, ties by id."""
        bound = connection.execute(_BOUND, (self._since, self._size)).fetchone()
        until = MAX_CREATED_AT if bound is None else bound[0]
        wanted = self._wanted(connection, until)
        found = sorted(queries.items(connection, wanted, self.sight, None)) if wanted else []
        self._since, self.is_over = until + 1, bound is None
        if len(found) < _FEW:
            self._size = min(2 * self._size, _MOST)
        else:
            self._size = max(self._size // 2, _LEAST)
        return _texts(connection, [event_id for _, event_id in found])

    def _wanted(self, connection: Connection, until: int) -> list[Filter]:
        """Return the filters for one stretch."""
        endless = (each for each in self.filters if each.limit is None)
        wanted = [
            replace(each, since=max(self._since, each.since or 0), until=_least(until, each.until))
            for each in endless
        ]
        newest = self._of_limited(connection)
        ids = tuple(each.hex() for at, each in newest if self._since <= at <= until)
        return [*wanted, Filter(ids=ids)] if ids else wanted

    def _of_limited(self, connection: Connection) -> Sequence[tuple[int, bytes]]:
        """What is wanted by filters with a limit, which is about the newest of all: found once."""
        if self._newest is None:
            limited = [each for each in self.filters if each.limit is not None]
            self._newest = queries.items(connection, limited, self.sight, None)
        return self._newest


def _least(until: int, other: int | None) -> int:
    return until if other is None else min(until, other)


def _texts(connection: Connection, ids: Sequence[bytes]) -> list[str]:
    query = "SELECT id, json FROM events WHERE id IN (?*)"
    # A bytearray is bound at half the price; see `keys.Column`.
    texts: dict[bytes, str] = dict(connection.look_up(query, map(bytearray, ids)))
    return [texts[event_id] for event_id in ids]
