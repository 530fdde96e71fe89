"""The SQLite file itself: opened, reopened, shared, refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError, StoreTooNew
from nostr_threads.store import schema
from nostr_threads.store.base import Added
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import NOW, made

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

RELAY = "wss://one.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "events.db"


def run(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def test_a_new_store_is_its_owners_own(path: Path) -> None:
    with SqliteStore(path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_opening_a_current_file_migrates_nothing(path: Path) -> None:
    SqliteStore(path).close()
    before = run(path, "SELECT * FROM sqlite_schema")
    SqliteStore(path).close()
    assert run(path, "SELECT * FROM sqlite_schema") == before
    assert run(path, "PRAGMA user_version") == [(schema.latest(),)]
    assert run(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteStore(path).close()
    broken = "CREATE TABLE half (a) STRICT;"
    steps = {**schema._migrations(), schema.latest() + 1: f"CREATE TABLE good (a);\n{broken}"}
    monkeypatch.setattr(schema, "_migrations", lambda: steps)
    with pytest.raises(StoreError):
        SqliteStore(path)
    monkeypatch.undo()
    assert run(path, "SELECT * FROM sqlite_schema WHERE name IN ('good', 'half')") == []
    SqliteStore(path).close()


def test_a_file_of_a_later_version_is_refused(path: Path) -> None:
    SqliteStore(path).close()
    run(path, "PRAGMA user_version = 999")
    for read_only in (False, True):
        with pytest.raises(StoreTooNew, match=r"events\.db.*update the program"):
            SqliteStore(path, read_only=read_only)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    run(path, "CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"letter\.txt: this is not a database"):
            SqliteStore(path, read_only=read_only)
    assert path.read_text() == "Dear reader, " * 100


@pytest.mark.parametrize("read_only", [True, False])
def test_a_folder_is_no_store(tmp_path: Path, *, read_only: bool) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(tmp_path, read_only=read_only)


def test_a_store_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(tmp_path / "file" / "events.db")


def test_a_read_only_store_must_exist_and_is_not_made(path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(path, read_only=True)
    assert not path.parent.exists()


def test_an_empty_file_is_no_read_only_store(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreError, match="for writing first"):
        SqliteStore(path, read_only=True)


def test_a_name_may_hold_what_a_uri_reserves(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#b%20c é.db"
    with SqliteStore(path) as store:
        store.add([made()], relay=None, now=NOW)
    assert path.exists()
    with SqliteStore(path, read_only=True) as store:
        assert store.count([Filter()], now=NOW) == 1


def test_a_locked_file_is_an_error_with_advice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.store.database._BUSY_SECONDS", 0.0)
    with SqliteStore(path) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program is using"):
            store.add([made()], relay=None, now=NOW)
        other.rollback()
        assert store.add([made()], relay=None, now=NOW) == [Added.NEW]


def test_a_full_disk_is_an_error_with_advice_and_loses_nothing(path: Path) -> None:
    kept = made()
    with SqliteStore(path) as store:
        store.add([kept], relay=None, now=NOW)
        with store._database.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="no room left"):
            store.add([made(content="x" * 100_000)], relay=None, now=NOW)
        assert store.query([Filter()], now=NOW) == [kept]


def test_a_new_file_that_another_process_is_just_preparing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switching a file to write-ahead logging is what SQLite does not wait for by itself."""
    path, transaction = tmp_path / "new.db", schema.transaction

    def letting_go(connection: sqlite3.Connection, begin: str) -> AbstractContextManager[None]:
        if begin == "BEGIN EXCLUSIVE":
            other.rollback()
        return transaction(connection, begin)

    monkeypatch.setattr(schema, "transaction", letting_go)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        SqliteStore(path).close()
    assert run(path, "PRAGMA journal_mode") == [("wal",)]


def test_processes_may_open_the_same_new_file_at_once(path: Path) -> None:
    program = "import sys; from nostr_threads.store.sqlite import SqliteStore as S; S(sys.argv[1])"
    opening = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(6)]
    assert [process.wait(timeout=30) for process in opening] == [0] * 6
    assert run(path, "PRAGMA user_version") == [(schema.latest(),)]
