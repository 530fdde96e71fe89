"""The sources of a store: kept, replaced, removed, and how far each is got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.coverage import Finish
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.core.windows import Span, Spans
from nostr_threads.store.opening import open_store
from nostr_threads.store.sources import Branch, Method, Sync
from nostr_threads.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from nostr_threads.store.sql import SqlStore

ONE, TWO = "wss://one.example", "wss://two.example"
NOSTR = Source(SourceKind.HASHTAG, "nostr")
OTHER = Source(SourceKind.SEARCH, "other words", (ONE,))
BEGUN = Sync(Method.PAGES, None)


def test_sources_are_kept_replaced_and_removed(store: SqlStore) -> None:
    assert store.sources.all() == ()
    assert store.sources.put(NOSTR, now=1)
    assert store.sources.put(OTHER, now=2)
    changed = Source(SourceKind.HASHTAG, "nostr", (TWO,))
    assert not store.sources.put(changed, now=3)
    assert store.sources.all() == (changed, OTHER)
    assert store.sources.remove(NOSTR.name)
    assert not store.sources.remove(NOSTR.name)
    assert store.sources.all() == (OTHER,)


def test_how_far_each_is_got_is_kept_by_relay(store: SqlStore) -> None:
    store.sources.put(NOSTR, now=1)
    store.sources.put(OTHER, now=1)
    store.sources.note(NOSTR.name, ONE, BEGUN)
    store.sources.got(NOSTR.name, ONE, Span(10, 20), events=3)
    store.sources.got(NOSTR.name, ONE, Span(21, 30), events=4)
    store.sources.note(NOSTR.name, TWO, Sync(Method.NEGENTROPY, Finish.REFUSED, "no", 50))
    assert store.sources.syncs(NOSTR.name) == {
        ONE: Sync(Method.PAGES, None, "", 0, 7, Spans((Span(10, 30),))),
        TWO: Sync(Method.NEGENTROPY, Finish.REFUSED, "no", 50, 0, Spans()),
    }
    store.sources.note(NOSTR.name, ONE, Sync(Method.PAGES, Finish.COMPLETE, "", 60))
    assert store.sources.syncs(NOSTR.name)[ONE].events == 7
    assert store.sources.syncs(OTHER.name) == {}


def test_what_was_got_is_forgotten_with_the_source_and_not_before(store: SqlStore) -> None:
    store.sources.put(NOSTR, now=1)
    store.sources.note(NOSTR.name, ONE, BEGUN)
    store.sources.got(NOSTR.name, ONE, Span(10, 20), events=3)
    store.sources.put(NOSTR, now=2)
    assert store.sources.syncs(NOSTR.name)[ONE].spans == Spans((Span(10, 20),))
    store.sources.remove(NOSTR.name)
    store.sources.put(NOSTR, now=3)
    assert store.sources.syncs(NOSTR.name) == {}


def test_a_source_that_was_removed_meanwhile_costs_nothing(store: SqlStore) -> None:
    store.sources.got(NOSTR.name, ONE, Span(10, 20), events=3)
    store.sources.note(NOSTR.name, ONE, BEGUN)
    assert store.sources.syncs(NOSTR.name) == {}


def test_the_threads_under_an_authors_notes_are_kept(store: SqlStore) -> None:
    store.sources.put(NOSTR, now=1)
    first = {"ab" * 32: Branch(10, whole=True, events=3), "30023:x:y": Branch(11, False, 0)}
    store.sources.note_branches(NOSTR.name, first)
    assert store.sources.branches(NOSTR.name) == first
    later = {"30023:x:y": Branch(20, whole=True, events=5)}
    store.sources.note_branches(NOSTR.name, later)
    assert store.sources.branches(NOSTR.name) == first | later
    store.sources.note_branches("another", later)
    store.sources.remove(NOSTR.name)
    store.sources.put(NOSTR, now=1)
    assert store.sources.branches(NOSTR.name) == {}


def test_all_of_it_survives_in_the_database(place: str) -> None:
    with open_store(place) as store:
        store.sources.put(OTHER, now=1)
        store.sources.note(OTHER.name, ONE, BEGUN)
        store.sources.got(OTHER.name, ONE, Span(1, 2), events=1)
    with open_store(place, read_only=True) as store:
        assert store.sources.all() == (OTHER,)
        assert store.sources.syncs(OTHER.name)[ONE].spans == Spans((Span(1, 2),))


spans = st.builds(lambda a, b: Span(min(a, b), max(a, b)), st.integers(0, 30), st.integers(0, 30))


@given(st.lists(spans, max_size=12))
def test_spans_are_kept_as_their_union(each: list[Span]) -> None:
    with SqliteStore(":memory:") as store:
        store.sources.put(NOSTR, now=1)
        store.sources.note(NOSTR.name, ONE, BEGUN)
        for span in each:
            store.sources.got(NOSTR.name, ONE, span, events=0)
        assert store.sources.syncs(NOSTR.name)[ONE].spans == Spans.of(each)
        with store._database.reading() as connection:
            rows = connection.execute("SELECT count(*) FROM spans").fetchone()[0]
        assert rows == len(Spans.of(each).spans)
