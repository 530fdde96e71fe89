"""Full text of what people wrote: what is found, and what must not be (NIP-50)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError
from nostr_threads.store import searching
from nostr_threads.store.opening import open_store
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import ALICE, BOB, NOW, THEN, article, deletion, made, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore

NOTE = made(content="The quick brown fox jumps over the lazy dog.")
ANSWER = reply(
    NOTE.id, NOTE.id, text="Foxes do not jump: caf\u00e9 \u4e2d\u6587\u5b57", at=THEN + 1
)
ESSAY = article("a", ("title", "On foxes"), ("summary", "quick reading"), at=THEN + 2)
REACTION = made(7, ("e", NOTE.id), content="fox", author=BOB)
EVERYTHING = [NOTE, ANSWER, ESSAY, REACTION]


def found(store: Store, words: str, **more: tuple[int, ...] | tuple[str, ...]) -> set[str]:
    names = {event.id: name for event, name in zip(EVERYTHING, "NAER", strict=True)}
    events = store.query([Filter(search=words, **more)], now=NOW)  # type: ignore[arg-type]
    return {names[event.id] for event in events}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("fox", "N"),
        ("FOX", "N"),
        ("foxes", "AE"),
        ("fox*", "NAE"),
        ("quick fox", "N"),
        ('"quick brown"', "N"),
        ('"brown quick"', ""),
        ("quick -brown", "E"),
        ("jump* -foxes", "N"),
        ("cafe", "A"),
        ("\u6587", "A"),
        ("\u4e2d\u6587", "A"),
        ("\u6587\u4e2d", ""),
        ("-fox", ""),
        ('fox" OR "dog', ""),
        ("text : fox", ""),
        ("NOT", "A"),
        ("", ""),
    ],
)
def test_words_are_found_where_people_wrote_them(store: Store, words: str, names: str) -> None:
    store.add(EVERYTHING, relay=None, now=NOW)
    assert found(store, words) == set(names)


def test_all_other_conditions_count_too(store: Store) -> None:
    store.add(EVERYTHING, relay=None, now=NOW)
    assert found(store, "fox*", kinds=(1,)) == {"N", "A"}
    assert found(store, "fox*", authors=(BOB,)) == {"A"}
    assert store.count([Filter(search="fox*")], now=NOW) == 3
    assert len(store.query([Filter(search="fox*", limit=1)], now=NOW)) == 1
    assert len(store.items([Filter(search="fox*")], now=NOW)) == 3


def test_what_comes_later_is_found_and_what_is_hidden_is_not(store: Store) -> None:
    store.add([NOTE], relay=None, now=NOW)
    assert found(store, "fox") == {"N"}
    store.add([ANSWER, deletion(("e", NOTE.id), author=ALICE)], relay=None, now=NOW)
    assert found(store, "fox*") == {"A"}


def test_a_batch_after_the_other_is_indexed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_BATCH", 2)
    store.add([made(content=f"word{n} fox", at=THEN + n) for n in range(9)], relay=None, now=NOW)
    assert store.count([Filter(search="fox")], now=NOW) == 9
    assert store.count([Filter(search="word8")], now=NOW) == 1


def test_who_may_only_read_finds_what_was_indexed(place: str) -> None:
    with open_store(place) as store:
        store.add([NOTE], relay=None, now=NOW)
    with open_store(place, read_only=True) as store:
        with pytest.raises(StoreError, match="nothing of this store was indexed"):
            found(store, "fox")
        assert store.query([Filter()], now=NOW) == [NOTE]
    with open_store(place) as store:
        found(store, "fox")
    with open_store(place, read_only=True) as store:
        assert found(store, "fox") == {"N"}


def test_a_writer_indexes_for_those_who_may_only_read(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_BATCH", 3)
    with open_store(place) as writer, open_store(place, read_only=True) as reader:
        writer.add(EVERYTHING, relay=None, now=NOW)
        assert [writer.index_words() for _ in range(3)] == [True, False, False]
        assert found(reader, "fox*") == {"N", "A", "E"}


def test_an_empty_store_is_searched_in_vain(store: Store) -> None:
    assert found(store, "fox") == set()


words = st.text(st.sampled_from("ab\"*-() :^{}'\u4e2d"), max_size=20)


@settings(max_examples=200, deadline=None)
@given(words)
def test_nothing_that_is_typed_is_taken_for_the_language_of_the_index(text: str) -> None:
    with SqliteStore(":memory:") as store:
        store.add([made(content="a b ab \u4e2d")], relay=None, now=NOW)
        assert len(store.query([Filter(search=text)], now=NOW)) <= 1


@settings(max_examples=60, deadline=None)
@given(words)
def test_every_database_finds_the_same(emptied: Callable[[], SqlStore], text: str) -> None:
    texts = ("a b ab \u4e2d", "b a", "ab-a:b", "\u00e4 B\u0301 ab")
    events = [made(content=each) for each in texts]
    with SqliteStore(":memory:") as store:
        other = emptied()
        for each in (store, other):
            each.add(events, relay=None, now=NOW)
        asked = [Filter(search=text)]
        assert other.query(asked, now=NOW) == store.query(asked, now=NOW)
