"""Whether a store holds what it says: each event by itself, and every table made from the events.

Knows how to make those tables again, in a file of their own, and to tell the two apart. Repairs
nothing.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nostr_threads.core.event import Event, Verified, verify
from nostr_threads.errors import InvalidEvent
from nostr_threads.store import adding, cancelling
from nostr_threads.store.database import SqliteDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from nostr_threads.store.connection import Connection, Database

__all__ = ["Fault", "audit"]

_BATCH = 2_000

_ROWS = """
    SELECT event, id, pubkey, created_at, kind, json FROM events
    WHERE event > ? ORDER BY event LIMIT ?
"""
_KNOWN = "SELECT id FROM events WHERE id IN (?*)"
# What each table says of events, without the numbers of rows, which may be others when it is made
# again.
_TABLES = {
    "events": """
        SELECT id, address, expires_at, superseded, deleted FROM events WHERE id IN (?*)
    """,
    "tags": """
        SELECT e.id, t.name, t.value, t.created_at FROM events e
        JOIN tags t ON t.event = e.event WHERE e.id IN (?*)
    """,
    "links": """
        SELECT e.id, l.position, l.relation, l.parent, l.claimed, l.root, l.versioned
        FROM events e JOIN links l ON l.child = e.event WHERE e.id IN (?*)
    """,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it should be: in which table, of which event (hex), and what."""

    table: str
    event_id: str
    what: str


def audit(
    database: Database, *, checked: Callable[[int], None] = lambda _: None
) -> Iterator[Fault]:
    """Yield what is wrong. `checked` is told how many events were checked, of twice all there are.

    What others write meanwhile is not looked at. It takes room on the disk for the store once more.
    Raises `StoreError` where it cannot be read at all.
    """
    with (
        tempfile.TemporaryDirectory(prefix="nostr-threads-") as folder,
        database.reading() as connection,
        closing(SqliteDatabase(Path(folder) / "again")) as again,
    ):
        for table, what in connection.damage():
            yield Fault(table, "", what)
        count = yield from _of_the_events(connection, again, checked)
        with again.reading() as made:
            yield from _of_the_tables(connection, made, lambda more: checked(count + more))


def _of_the_events(
    connection: Connection, again: Database, checked: Callable[[int], None]
) -> Generator[Fault, None, int]:
    """Check every event, and make the tables again from those that are true; count them."""
    hidden, count = cancelling.withdrawn(connection), 0
    for rows in _batches(connection):
        good: list[Verified] = []
        for row in rows:
            found = _checked(row)
            if isinstance(found, Fault):
                yield found
            elif found.id not in hidden:
                good.append(found)
        with again.writing() as writing:
            adding.add(writing, good, relay=None, now=0)
        count += len(rows)
        checked(count)
    return count


def _of_the_tables(
    connection: Connection, made: Connection, checked: Callable[[int], None]
) -> Iterator[Fault]:
    """Hold what the tables say of each event against what they say when they are made again."""
    count = 0
    for rows in _batches(connection):
        ids = [row[0] for row in made.look_up(_KNOWN, [row[1] for row in rows])]
        for table, query in _TABLES.items():
            here, there = _said(connection, query, ids), _said(made, query, ids)
            yield from (_fault(table, row, "says too much") for row in here - there)
            yield from (_fault(table, row, "does not say") for row in there - here)
        count += len(rows)
        checked(count)
    yield from _of_the_vanished(connection, made)


def _said(connection: Connection, query: str, ids: Sequence[bytes]) -> set[tuple[Any, ...]]:
    """Return what a table says of events, in words: columns are not alike in every database."""
    return {
        tuple(connection.text(each) if isinstance(each, bytes) else each for each in row)
        for row in connection.look_up(query, ids)
    }


def _of_the_vanished(connection: Connection, made: Connection) -> Iterator[Fault]:
    query = "SELECT pubkey, until FROM vanished"
    here, there = set(connection.execute(query)), set(made.execute(query))
    for pubkey, until in here ^ there:
        yield Fault("vanished", "", f"{pubkey.hex()} up to {until} does not follow from the events")


def _batches(connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    last = 0
    while rows := connection.execute(_ROWS, (last, _BATCH)).fetchall():
        yield rows
        last = rows[-1][0]


def _checked(row: Sequence[Any]) -> Verified | Fault:
    _, event_id, pubkey, created_at, kind, text = row
    try:
        event = verify(Event.from_json(text))
    except InvalidEvent as error:
        return Fault("events", event_id.hex(), error.reason)
    columns = (event_id.hex(), pubkey.hex(), created_at, kind)
    if (event.id, event.pubkey, event.created_at, event.kind) != columns:
        return Fault("events", event_id.hex(), "its columns say something else than its JSON")
    return event


def _fault(table: str, row: tuple[Any, ...], what: str) -> Fault:
    event_id, *values = row
    return Fault(table, event_id, f"{what}: {', '.join(map(str, values))}")
