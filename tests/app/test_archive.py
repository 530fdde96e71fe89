"""What is exported comes back by an import, the same to the byte; a file is whole or not there."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.app.archive import require_vacant, write_archive
from nostr_threads.app.blocks import opened
from nostr_threads.app.ingest import Ingest
from nostr_threads.app.selection import filters_of, selected
from nostr_threads.core.filters import Filter
from nostr_threads.errors import InvalidInput, NotFound, StoreError
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author, thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nostr_threads.core.event import Verified

NOW = START + 1_000_000
ALICE, BOB = Author(1), Author(2)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
EVENTS = st.lists(
    st.builds(
        lambda who, kind, content, at, tags: who.event(kind, content, START + at, tuple(tags)),
        st.sampled_from([ALICE, BOB]),
        st.sampled_from([0, 1, 7, 1111, 30023]),
        TEXT,
        st.integers(0, 3),
        st.lists(st.lists(TEXT, min_size=1, max_size=3).map(tuple), max_size=3),
    ),
    max_size=12,
)


def exported(path: Path, store: SqliteStore, *, now: int | None = None) -> int:
    return write_archive(path, selected(store, [Filter()], thread=None, now=now))


@settings(deadline=None, max_examples=40)
@given(events=EVENTS, suffix=st.sampled_from(["jsonl", "jsonl.gz"]))
def test_an_export_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, events: list[Verified], suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    first, second = folder / f"1.{suffix}", folder / f"2.{suffix}"
    with SqliteStore(":memory:") as store, SqliteStore(":memory:") as other:
        store.add(events, relay=None, now=NOW)
        count = exported(first, store)
        with opened(first) as source, Ingest(other, now=NOW) as ingest:
            ingest.take(source)
        assert (ingest.counts.new, ingest.counts.refused) == (count, 0)
        assert count == len({event.id for event in events})
        exported(second, other)
        for each in events:
            assert other.event(each.id) == each
        assert other.query([Filter()], now=NOW) == store.query([Filter()], now=NOW)
    assert first.read_bytes() == second.read_bytes()


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield "{}"
        raise StoreError("the disk reports an error")

    path = tmp_path / "a.jsonl"
    path.write_text("before")
    with pytest.raises(StoreError):
        write_archive(path, broken())
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]
    assert path.read_text() == "before"


def test_a_file_is_replaced_only_when_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    require_vacant(path, force=False)
    write_archive(path, ["1"])
    with pytest.raises(InvalidInput, match="--force"):
        require_vacant(path, force=False)
    require_vacant(path, force=True)
    assert write_archive(path, ["2", "3"]) == 2
    assert path.read_text() == "2\n3\n"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot write"):
        write_archive(tmp_path / "no" / "a.jsonl", ["1"])


def test_gzip_is_chosen_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    write_archive(path, ["x" * 1_000] * 1_000)
    assert path.stat().st_size < 20_000
    assert gzip.decompress(path.read_bytes()) == (b"x" * 1_000 + b"\n") * 1_000


def test_a_thread_is_exported_by_itself_and_narrowed() -> None:
    notes, others = thread(20, seed=1), thread(5, seed=2)
    gone = ALICE.reply(notes[0], "gone")
    with SqliteStore(":memory:") as store:
        asking = ALICE.deletion(gone)
        store.add([*others, *notes, gone, asking], relay=None, now=NOW)

        def ids(filters: list[Filter], now: int | None = NOW) -> list[str]:
            texts = selected(store, filters, thread=notes[7].id, now=now)
            return [json.loads(text)["id"] for text in texts]

        assert set(ids([Filter()])) == {each.id for each in (*notes, asking)}
        assert set(ids([Filter()], None)) == {each.id for each in (*notes, gone, asking)}
        author = notes[3].pubkey
        narrowed = filters_of([], [author], [1])
        own = [each.id for each in notes if each.pubkey == author]
        assert ids(narrowed) == own
        with pytest.raises(NotFound):
            selected(store, [Filter()], thread="0" * 64, now=NOW)
        with pytest.raises(InvalidInput, match="limit"):
            selected(store, [Filter(limit=1)], thread=notes[7].id, now=NOW)


def test_a_condition_is_given_once() -> None:
    with pytest.raises(InvalidInput, match="--author"):
        filters_of([Filter(authors=())], [ALICE.pubkey], [])
    with pytest.raises(InvalidInput, match="--kind"):
        filters_of([Filter(kinds=(1,))], [], [1])
    both = filters_of([Filter(since=1), Filter(until=2)], [ALICE.pubkey], [1, 7])
    assert [each.authors for each in both] == [(ALICE.pubkey,)] * 2
    assert [each.kinds for each in both] == [(1, 7)] * 2
