"""The events of one thread.

Knows what leads to a root, and what hangs under the notes that are missing on the way. Knows
nothing of how a tree is made of it; that is in `core.tree`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store.reading import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.core.event import Verified
    from nostr_threads.store.connection import Connection
    from nostr_threads.store.keys import Column

__all__ = ["thread"]

_MISSING = """
    NOT EXISTS (SELECT 1 FROM events s WHERE s.id = l.parent)
    AND NOT EXISTS (SELECT 1 FROM events s WHERE s.address = l.parent)
"""
# The last line is for versions that answer nothing themselves, of an article that now does.
_LEADING_HERE = f"""
    WITH below (event) AS (SELECT child FROM links WHERE root = ?1)
    SELECT e.event, e.json, e.id = ?1 OR coalesce(e.address = ?1, FALSE), (
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
_MISSING_NOTES = "SELECT parent FROM links WHERE parent IN (?*)"
_DOWN = "links l CROSS JOIN events e WHERE e.event = l.child AND e.superseded = 0 AND "
_STEPS = (
    ("e.id", f"{_DOWN} l.parent = here.key"),
    ("e.address", "events e WHERE e.id = here.key AND e.address IS NOT NULL"),
    ("e.id", "events e WHERE e.address = here.key"),
    ("l.parent", f"{_DOWN} l.claimed = here.key AND l.relation = 'reply' AND {_MISSING}"),
)
_REACHED = "SELECT e.event, e.json FROM reached CROSS JOIN events e WHERE e.id = reached.key"


def thread(connection: Connection, root: str) -> list[Verified]:
    """Return the versions of the root `root` (id or address) and all that belongs under it."""
    key = connection.column(root)
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
    texts.update(_hanging(connection, [key, *gaps] if missing else gaps))
    return [decode(text) for text in texts.values()]


def _hanging(connection: Connection, keys: Iterable[Column]) -> Iterator[tuple[int, str]]:
    """Return what hangs under missing notes, by row and JSON."""
    query = f"{connection.reachable(_MISSING_NOTES, _STEPS)} {_REACHED}"
    return connection.look_up(query, keys)
