"""What arrived and was not looked at yet, by thread.

Knows which events somebody wants to hear of, and which of them were looked at. Knows nothing of how
they are shown.

Each event waits by itself until it was looked at. A time or a number per thread would not do: when
a missing parent comes, threads merge, and what was new in one would be old in the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.store.base import Arrivals
from nostr_threads.store.policy import KEEPS
from nostr_threads.store.reading import decode, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.store.connection import Connection

__all__ = ["announce", "arrivals", "forget", "looked"]

# They point at a conversation, or at everything, and say nothing in it.
_SILENT = frozenset(
    (
        kinds.DELETION,
        kinds.REPOST,
        kinds.REACTION,
        kinds.GENERIC_REPOST,
        kinds.VANISH,
        kinds.ZAP,
    )
)
_WAITING = f"""
    SELECT e.json, coalesce(l.root, e.address, e.id)
    FROM arrivals a CROSS JOIN events e
    LEFT JOIN links l ON l.child = e.event AND l.position = 0
    WHERE e.event = a.event AND a.event <= ?1
    AND e.superseded = 0 AND (e.deleted = 0 OR {KEEPS})
"""  # noqa: S608 - our own text
# Looked up from the thread's side: what waits elsewhere may be much more.
_IN_THREAD = """
    AND a.event IN (
        SELECT child FROM links WHERE root = ?2 AND position = 0
        UNION SELECT event FROM events WHERE id = ?2
        UNION SELECT event FROM events WHERE address = ?2
    )
"""
_ORDER = " ORDER BY a.event"
_FORGET_HIDDEN = f"""
    DELETE FROM arrivals WHERE event IN (
        SELECT event FROM arrivals JOIN events USING (event)
        WHERE event <= ? AND (superseded = 1 OR deleted = 1 AND NOT {KEEPS})
    )
"""  # noqa: S608 - our own text


def announce(connection: Connection, new: Mapping[int, Event]) -> None:
    """Let new events (by row) wait until they are looked at, if they say something."""
    rows = ((row,) for row, event in new.items() if _speaks(event))
    connection.insert("arrivals", "event", rows)


def forget(connection: Connection, rows: Iterable[int]) -> None:
    """Count events as looked at."""
    connection.executemany("DELETE FROM arrivals WHERE event = ?", ((row,) for row in rows))


def arrivals(connection: Connection, root: str | None, upto: int | None = None) -> Arrivals:
    """Return what waits, in all threads or in that of the key `root`, up to the row `upto`."""
    cursor = connection.execute("SELECT coalesce(max(event), 0) FROM events").fetchone()[0]
    if upto is not None:
        cursor = min(cursor, upto)
    if root is None:
        found = connection.execute(_WAITING + _ORDER, (cursor,))
    else:
        given = (cursor, connection.column(root))
        found = connection.execute(_WAITING + _IN_THREAD + _ORDER, given)
    threads: dict[str, list[Verified]] = {}
    for text, key in found:
        threads.setdefault(connection.text(key), []).append(decode(text))
    return Arrivals(cursor, {key: tuple(events) for key, events in threads.items()})


def looked(connection: Connection, seen: Arrivals) -> None:
    """Count exactly what is in `seen` as looked at, and drop what is no longer worth a look."""
    ids = [event.id for events in seen.threads.values() for event in events]
    forget(connection, rows_of(connection, ids).values())
    connection.execute(_FORGET_HIDDEN, (seen.cursor,))


def _speaks(event: Event) -> bool:
    """Whether it is part of a conversation; of what has versions, only articles are."""
    if event.kind == kinds.ARTICLE:
        return True
    passing = kinds.is_ephemeral(event.kind) or kinds.address_of(event) is not None
    return event.kind not in _SILENT and not passing
