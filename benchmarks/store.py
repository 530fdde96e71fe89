"""A thread read and ordered, and the answers to a note found among a million events.

A thread of 10,000 notes, among other threads, is read from the store (`store.thread`), and read and
ordered (`Thread.build`): against the bare SELECT of its rows, and against that with each row made
an event, which nobody can do without. One of 1,000 shows whether that is linear. Then what answers
a note (`#e`) is asked for, among 100,000 events, or a million with `--long`. The goal there is a
rate: queries a second from one reader.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.archive import archive
from benchmarks.events import crowd, other_events
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.event import Event, Verified
from nostr_threads.core.filters import Filter
from nostr_threads.core.thread import Thread
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROUNDS = 5
EVENTS, MANY = 100_000, 1_000_000
NOW = int(START) + 10_000_000
_BATCH = 10_000
_QUERIES = 1_000
_ROWS = """
    SELECT e.json FROM links l JOIN events e ON e.event = l.child
    WHERE l.root = ?1 AND l.position = 0 UNION ALL SELECT json FROM events WHERE id = ?1
"""


def run(rounds: int) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        _threads(Path(folder) / "threads.db", rounds)
        _answers(Path(folder) / "many.db", EVENTS, rounds)


def run_long(rounds: int) -> None:
    """Measure the queries among a million."""
    with tempfile.TemporaryDirectory() as folder:
        _answers(Path(folder) / "many.db", MANY, rounds)


def _threads(path: Path, rounds: int) -> None:
    large, small = crowd(10_000), crowd(1_000)
    with SqliteStore(path) as store, SqliteStore(path.with_suffix(".small")) as little:
        # The two have the same root.
        for each, some in ((store, large), (little, small)):
            for events in (some, other_events()):
                each.add(events, relay="wss://relay.example", now=NOW)
        seconds = in_turn(
            {
                "the bare SELECT of 10,000 rows": partial(_selected, path, large, decode=False),
                "the same, and decoded": partial(_selected, path, large, decode=True),
                "a thread of 10,000 read": partial(_read, store, large, build=False),
                "read and ordered": partial(_read, store, large, build=True),
                "a thread of 1,000 read and ordered": partial(_read, little, small, build=True),
            },
            rounds,
        )
    table(seconds, unit="ms")
    bare, decoded, read, ordered, few = seconds.values()
    ratio("read / bare SELECT", read, bare, "")
    ratio("read / SELECT and decoded", read, decoded, "at most 1.5")
    ratio("read and ordered / SELECT and decoded", ordered, decoded, "")
    ratio("10,000 / 1,000", ordered, few, "about 10")


def _selected(path: Path, events: Sequence[Verified], *, decode: bool) -> float:
    with closing(sqlite3.connect(path)) as connection:
        began = time.perf_counter()
        rows = connection.execute(_ROWS, (bytes.fromhex(events[0].id),)).fetchall()
        found = [Event.from_json(row[0]) for row in rows] if decode else rows
        seconds = time.perf_counter() - began
    assert len(found) == len(events)
    return seconds


def _read(store: SqliteStore, events: Sequence[Verified], *, build: bool) -> float:
    began = time.perf_counter()
    found = store.thread(events[0].id)
    if build:
        Thread.build(found, root=events[0].id, now=NOW)
    seconds = time.perf_counter() - began
    assert len(found) == len(events)
    return seconds


def _answers(path: Path, count: int, rounds: int) -> None:
    """Ask for what answers one note after the other."""
    targets: list[str] = []
    with SqliteStore(path) as store:
        for batch in _batches(archive(count)):
            store.add(batch, relay=None, now=NOW)
            targets += [value for event in batch for value in event.tag_values("e")[:1]]
        asked = Random(1).sample(sorted(set(targets)), _QUERIES)  # noqa: S311 - the same each time
        name = f"#e among {count:,} events"
        seconds = in_turn({name: partial(_asked, store, asked)}, rounds)
    table(seconds, unit="us", per=_QUERIES)
    rates = sorted(_QUERIES / each for each in seconds[name])
    print(f"  queries a second: {rates[len(rates) // 2]:,.0f}  at least 1,000")


def _asked(store: SqliteStore, ids: Sequence[str]) -> float:
    began = time.perf_counter()
    for each in ids:
        assert (
            store.query([Filter(kinds=(1,), tags={"e": (each,)}, limit=500)], now=NOW) is not None
        )
    return time.perf_counter() - began


def _batches(path: Path) -> Iterator[list[Verified]]:
    with path.open(encoding="utf-8") as lines:
        batch: list[Verified] = []
        for line in lines:
            fields = json.loads(line)
            fields["tags"] = tuple(map(tuple, fields["tags"]))
            batch.append(Verified(Event(**fields)))
            if len(batch) == _BATCH:
                yield batch
                batch = []
        yield batch
