"""A store held against its own events: whatever was changed in it is found, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.errors import StoreError
from nostr_threads.store.base import Posting
from nostr_threads.store.opening import open_store
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author
from tests.store.conftest import run

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.core.event import Verified
    from nostr_threads.store.auditing import Fault

ALICE, BOB = Author(b"alice"), Author(b"bob")
NOW = int(START) + 1_000
ROOT = ALICE.note("root")
ANSWER = BOB.reply(ROOT, "answer")
DEEP = ALICE.reply(ANSWER, "deep")
OLD, NEW = (ALICE.event(30023, text, START + at, (("d", "a"),)) for at, text in enumerate("ab"))
COMMENT = BOB.event(
    1111,
    "on it",
    START + 9,
    (("A", f"30023:{ALICE.pubkey}:a"), ("a", f"30023:{ALICE.pubkey}:a"), ("k", "30023")),
)
GONE = BOB.note("gone")
DELETION = BOB.event(5, "", START + 20, (("e", GONE.id), ("e", "ab" * 32)))
LEAVING = Author(b"carol").event(62, "", START + 30, (("relay", "ALL_RELAYS"),))
EVENTS = [ROOT, ANSWER, DEEP, OLD, NEW, COMMENT, GONE, DELETION, LEAVING]
RELAY = "wss://relay.example"


def faults(place: str) -> list[Fault]:
    with open_store(place, read_only=True) as store:
        return list(store.upkeep.audit())


@pytest.fixture
def path(place: str) -> str:
    with open_store(place) as store:
        store.add(EVENTS, relay=RELAY, now=NOW)
    return place


def test_a_store_is_as_it_says_and_progress_is_told(path: str) -> None:
    told: list[int] = []
    with open_store(path) as store:
        assert list(store.upkeep.audit(checked=told.append)) == []
    assert told == [len(EVENTS), 2 * len(EVENTS)]


@settings(max_examples=30, deadline=None)
@given(st.permutations(EVENTS), st.integers(1, len(EVENTS)))
def test_in_whatever_order_they_came_and_however_many(order: list[Verified], size: int) -> None:
    with SqliteStore(":memory:") as store:
        for start in range(0, len(order), size):
            store.add(order[start : start + size], relay=None, now=NOW)
        assert list(store.upkeep.audit()) == []


def test_an_answer_that_was_taken_back_is_no_fault(path: str) -> None:
    newer = ALICE.event(30023, "c", START + 50, (("d", "a"),))
    with open_store(path) as store:
        store.enqueue(Posting((newer,), (RELAY,), 1, NOW))
        store.record(newer.id, Delivery(1, RELAY, Status.UNREACHABLE), now=NOW)
        store.cancel(newer.id, now=NOW)
    assert faults(path) == []


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("UPDATE events SET json = replace(json, 'root', 'boot')", "events"),
        ("UPDATE events SET json = 'nonsense' WHERE event = 1", "events"),
        ("UPDATE events SET created_at = created_at + 1 WHERE event = 2", "events"),
        ("UPDATE events SET pubkey = zeroblob(32) WHERE event = 2", "events"),
        ("UPDATE events SET superseded = 0 WHERE superseded = 1", "events"),
        ("UPDATE events SET deleted = 0", "events"),
        ("UPDATE events SET deleted = 1 WHERE event = 1", "events"),
        ("UPDATE events SET expires_at = 5 WHERE event = 1", "events"),
        ("UPDATE events SET address = 'x' WHERE event = 4", "events"),
        ("DELETE FROM tags WHERE event = 2", "tags"),
        ("INSERT INTO tags VALUES ('t', 'x', 5, 1)", "tags"),
        ("UPDATE links SET root = zeroblob(32) WHERE child = 3", "links"),
        ("DELETE FROM links WHERE child = 3", "links"),
        ("DELETE FROM vanished", "vanished"),
        ("INSERT INTO vanished VALUES (zeroblob(32), 5)", "vanished"),
        ("INSERT INTO sightings VALUES (99, 1, 5)", "sightings"),
    ],
)
def test_whatever_was_changed_is_found(path: str, change: str, table: str) -> None:
    run(path, change)
    found = faults(path)
    assert found
    assert table in {fault.table for fault in found}
    assert all(fault.what for fault in found)


def test_a_damaged_page_is_told(tmp_path: Path) -> None:
    path = tmp_path / "big.db"
    with SqliteStore(path) as store:
        notes = [ALICE.note(f"{n} " + "word " * 200, START + n) for n in range(200)]
        store.add(notes, relay=None, now=NOW)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 8192 * 8192
    data[middle : middle + 4096] = bytes(4096)
    path.write_bytes(data)
    with suppress(StoreError):
        assert faults(str(path))
        return
    with pytest.raises(StoreError, match="damaged"):
        faults(str(path))
