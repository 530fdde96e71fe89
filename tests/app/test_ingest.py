"""Files taken into a store: what is true once, whoever checks it, and the rest by its number."""

from __future__ import annotations

import io
import os
import signal
from itertools import count
from random import Random
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app import ingest as pipeline
from nostr_threads.app import taking
from nostr_threads.app.blocks import Source
from nostr_threads.app.ingest import Counts, Ingest, Refusal, processes_for
from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author, thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nostr_threads.core.event import Verified

NOW = START + 1_000_000
RELAY = "wss://a.example"
EVENTS = thread(60, seed=3)
# In other processes, in one, and in this one.
WAYS = (0, 1, 3)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few lines, each worth a process, and transactions of a few events."""
    monkeypatch.setattr("nostr_threads.app.blocks._FULL", 2_000)
    monkeypatch.setattr("nostr_threads.app.blocks._PIECE", 1_000)
    monkeypatch.setattr(pipeline, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(taking, "_BATCH_EVENTS", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


def source(lines: Iterable[bytes]) -> Source:
    data = b"\n".join(lines)
    return Source("x", io.BufferedReader(io.BytesIO(data)), len(data))


def line(event: Verified) -> bytes:
    return event.to_json().encode()


def taken(
    path: Path | None, lines: Iterable[bytes], *, processes: int = 1, relay: str | None = None
) -> tuple[Counts, list[Refusal]]:
    refusals: list[Refusal] = []
    with SqliteStore(path or ":memory:") as store:
        with Ingest(
            store, path, processes=processes, relay=relay, now=NOW, refused=refusals.append
        ) as ingest:
            ingest.take(source(lines))
        return ingest.counts, refusals


def stored(path: Path) -> set[str]:
    with SqliteStore(path, read_only=True) as store:
        return {event.id for event in store.query([Filter()], now=NOW)}


@pytest.mark.parametrize("processes", WAYS)
def test_everything_is_stored_once_and_a_second_time_skipped(path: Path, processes: int) -> None:
    lines = [line(event) for event in EVENTS]
    counts, refusals = taken(path, [*lines, lines[0]], processes=processes)
    # The copy comes before or after the first is in the store.
    assert (counts.new, counts.known, refusals) == (60, 1, [])
    assert stored(path) == {event.id for event in EVENTS}
    assert taken(path, lines, processes=processes) == (Counts(known=60), [])


def refused_lines() -> Iterator[tuple[bytes, str]]:
    """Lines that are none to keep, and what is said of them."""
    event = Author(5).note("true")
    good = line(event)
    yield good.replace(b'"true"', b'"false"'), "the id is not the hash of the event"
    sig = event.sig.encode()
    yield good.replace(sig, sig[2:] + sig[:2]), "the signature does not fit"
    yield good[:-20], "truncated"
    yield b"\x00\x01\x02", "malformed"
    yield good.replace(b"true", b"tr\xffe"), "UTF-8"
    yield b'["NOTICE","x"]', "EVENT"
    yield b"null", "expected"


@pytest.mark.parametrize("processes", WAYS)
def test_what_is_no_event_is_refused_by_its_number_and_the_rest_is_taken(
    path: Path, processes: int
) -> None:
    bad = [*refused_lines()]
    lines = [line(event) for event in EVENTS]
    numbers = Random(2).sample(range(1, 60), len(bad))
    for number, (text, _) in zip(sorted(numbers), bad, strict=True):
        lines.insert(number, text)
    counts, refusals = taken(path, [b"", *lines, b"  ", b""], processes=processes)
    assert (counts.new, counts.refused) == (60, len(bad))
    assert [refusal.line for refusal in refusals] == [number + 2 for number in sorted(numbers)]
    for refusal, (_, reason) in zip(refusals, bad, strict=True):
        assert reason in refusal.reason


def test_a_forged_copy_does_not_hide_the_honest_one(path: Path) -> None:
    """Verify before seen: an id counts only once an event with it was verified."""
    event = Author(5).note("true")
    forged = line(event).replace(b'"true"', b'"false"')
    counts, _ = taken(path, [forged, line(event), forged])
    assert (counts.new, stored(path)) == (1, {event.id})


def test_a_line_that_claims_a_known_id_changes_nothing(path: Path) -> None:
    event = Author(5).note("true")
    taken(path, [line(event)])
    forged = line(event).replace(b'"true"', b'"false"')
    assert taken(path, [forged]) == (Counts(known=1), [])
    with SqliteStore(path) as store:
        assert store.event(event.id) == event


@pytest.mark.parametrize("processes", WAYS)
def test_a_sighting_needs_a_verified_event(path: Path, processes: int) -> None:
    lines = [line(event) for event in EVENTS]
    taken(path, lines)
    forged = lines[0].replace(b"note 0", b"note X")
    counts, refusals = taken(path, [forged, *lines[1:]], processes=processes, relay=RELAY)
    assert (counts.verified, counts.known, len(refusals)) == (59, 59, 1)
    with SqliteStore(path) as store:
        seen = store.sightings([event.id for event in EVENTS])
    assert [*seen.values()] == [(), *[(RELAY,)] * 59]
    again, _ = taken(path, lines[1:], processes=processes, relay=RELAY)
    assert again == Counts(known=59)


@pytest.mark.parametrize("processes", WAYS)
def test_without_a_store_everything_is_verified_and_nothing_kept(processes: int) -> None:
    refusals: list[Refusal] = []
    lines = [line(event) for event in EVENTS]
    with Ingest(None, processes=processes, now=NOW, refused=refusals.append) as ingest:
        ingest.take(source([*lines, b"x", *lines]))
    assert ingest.counts == Counts(verified=120, refused=1)
    assert [refusal.line for refusal in refusals] == [61]


def test_the_work_of_a_process_that_died_is_done_here(path: Path) -> None:
    lines = [line(event) for event in EVENTS]
    with SqliteStore(path) as store:
        with Ingest(store, path, processes=1, now=NOW) as ingest:

            def kill() -> None:
                (process,) = ingest._checkers._processes
                os.kill(process._process.pid, signal.SIGKILL)

            ingest.take(source(lines), kill)
        assert ingest.counts.new == 60


def test_where_no_process_can_be_started_all_is_done_here(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(path.with_name("nothing")))
    counts, _ = taken(path, [line(event) for event in EVENTS])
    assert counts.new == 60


@pytest.mark.parametrize("processes", WAYS)
def test_a_store_that_fails_ends_it_and_keeps_what_it_had(
    path: Path, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = SqliteStore.add
    left = iter(range(3))

    def full(self: SqliteStore, events: Iterable[Verified], **given: object) -> object:
        if next(left, None) is None:
            raise StoreError("there is no room left on the disk")
        return add(self, events, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteStore, "add", full)
    # Much that is refused: nobody who tells of it may wait for a reader that is gone.
    lines = [*(line(event) for event in EVENTS), *[b"x"] * 100_000]
    with pytest.raises(StoreError, match="no room"):
        taken(path, lines, processes=processes)
    assert len(stored(path)) == 3 * 7


def test_a_full_disk_is_told_and_what_was_stored_stays(path: Path) -> None:
    lines = [line(event) for event in EVENTS]
    taken(path, lines[:20])
    with SqliteStore(path) as store:
        with store._database.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        long = [Author(7).note("x" * 3_000, START + number) for number in range(40)]
        ingest = Ingest(store, path, processes=1, now=NOW)
        with pytest.raises(StoreError, match="no room left on the disk"), ingest:
            ingest.take(source([line(event) for event in long]))
    assert stored(path) >= {event.id for event in EVENTS[:20]}
    counts, _ = taken(path, [*lines, *(line(event) for event in long)])
    assert counts.known + counts.new == 100
    assert len(stored(path)) == 100


def test_a_store_that_is_read_only_is_told(path: Path) -> None:
    lines = [line(event) for event in EVENTS]
    taken(path, lines[:20])
    with SqliteStore(path, read_only=True) as store:
        ingest = Ingest(store, path, processes=1, now=NOW)
        with pytest.raises(StoreError, match="cannot be written"), ingest:
            ingest.take(source(lines))
    assert len(stored(path)) == 20


def test_an_error_of_the_reader_leaves_what_was_verified(path: Path) -> None:
    lines = [line(event) for event in EVENTS]
    blocks = count()

    def interrupt() -> None:
        if next(blocks) == 3:
            raise KeyboardInterrupt

    with SqliteStore(path) as store:
        ingest = Ingest(store, path, processes=1, now=NOW)
        with pytest.raises(KeyboardInterrupt), ingest:
            ingest.take(source(lines), interrupt)
        found = len(store.query([Filter()], now=NOW))
    assert found == ingest.counts.new < 60


def test_processes_leave_a_core_to_the_one_who_writes() -> None:
    assert [processes_for(cores, is_stored=True) for cores in (1, 2, 3, 64)] == [1, 1, 2, 2]
    assert [processes_for(cores, is_stored=False) for cores in (1, 2, 64)] == [1, 2, 8]
