"""What a store says of itself, and how it is made small."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nostr_threads.errors import StoreError
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import BOB, NOW, THEN, article, deletion, made

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.store.sql import SqlStore

ONE, TWO = "wss://one.example", "wss://two.example"


def test_what_there_is_is_counted(store: SqlStore) -> None:
    note = made(content="note", at=THEN + 5)
    other = made(1, ("expiration", str(NOW)), content="other", author=BOB)
    events = [note, other, article(at=THEN), article(at=THEN + 1)]
    store.add([*events, deletion(("e", note.id))], relay=ONE, now=NOW)
    store.add(events[:1], relay=TWO, now=NOW)
    found = store.upkeep.statistics(now=NOW)
    assert (found.events, found.authors, found.superseded, found.deleted) == (5, 2, 1, 1)
    assert found.expired == 1
    assert store.upkeep.statistics(now=NOW - 1).expired == 0
    assert (found.first, found.last) == (THEN, THEN + 5)
    assert list(found.kinds.items()) == [(1, 2), (30023, 2), (5, 1)]
    assert list(found.relays.items()) == [(ONE, 5), (TWO, 1)]
    assert found.bytes > found.spare >= 0


def test_an_empty_store_has_no_dates(store: SqlStore) -> None:
    found = store.upkeep.statistics(now=NOW)
    assert (found.events, found.first, found.last, found.kinds) == (0, None, None, {})


def test_it_is_made_small_and_holds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with SqliteStore(path) as store:
        store.add([made(content=f"{n}" * 500) for n in range(500)], relay=None, now=NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM events WHERE event > 10")
    with SqliteStore(path) as store:
        before = store.upkeep.statistics(now=NOW)
        store.upkeep.vacuum()
        after = store.upkeep.statistics(now=NOW)
    assert (after.events, after.spare) == (10, 0)
    assert after.bytes < before.bytes - before.spare / 2
    assert path.stat().st_size < before.bytes


def test_while_another_is_writing_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nostr_threads.store.database._BUSY_SECONDS", 0.1)
    path = tmp_path / "a.db"
    with SqliteStore(path) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program is using"):
            store.upkeep.vacuum()


def test_who_may_only_read_cannot(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "a.db").close()
    with SqliteStore(tmp_path / "a.db", read_only=True) as store:
        assert store.upkeep.statistics(now=NOW).events == 0
        with pytest.raises(StoreError, match="cannot be written"):
            store.upkeep.vacuum()
