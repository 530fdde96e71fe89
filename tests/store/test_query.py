"""The contract of `Store.query`, `count` and `items`: NIP-01, exactly."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.core.kinds import address_of
from nostr_threads.errors import TooCostly
from nostr_threads.store.opening import open_store
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    THEN,
    UNKNOWN,
    article,
    deletion,
    made,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore
    from tests.store.postgres_server import PostgresServer

HEX = [UNKNOWN, ALICE, "ab" * 32]
VALUES = ["", "x", "X", "1", "\0", "x\0y", "é", HEX[0].upper(), "30023:" + ALICE + ":a", *HEX]
LETTERS = ["e", "p", "t", "E"]
KINDS = [0, 1, 5, 7, 30023]
TIMES = [THEN + second for second in range(6)]


@cache
def stored() -> tuple[Verified, ...]:
    """Two hundred events with few different values, so that conditions meet and miss alike."""
    random = Random(7)
    return tuple(_event(random, number) for number in range(200))


def _event(random: Random, number: int) -> Verified:
    tags = [
        (random.choice([*LETTERS, "d", "long"]), random.choice(VALUES))
        for _ in range(random.randrange(4))
    ]
    author = random.choice([ALICE, BOB, CAROL])
    kind, at = random.choice(KINDS), random.choice(TIMES)
    return made(kind, *tags, author=author, at=at, content=str(number))


@cache
def filled() -> SqliteStore:
    store = SqliteStore(":memory:")
    store.add(stored(), relay=None, now=NOW)
    return store


@cache
def current() -> tuple[Verified, ...]:
    """What a relay would show, newest first: the plain definition. (No kind 5 here names an id.)"""
    order = sorted(stored(), key=lambda event: (-event.created_at, event.id))
    seen: set[str] = set()
    shown = []
    for event in order:
        address = address_of(event)
        if address is None or address not in seen:
            shown.append(event)
            seen.add(address or event.id)
    return tuple(event for event in shown if not _is_deleted(event))


def _is_deleted(event: Verified) -> bool:
    return any(
        request.kind == 5
        and request.pubkey == event.pubkey
        and address_of(event) in request.tag_values("a")
        and event.created_at <= request.created_at
        for request in stored()
    )


def expected(filters: list[Filter]) -> list[Verified]:
    found: set[Verified] = set()
    for condition in filters:
        matching = [event for event in current() if condition.matches(event)]
        found.update(matching[: condition.limit] if condition.search is None else ())
    return sorted(found, key=lambda event: (-event.created_at, event.id))


def some(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=4).map(tuple)


filters = st.builds(
    Filter,
    ids=st.none() | some([*(event.id for event in stored()[::10]), UNKNOWN]),
    authors=st.none() | some([ALICE, BOB, UNKNOWN, "not hex"]),
    kinds=st.none() | st.lists(st.sampled_from([*KINDS, -1, 2**70]), max_size=4).map(tuple),
    tags=st.dictionaries(st.sampled_from(LETTERS), some([*VALUES, "\ud800"]), max_size=2),
    since=st.none() | st.sampled_from([*TIMES, -5, 2**70]),
    until=st.none() | st.sampled_from([*TIMES, -5, 2**70]),
    limit=st.none() | st.integers(0, 12) | st.just(2**70),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(filters, max_size=3))
def test_the_answer_is_what_the_definition_says(asked: list[Filter]) -> None:
    check_answer(filled(), asked)


@pytest.fixture(scope="module")
def filled_too(postgres: PostgresServer) -> Iterator[SqlStore]:
    with open_store(postgres.place()) as store:
        store.add(stored(), relay=None, now=NOW)
        yield store


@settings(max_examples=150, deadline=None)
@given(st.lists(filters, max_size=3))
def test_the_answer_is_the_same_in_every_database(
    filled_too: SqlStore, asked: list[Filter]
) -> None:
    check_answer(filled_too, asked)


def check_answer(store: SqlStore, asked: list[Filter]) -> None:
    assert store.query(asked, now=NOW) == expected(asked)
    endless = [replace(condition, limit=None) for condition in asked]
    assert store.count(asked, now=NOW) == len(expected(endless))
    items = store.items(asked, now=NOW)
    assert sorted(items) == sorted(item_of(event) for event in expected(asked))
    assert len(set(store.items(asked, now=NOW, most=3)) & set(items)) == min(3, len(items))


def item_of(event: Verified) -> tuple[int, bytes]:
    return event.created_at, bytes.fromhex(event.id)


@pytest.mark.parametrize("most", [0, 1, 199, 1_000])
def test_no_more_items_are_read_than_wanted(most: int) -> None:
    asked = [Filter(kinds=(1, 7)), Filter(), Filter(limit=5)]
    assert len(filled().items(asked, now=NOW, most=most)) == min(most, len(current()))


def test_no_filter_finds_nothing(store: Store) -> None:
    store.add([made()], relay=None, now=NOW)
    assert store.query([], now=NOW) == []
    assert store.count([], now=NOW) == 0
    assert store.items([], now=NOW) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(str(NOW + 1), True), (str(NOW), False), ("0", False), ("soon", True), ("9" * 30, True)],
)
def test_an_expired_event_is_left_out(store: Store, value: str, *, shown: bool) -> None:
    """NIP-40."""
    event = made(1, ("expiration", value))
    store.add([event], relay=None, now=NOW)
    assert store.query([Filter()], now=NOW) == ([event] if shown else [])
    assert store.count([Filter()], now=NOW) == shown
    assert store.items([Filter()], now=NOW) == ([item_of(event)] if shown else [])
    assert store.items([Filter()], now=None) == [item_of(event)]
    assert store.event(event.id) == event


def test_without_a_time_all_that_is_stored_can_be_compared(store: Store) -> None:
    """NIP-77 with a relay that does not know what is hidden here."""
    old, new, gone = article(at=THEN), article(at=THEN + 1), made(content="gone")
    everything = [old, new, gone, deletion(("e", gone.id))]
    store.add(everything, relay=None, now=NOW)
    assert len(store.items([Filter()], now=NOW)) == 2
    assert sorted(store.items([Filter()], now=None)) == sorted(map(item_of, everything))
    assert store.items([Filter(ids=(gone.id,))], now=None) == [item_of(gone)]


@pytest.mark.parametrize("limit", [None, 2])
def test_a_filter_may_list_more_values_than_sqlite_takes(store: Store, limit: int | None) -> None:
    events = [made(1, ("t", str(n)), at=THEN + n) for n in range(4)]
    store.add(events, relay=None, now=NOW)
    ids = tuple(f"{number:064x}" for number in range(40_000))
    topics = tuple(str(number) for number in range(1, 40_000))
    asked = Filter(
        ids=(events[0].id, *ids, *(event.id for event in events)),
        authors=(*ids, ALICE),
        tags={"t": topics},
        kinds=tuple(range(65_536)),
        limit=limit,
    )
    assert store.query([asked], now=NOW) == events[:0:-1][:limit]


@pytest.mark.parametrize(
    "asked",
    [
        Filter(ids=(UNKNOWN,), kinds=(1,)),
        Filter(authors=(ALICE,), kinds=(1, 7), limit=9),
        Filter(authors=(ALICE,)),
        Filter(kinds=(1, 7), limit=9),
        Filter(tags={"e": (UNKNOWN,)}, kinds=(1,), authors=(ALICE,), limit=9),
        Filter(tags={"e": (UNKNOWN, ALICE), "p": (ALICE,)}, kinds=(1,), since=5),
        Filter(limit=9),
    ],
)
def test_an_index_leads_every_query(asked: Filter) -> None:
    """No answer reads the whole table; newest-first indices are read in their order."""
    from nostr_threads.store import queries

    for piece in queries._pieces(asked):
        with filled()._database.reading() as connection:
            where = queries._Where(connection)
            text = queries._statement(where, piece, queries.Sight(NOW))
            plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", where.parameters).fetchall()
        steps = [row[3] for row in plan]
        assert not any(step.startswith("SCAN") and "INDEX" not in step for step in steps), steps
        leads = asked.authors is None or bool(asked.tags)
        if asked.limit is not None and leads:
            assert "USE TEMP B-TREE FOR ORDER BY" not in steps, steps


_ENDLESS = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT max(n) FROM n"


def test_a_question_that_takes_longer_than_it_may_is_stopped_and_the_next_is_answered(
    store: SqlStore,
) -> None:
    store.add([made()], relay=None, now=NOW)

    def ask() -> None:
        assert store.count([Filter()], now=NOW) == 1
        with store._database.reading() as connection:
            connection.execute(_ENDLESS).fetchone()

    with store.within(0.05), pytest.raises(TooCostly, match="too long"):
        ask()
    assert store.query([Filter()], now=NOW) == [made()]


def test_a_reader_that_stopped_early_sees_what_is_stored_later(place: str) -> None:
    """A question that was not read to its end would hold its view of the file."""
    with open_store(place) as writer, open_store(place, read_only=True) as reader:
        writer.add([made(kind, content=str(kind)) for kind in (1, 5, 7)], relay=None, now=NOW)
        some = Filter(kinds=(1, 5, 7), limit=1)
        assert len(reader.query([some], now=NOW)) == 1
        assert len(reader.items([some], now=NOW, most=1)) == 1
        writer.add([made(1, at=THEN + 9)], relay=None, now=NOW)
        assert reader.query([some], now=NOW) == [made(1, at=THEN + 9)]


def test_events_are_read_in_the_order_asked_for_up_to_a_size(store: SqlStore) -> None:
    notes = [made(content=f"{number:01000}") for number in range(20)]
    store.add([*notes, deletion(("e", notes[1].id))], relay=None, now=NOW)
    ids = [UNKNOWN, *(note.id for note in notes)]
    assert store.events(ids, most=10**6) == [None, *notes]
    assert store.events(ids, most=2 * len(notes[0].to_json())) == [None, *notes[:2]]
    assert store.events(ids[1:], most=0) == notes[:1]
    assert store.events([], most=9) == []
