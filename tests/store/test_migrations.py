"""Files of earlier versions are brought up to date and still answer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.filters import Filter
from nostr_threads.core.routing import Record
from nostr_threads.errors import InvalidInput, StoreError
from nostr_threads.store.base import Added
from nostr_threads.store.policy import Policy
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import ALICE, BOB, NOW, THEN, deletion, made, reply
from tests.store.versions import version_1, version_2, version_3, version_4

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.core.event import Verified

RELAY = "wss://one.example"
EVERYWHERE = ("relay", "ALL_RELAYS")

ROOT = made(content="root", author=BOB, at=THEN)
ANSWER = reply(ROOT.id, ROOT.id, author=BOB, text="on its way")
GONE = reply(ROOT.id, ROOT.id, author=ALICE, at=THEN, text="of one who vanishes")
LATER = reply(ROOT.id, ROOT.id, author=ALICE, at=THEN + 2)
VANISH = made(62, ("relay",), EVERYWHERE, author=ALICE, at=THEN + 1)
TO_ONE_RELAY = made(62, ("relay", RELAY), author=BOB, at=THEN + 5)
UNWANTED = deletion(("e", VANISH.id), at=THEN + 3)
EVENTS = (ROOT, ANSWER, GONE, LATER, VANISH, TO_ONE_RELAY, UNWANTED)


def write_version_1(path: Path) -> None:
    """Make the file that the first version would have made of these events."""
    with version_1(path) as connection:
        for row, event in enumerate(EVENTS, 1):
            _write(connection, row, event)
        connection.execute("INSERT INTO relays VALUES (1, ?)", (RELAY,))
        connection.execute("INSERT INTO sightings VALUES (1, 1, ?)", (NOW,))
        connection.execute("INSERT INTO postings VALUES (1, ?, 1, ?)", (_blob(ANSWER.id), NOW))
        connection.execute("INSERT INTO parts VALUES (1, 1, 2)")
        connection.execute("INSERT INTO destinations VALUES (1, 0, 1)")
        connection.execute("INSERT INTO deliveries VALUES (1, 1, 1, 'queued', '', ?)", (NOW,))


def _write(connection: sqlite3.Connection, row: int, event: Verified) -> None:
    connection.execute(
        "INSERT INTO events (event, id, pubkey, created_at, kind, deleted, json)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(row, _blob(event.id), _blob(event.pubkey), event.created_at, event.kind),
            *(event == VANISH, event.to_json()),
        ),
    )
    for target in event.tag_values("e"):
        relation = "deletion" if event.kind == 5 else "reply"
        connection.execute(
            "INSERT INTO links VALUES (?, 0, ?, ?, NULL, ?, 0)",
            (row, relation, _blob(target), _blob(target)),
        )
        connection.execute(
            "INSERT INTO tags VALUES ('e', ?, ?, ?)", (_blob(target), event.created_at, row)
        )


def _blob(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    write_version_1(path)
    return path


def test_a_file_of_version_1_still_answers(path: Path) -> None:
    with SqliteStore(path) as store:
        assert {event.id for event in store.thread(ROOT.id)} == {
            event.id for event in (ROOT, ANSWER, GONE, LATER)
        }
        assert store.thread_root(LATER.id) == ROOT.id
        assert store.sightings([ROOT.id]) == {ROOT.id: (RELAY,)}
        (posting,) = store.postings(open_only=True)
        assert (posting.events, posting.deliveries[0].status) == ((ANSWER,), Status.QUEUED)
        assert store.query([Filter(tags={"e": (ROOT.id,)})], now=NOW) == [LATER]


def test_who_vanished_before_is_hidden_now(path: Path) -> None:
    with SqliteStore(path) as store:
        shown = {event.id for event in store.query([Filter()], now=NOW)}
        assert shown == {event.id for event in (ROOT, LATER, VANISH, TO_ONE_RELAY, UNWANTED)}
        store.add([made(content="again", at=THEN)], relay=RELAY, now=NOW)
        assert {event.id for event in store.query([Filter()], now=NOW)} == shown


def test_what_was_there_before_there_were_looks_is_no_news(path: Path) -> None:
    with SqliteStore(path) as store:
        assert store.arrivals().threads == {}
        fresh = reply(ROOT.id, ROOT.id, text="fresh")
        store.add([fresh], relay=RELAY, now=NOW)
        assert store.arrivals().threads == {ROOT.id: (fresh,)}


def test_a_migrated_file_remembers_relays_and_people(path: Path) -> None:
    with SqliteStore(path) as store:
        store.record_relays({RELAY: True})
        store.note_people_asked([ALICE], now=NOW)
    with SqliteStore(path) as store:
        assert store.relay_records() == {RELAY: Record(1.0, 0.0)}
        assert store.people_asked([ALICE]) == {ALICE: NOW}


def test_a_reader_asks_for_the_migration_and_leaves_the_file(path: Path) -> None:
    with pytest.raises(StoreError, match="for writing first"):
        SqliteStore(path, read_only=True)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_migrated_file_has_the_schema_of_a_new_one(path: Path, tmp_path: Path) -> None:
    assert _migrated_schema(path) == _migrated_schema(tmp_path / "new.db")


def _migrated_schema(path: Path) -> list[tuple[str, ...]]:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
        return connection.execute(query).fetchall()


PARTS = (ROOT, ANSWER)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A file of the second version with an answer of two parts on its way to one relay."""
    path = tmp_path / "second.db"
    with version_2(path) as connection:
        for row, event in enumerate(PARTS, 1):
            _write(connection, row, event)
        connection.execute("INSERT INTO relays VALUES (1, ?)", (RELAY,))
        connection.execute("INSERT INTO relay_records VALUES (1, 2.0, 3.0)")
        connection.execute("INSERT INTO postings VALUES (1, ?, 1, ?)", (_blob(ROOT.id), NOW))
        connection.executemany("INSERT INTO parts VALUES (1, ?, ?)", [(1, 1), (2, 2)])
        connection.execute("INSERT INTO destinations VALUES (1, 0, 1)")
        connection.executemany(
            "INSERT INTO deliveries VALUES (1, ?, 1, ?, ?, ?)",
            [(1, "unreachable", "no route", NOW), (2, "queued", "", NOW)],
        )
    return path


