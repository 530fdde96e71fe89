"""The threads of the store, those first in which something was said last.

Knows when a thread was last written in, and how much of it nobody has looked at. Knows nothing of
what is said.

The walk begins at the newest note and ends with the page: a store of a million notes is not read to
show a few threads of it, unless they have most of its notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.store.base import Activity
from nostr_threads.store.queries import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.store.connection import Connection
    from nostr_threads.store.keys import Column

__all__ = ["active"]

# Notes that a walk reads at once.
_STRETCH = 1_000
# Seconds: a note from further ahead would stand on top for as long.
_AHEAD = 900
_SAYS = f"IN {kinds.WRITTEN}"

_NEWEST = f"""
    SELECT e.event, e.created_at, coalesce(l.root, e.address, e.id)
    FROM events e LEFT JOIN links l ON l.child = e.event AND l.position = 0
    WHERE e.created_at <= ? AND (e.created_at < ? OR e.event < ?) AND {{aside}}e.kind {_SAYS}
    AND {VISIBLE}
    ORDER BY e.created_at DESC, e.event DESC LIMIT {_STRETCH}
"""  # noqa: S608 - our own text
_FIGURES = f"""
    SELECT count(*), count(a.event), max(e.created_at)
    FROM events e LEFT JOIN arrivals a ON a.event = e.event
    WHERE e.event IN (
        SELECT child FROM links WHERE root = ? AND position = 0
        UNION SELECT event FROM events WHERE id = ?
        UNION SELECT event FROM events WHERE address = ?
    ) AND {{aside}}e.created_at <= ? AND {{aside}}e.kind {_SAYS} AND {VISIBLE}
"""  # noqa: S608 - our own text


def active(
    connection: Connection, *, now: int, most: int, before: Activity | None
) -> list[Activity]:
    """Return up to `most` threads, in the order of `_rank`, those that come after `before`."""
    found: list[Activity] = []
    seen: set[Column] = set()
    last = None
    for created_at, root in _newest_first(connection, now, before):
        # Those of one second are put in order by their keys: all of them have to be there.
        if len(found) >= most and created_at != last:
            break
        if root not in seen:
            seen.add(root)
            thread = _figures(connection, root, now)
            if before is None or _rank(thread) > _rank(before):
                found.append(thread)
                last = created_at
    return sorted(found, key=_rank)[:most]


def _rank(thread: Activity) -> tuple[int, str]:
    return -thread.last_at, thread.root


def _newest_first(
    connection: Connection, now: int, before: Activity | None
) -> Iterator[tuple[int, Column]]:
    """Yield when each note was written and the key of its thread, the newest first."""
    query = _NEWEST.format(aside=connection.aside)
    at, row = (now + _AHEAD if before is None else before.last_at) + 1, 0
    while rows := connection.execute(query, (at, at, row, now)).fetchall():
        yield from ((created_at, root) for _, created_at, root in rows)
        row, at, _ = rows[-1]


def _figures(connection: Connection, root: Column, now: int) -> Activity:
    query = _FIGURES.format(aside=connection.aside)
    row = connection.execute(query, (root, root, root, now + _AHEAD, now)).fetchone()
    return Activity(connection.text(root), *row)
