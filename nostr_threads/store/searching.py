"""Full text of what people wrote, indexed when it is first looked for.

Knows which events have a text. An event is indexed once: whether it may be shown is for `queries`
to know, and how a search is put to the index for `fts5`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.search_terms import spaced
from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.store.connection import Connection

__all__ = ["forget", "index", "is_behind", "require_index", "text_of"]

_TITLES = frozenset(("title", "summary", "subject"))
# Events, and about as many characters of them, that are indexed in one transaction: others want to
# write, too, and they are held in memory.
_BATCH = 5_000
_MOST_CHARACTERS = 4_000_000

_FRESH = f"""
    SELECT event, json FROM events WHERE event > ? AND event <= ? AND kind IN {kinds.WRITTEN}
    ORDER BY event
"""  # noqa: S608 - our own numbers
_BEHIND = "SELECT 1 FROM indexed WHERE upto < (SELECT max(event) FROM events)"


def is_behind(connection: Connection) -> bool:
    """Whether there is no index yet, or there are events that are not in it."""
    if not connection.words.is_made():
        return True
    return connection.execute(_BEHIND).fetchone() is not None


def require_index(connection: Connection) -> None:
    """Raise `StoreError` where there is no index, and none can be made."""
    if not connection.words.is_made():
        raise StoreError("nothing of this store was indexed: search it once with leave to write")


def index(connection: Connection) -> bool:
    """Index some thousand events more, in the caller's transaction; whether there are others."""
    connection.words.make()
    (upto,) = connection.execute("SELECT upto FROM indexed").fetchone()
    (last,) = connection.execute("SELECT max(event) FROM events").fetchone()
    end = min(upto + _BATCH, last or 0)
    fresh, left = [], _MOST_CHARACTERS
    for row, found in connection.execute(_FRESH, (upto, end)):
        fresh.append((row, text_of(found)))
        if (left := left - len(found)) <= 0:
            end = row
            break
    connection.words.add(fresh)
    connection.execute("UPDATE indexed SET upto = ?1 WHERE upto < ?1", (end,))
    return bool(end < (last or 0))


def forget(connection: Connection, events: Sequence[tuple[int, str]]) -> None:
    """Take events, by their rows and JSON, out of the index, before their rows are removed."""
    (upto,) = connection.execute("SELECT upto FROM indexed").fetchone()
    written = ((row, found) for row, found in events if row <= upto and _is_written(found))
    if texts := [(row, text_of(found)) for row, found in written]:
        connection.words.remove(texts)


def _is_written(found: str) -> bool:
    return json.loads(found)["kind"] in kinds.WRITTEN


def text_of(found: str) -> str:
    """Return what is indexed of an event in JSON: what its author wrote, and its titles."""
    event = json.loads(found)
    titles = (tag[1] for tag in event["tags"] if len(tag) > 1 and tag[0] in _TITLES)
    return spaced("\n".join((*titles, event["content"])))
