"""The events of one thread.

Knows what leads to a root, and what hangs under the notes that are missing on the way. Knows
nothing of how a tree is made of it; that is in `core.tree`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store.keys import Column, look_up, to_column
from nostr_threads.store.reading import decode

if TYPE_CHECKING:
    import sqlite3

    from nostr_threads.core.event import Verified

__all__ = ["thread"]

_MISSING = """
    NOT EXISTS (SELECT 1 FROM events s WHERE s.id = l.parent)
    AND NOT EXISTS (SELECT 1 FROM events s WHERE s.address = l.parent)
"""
# The last line is for versions that answer nothing themselves, of an article that now does.
_LEADING_HERE = f"""
    WITH below (event) AS (SELECT child FROM links WHERE root = ?1)
    SELECT e.event, e.json, e.id = ?1 OR ifnull(e.address = ?1, 0), (
        SELECT l.parent FROM links l WHERE l.child = e.event AND l.position = 0
        AND l.relation = 'reply' AND e.superseded = 0 AND {_MISSING}
    )
    FROM events e WHERE e.event IN (
        SELECT event FROM events WHERE id = ?1
        UNION SELECT event FROM events WHERE address = ?1
        UNION SELECT event FROM below
        UNION SELECT event FROM events WHERE address IN (
            SELECT address FROM events JOIN below USING (event) WHERE address IS NOT NULL)
    )
"""  # noqa: S608 - our own text
# From the keys of missing notes down: what answers, what it is also called, its other versions, and
# the missing notes of those who claim one of all these as their root.
_HANGING = f"""
    WITH RECURSIVE hanging (key) AS (
        SELECT parent FROM links WHERE parent IN (?*)
        UNION SELECT e.id FROM hanging h CROSS JOIN links l ON l.parent = h.key
            CROSS JOIN events e ON e.event = l.child AND e.superseded = 0
        UNION SELECT e.address FROM hanging h CROSS JOIN events e ON e.id = h.key
            WHERE e.address IS NOT NULL
        UNION SELECT e.id FROM hanging h CROSS JOIN events e ON e.address = h.key
        UNION SELECT l.parent FROM hanging h CROSS JOIN links l ON l.claimed = h.key
            CROSS JOIN events e ON e.event = l.child AND e.superseded = 0
            WHERE l.relation = 'reply' AND {_MISSING}
    )
    SELECT e.event, e.json FROM hanging h CROSS JOIN events e ON e.id = h.key
"""  # noqa: S608 - our own text


def thread(connection: sqlite3.Connection, root: str) -> list[Verified]:
    """Return the versions of the root `root` (id or address) and all that belongs under it."""
    key = to_column(root)
    texts: dict[int, str] = {}
    gaps: set[Column] = set()
    missing = True
    for row, text, is_root, gap in connection.execute(_LEADING_HERE, (key,)):
        texts[row] = text
        if is_root:
            missing = False
        if gap is not None:
            gaps.add(gap)
    # Those who answer a missing note disagree about the root: the tree hears them all.
    texts.update(look_up(connection, _HANGING, [key, *gaps] if missing else gaps))
    return [decode(text) for text in texts.values()]
