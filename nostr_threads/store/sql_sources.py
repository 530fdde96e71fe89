"""The sources of a store; see `sources`.

Knows their tables. Knows nothing of events.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish
from nostr_threads.core.sources import Source
from nostr_threads.core.windows import Span, Spans
from nostr_threads.store.relays import relay_row
from nostr_threads.store.sources import Branch, Method, Sync

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.store.connection import Connection, Database

__all__ = ["SqlSources"]

_RUNNING = "running"

_ROW = "SELECT source FROM sources WHERE name = ?"
_ADD = "INSERT INTO sources (name, text, added_at) VALUES (?, ?, ?)"
_REPLACE = "UPDATE sources SET text = ? WHERE source = ?"
_SYNCS = """
    SELECT r.url, s.method, s.finish, s.reason, s.ended_at, s.events
    FROM syncs s JOIN relays r USING (relay) WHERE s.source = ? ORDER BY r.relay
"""
_SPANS = """
    SELECT r.url, p.first, p.last FROM spans p JOIN relays r USING (relay) WHERE p.source = ?
"""
_NOTE = """
    INSERT INTO syncs (source, relay, method, finish, reason, ended_at, events)
    VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (source, relay) DO UPDATE SET
    method = excluded.method, finish = excluded.finish, reason = excluded.reason,
    ended_at = excluded.ended_at
"""
_BRANCHES = "SELECT root, fetched_at, whole, events FROM branches WHERE source = ?"
_NOTE_BRANCH = """
    INSERT INTO branches (source, root, fetched_at, whole, events) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (source, root) DO UPDATE SET
    fetched_at = excluded.fetched_at, whole = excluded.whole, events = excluded.events
"""
_REMOVE = (
    "DELETE FROM branches WHERE source = ?",
    "DELETE FROM spans WHERE source = ?",
    "DELETE FROM syncs WHERE source = ?",
    "DELETE FROM sources WHERE source = ?",
)
_TOUCHED = "FROM spans WHERE source = ? AND relay = ? AND first <= ? AND last >= ?"
_DELETE_LATER = "DELETE FROM spans WHERE source = ? AND relay = ? AND first > ?"
_CUT_LATER = "UPDATE spans SET last = ? WHERE source = ? AND relay = ? AND last > ?"
_COUNT = "UPDATE syncs SET events = events + ? WHERE source = ? AND relay = ?"


class SqlSources:
    """Implements `Sources` over the database of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, source: Source, *, now: int) -> bool:
        """Keep a source; whether it is new. One of the same name is replaced."""
        with self._database.writing(durable=True) as connection:
            if (row := _row(connection, source.name)) is None:
                connection.execute(_ADD, (source.name, source.to_json(), now))
            else:
                connection.execute(_REPLACE, (source.to_json(), row))
        return row is None

    def all(self) -> tuple[Source, ...]:
        """Return all sources, in the order in which they came."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT text FROM sources ORDER BY source").fetchall()
        return tuple(Source.from_json(text) for (text,) in rows)

    def remove(self, name: str) -> bool:
        """Forget a source and how far it was got; whether there was one."""
        with self._database.writing(durable=True) as connection:
            if (row := _row(connection, name)) is None:
                return False
            for delete in _REMOVE:
                connection.execute(delete, (row,))
        return True

    def syncs(self, name: str) -> Mapping[str, Sync]:
        """Return how far the source is got, by the URLs of relays."""
        with self._database.reading() as connection:
            row = _row(connection, name)
            found = connection.execute(_SYNCS, (row,)).fetchall()
            spans: defaultdict[str, list[Span]] = defaultdict(list)
            for url, first, last in connection.execute(_SPANS, (row,)):
                spans[url].append(Span(first, last))
        return {
            url: Sync(
                Method(method),
                None if finish == _RUNNING else Finish(finish),
                reason,
                ended_at,
                events,
                Spans.of(spans[url]),
            )
            for url, method, finish, reason, ended_at, events in found
        }

    def got(self, name: str, relay: str, span: Span | None, *, events: int) -> None:
        """Note that so many new events came from a relay, and with them every second of `span`."""
        with self._database.writing() as connection:
            if (row := _row(connection, name)) is None:
                return
            place = (row, relay_row(connection, relay))
            connection.execute(_COUNT, (events, *place))
            if span is not None:
                _merge(connection, place, span)

    def cut(self, name: str, relay: str, *, after: int) -> None:
        """Forget that anything later than the second `after` was got: a clock was wrong."""
        with self._database.writing() as connection:
            if (row := _row(connection, name)) is None:
                return
            place = (row, relay_row(connection, relay))
            connection.execute(_DELETE_LATER, (*place, after))
            connection.execute(_CUT_LATER, (after, *place, after))

    def branches(self, name: str) -> Mapping[str, Branch]:
        """Return the threads under the notes of an author that were fetched, by their roots."""
        with self._database.reading() as connection:
            found = connection.execute(_BRANCHES, (_row(connection, name),)).fetchall()
        return {
            connection.text(root): Branch(fetched_at, bool(whole), events)
            for root, fetched_at, whole, events in found
        }

    def note_branches(self, name: str, branches: Mapping[str, Branch]) -> None:
        """Note what became of threads, by their roots."""
        with self._database.writing() as connection:
            if (row := _row(connection, name)) is None:
                return
            connection.executemany(
                _NOTE_BRANCH,
                (
                    (row, connection.column(root), each.fetched_at, int(each.whole), each.events)
                    for root, each in branches.items()
                ),
            )

    def note(self, name: str, relay: str, sync: Sync) -> None:
        """Note how a run begins or has ended."""
        finish = _RUNNING if sync.finish is None else sync.finish.value
        with self._database.writing() as connection:
            if (row := _row(connection, name)) is None:
                return
            values = (sync.method.value, finish, sync.reason, sync.ended_at)
            connection.execute(_NOTE, (row, relay_row(connection, relay), *values))


def _row(connection: Connection, name: str) -> int | None:
    found = connection.execute(_ROW, (name,)).fetchone()
    return None if found is None else int(found[0])


def _merge(connection: Connection, place: tuple[int, int], span: Span) -> None:
    """Add a span to those of a source at a relay, which then neither touch nor overlap."""
    touched = (*place, span.last + 1, span.first - 1)
    found = connection.execute(f"SELECT first, last {_TOUCHED}", touched).fetchall()
    (merged,) = Spans.of([span, *(Span(*each) for each in found)]).spans
    connection.execute(f"DELETE {_TOUCHED}", touched)
    connection.execute("INSERT INTO spans VALUES (?, ?, ?, ?)", (*place, merged.first, merged.last))
