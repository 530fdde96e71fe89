"""What can be read of a damaged file: all that is whole, and nothing that is not true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.errors import InvalidInput, StoreError
from nostr_threads.store.opening import open_store
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from pathlib import Path

NOW = int(START) + 1_000
PAGE = 8_192
NOTES = [Author(b"alice").note(f"{n} " + "word " * 200, START + n) for n in range(150)]
IDS = [note.id for note in NOTES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "a.db"
    with SqliteStore(path) as store:
        store.add(NOTES, relay="wss://relay.example", now=NOW)
    return path


def salvaged(path: Path) -> tuple[list[str], int]:
    with SqliteStore(path, read_only=True) as store:
        salvage = store.upkeep.salvage()
        return [json.loads(text)["id"] for text in salvage], salvage.lost


def test_of_a_file_that_is_whole_it_is_all(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(whole.read_bytes())
    assert salvaged(path) == (IDS, 0)
    with SqliteStore(":memory:") as empty:
        assert list(empty.upkeep.salvage()) == []


def test_a_row_more_or_less_than_is_read_at_once(tmp_path: Path) -> None:
    for count in (1_000, 1_001):
        path = tmp_path / f"{count}.db"
        notes = [Author(b"alice").note(f"{n}") for n in range(count)]
        with SqliteStore(path) as store:
            store.add(notes, relay=None, now=NOW)
        assert salvaged(path) == ([note.id for note in notes], 0)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 9_999), filling=st.sampled_from([b"\0", b"\xff", b"{", b"\x0d\x01"]))
def test_around_a_damaged_page_everything_is_found(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, place: int, filling: bytes
) -> None:
    """Whichever it is: one with rows costs those rows, one of an index nothing."""
    path = tmp_path_factory.mktemp("damaged") / "a.db"
    damaged = bytearray(whole.read_bytes())
    number = 1 + place % (len(damaged) // PAGE - 1)
    damaged[number * PAGE : (number + 1) * PAGE] = filling * (PAGE // len(filling))
    path.write_bytes(damaged)
    try:
        found, lost = salvaged(path)
    except StoreError as error:
        # What the tables are, or where the rows are, stood on that page.
        assert "damaged" in str(error)  # noqa: PT017 - most pages raise nothing
        return
    assert [each for each in IDS if each in found] == found
    assert len(found) + lost == len(IDS)
    assert lost == 0 or lost < 20 or not found


def test_rows_that_are_not_what_was_signed_are_lost(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(whole.read_bytes().replace(b'"99 word', b'"98 word', 1))
    found, lost = salvaged(path)
    assert (len(found), lost) == (149, 1)


def test_a_server_has_its_own_ways(postgres_url: str) -> None:
    with open_store(postgres_url) as store, pytest.raises(InvalidInput, match="only a file"):
        store.upkeep.salvage()