def test_what_was_on_its_way_in_version_2_still_is_and_waits_for_nothing(second: Path) -> None:
    with SqliteStore(second) as store:
        (posting,) = store.postings(open_only=True)
        assert posting.deliveries == (
            Delivery(1, RELAY, Status.UNREACHABLE, "no route", tries=0, retry_at=0),
            Delivery(2, RELAY, Status.QUEUED, tries=0, retry_at=0),
        )
        assert (posting.events, posting.own, posting.courtesy) == (PARTS, (RELAY,), frozenset())
        assert store.relay_records() == {RELAY: Record(2.0, 3.0)}
        assert store.lease(posting.id, "me", now=NOW, until=NOW + 60)


def test_what_version_2_knew_to_be_out_is_known_still(second: Path) -> None:
    with closing(sqlite3.connect(second)) as connection, connection:
        connection.execute("UPDATE deliveries SET status = 'no-answer' WHERE part = 1")
    with SqliteStore(second) as store:
        store.record(ROOT.id, Delivery(1, RELAY, Status.UNREACHABLE), now=NOW)
        with pytest.raises(InvalidInput, match="may have it"):
            store.cancel(ROOT.id, now=NOW)


def test_a_migrated_file_of_version_2_has_the_schema_of_a_new_one(
    second: Path, tmp_path: Path
) -> None:
    assert _migrated_schema(second) == _migrated_schema(tmp_path / "new.db")


@pytest.fixture
def third(tmp_path: Path) -> Path:
    """A file of the third version with a thread that was seen at a relay."""
    path = tmp_path / "third.db"
    with version_3(path) as connection:
        for row, event in enumerate(EVENTS, 1):
            _write(connection, row, event)
        connection.execute("INSERT INTO relays VALUES (1, ?)", (RELAY,))
        connection.execute("INSERT INTO sightings VALUES (1, 1, ?)", (NOW,))
    return path


def test_a_file_of_version_3_still_answers_and_has_the_schema_of_a_new_one(
    third: Path, tmp_path: Path
) -> None:
    with SqliteStore(third) as store:
        assert {event.id for event in store.thread(ROOT.id)} >= {ROOT.id, ANSWER.id}
        assert store.sightings([ROOT.id]) == {ROOT.id: (RELAY,)}
        assert store.add([ANSWER], relay=RELAY, now=NOW) == [Added.KNOWN]
    assert _migrated_schema(third) == _migrated_schema(tmp_path / "new.db")


@pytest.fixture
def fourth(tmp_path: Path) -> Path:
    """A file of the fourth version with a thread of which something was purged."""
    path = tmp_path / "fourth.db"
    with version_4(path) as connection:
        for row, event in enumerate(EVENTS, 1):
            _write(connection, row, event)
        connection.execute("UPDATE events SET deleted = 1 WHERE id = ?", (_blob(GONE.id),))
        connection.execute("INSERT INTO purged VALUES (?, ?)", (_blob("ab" * 32), NOW))
    return path


def test_a_file_of_version_4_hides_as_before_until_it_is_to_keep(
    fourth: Path, tmp_path: Path
) -> None:
    with SqliteStore(fourth) as store:
        assert store.policy() is Policy.HIDE
        assert store.upkeep.purged(["ab" * 32]) == {"ab" * 32}
        hidden = store.query([Filter(authors=(ALICE,), kinds=(1,))], now=NOW)
        assert store.adopt(Policy.KEEP)
        kept = store.query([Filter(authors=(ALICE,), kinds=(1,))], now=NOW)
    assert (hidden, kept) == ([LATER], [LATER, GONE])
    assert _migrated_schema(fourth) == _migrated_schema(tmp_path / "new.db")
