"""The contract of `arrivals` and `looked`: nothing is told twice, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.references import Relation, references
from nostr_threads.store.base import Arrivals, Posting
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import (
    BOB,
    NOW,
    THEN,
    UNKNOWN,
    address,
    article,
    comment,
    deletion,
    made,
    reply,
)
from tests.store.forests import forests

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore

RELAY = "wss://one.example"


def add(store: Store, *events: Verified, relay: str | None = RELAY) -> None:
    store.add(events, relay=relay, now=NOW)


def told(arrivals: Arrivals) -> list[str]:
    return [event.id for events in arrivals.threads.values() for event in events]


def test_an_empty_store_has_no_news(store: Store) -> None:
    assert store.arrivals() == store.arrivals("x") == Arrivals(0, {})
    store.looked(store.arrivals())


def test_what_arrived_is_told_by_thread_in_order_of_storing(store: Store) -> None:
    first, second = made(content="1"), article()
    events = [
        reply(first.id, first.id, at=THEN + 9),
        comment(address(), address()),
        first,
        second,
        reply(first.id, first.id, at=THEN + 1),
    ]
    add(store, *events)
    threads = {first.id: (events[0], first, events[4]), address(): (events[1], second)}
    assert store.arrivals().threads == threads
    assert list(store.arrivals().threads) == [first.id, address()]
    for root, expected in threads.items():
        assert store.arrivals(root).threads == {root: expected}
    assert store.arrivals(UNKNOWN).threads == {}


def test_what_was_looked_at_is_not_told_again(store: Store) -> None:
    root = made(content="root")
    add(store, root)
    store.looked(store.arrivals())
    assert store.arrivals().threads == {}
    add(store, root)
    answer = reply(root.id, root.id)
    add(store, answer)
    assert store.arrivals().threads == {root.id: (answer,)}


def test_what_comes_between_the_two_calls_is_not_lost(store: Store) -> None:
    root = made(content="root")
    add(store, root)
    before = store.arrivals()
    answer = reply(root.id, root.id)
    add(store, answer)
    store.looked(before)
    assert store.arrivals().threads == {root.id: (answer,)}
    assert store.arrivals().cursor > before.cursor


def test_only_the_threads_that_were_looked_at_are_old(store: Store) -> None:
    one, two, three = (made(content=str(number)) for number in range(3))
    add(store, one, two, three)
    store.looked(store.arrivals(one.id))
    assert told(store.arrivals()) == [two.id, three.id]
    arrivals = store.arrivals()
    store.looked(replace(arrivals, threads={three.id: arrivals.threads[three.id]}))
    assert told(store.arrivals()) == [two.id]


@pytest.mark.parametrize("looked_at", ["the branch", "the thread"])
def test_a_thread_that_merges_into_another_is_neither_told_twice_nor_lost(
    store: Store, looked_at: str
) -> None:
    root = made(content="root")
    parent = reply(root.id, root.id)
    torn = made(1, ("e", parent.id, "", "reply"))
    add(store, root, torn)
    assert list(store.arrivals().threads) == [root.id, parent.id]
    store.looked(store.arrivals(parent.id if looked_at == "the branch" else root.id))
    add(store, parent)
    left = [root, parent] if looked_at == "the branch" else [torn, parent]
    assert store.arrivals().threads == {root.id: tuple(left)}


@pytest.mark.parametrize("together", [True, False])
def test_what_is_superseded_or_deleted_is_no_news(store: Store, *, together: bool) -> None:
    gone, old, new = made(content="gone"), article(at=THEN), article(at=THEN + 1)
    events = [gone, old, deletion(("e", gone.id)), new]
    for batch in [events] if together else [[event] for event in events]:
        add(store, *batch)
    assert store.arrivals().threads == {address(): (new,)}
    store.looked(store.arrivals())
    add(store, article(at=THEN - 1))
    assert store.arrivals().threads == {}


def test_what_was_hidden_before_anybody_looked_waits_no_longer() -> None:
    gone = made(content="gone")
    with SqliteStore(":memory:") as store:
        add(store, gone)
        add(store, deletion(("e", gone.id)))
        store.looked(store.arrivals())
        with store._database.reading() as connection:
            assert connection.execute("SELECT * FROM arrivals").fetchall() == []


@pytest.mark.parametrize(
    ("kind", "is_news"),
    [
        *((kind, True) for kind in (1, 11, 20, 1068, 1111, 1311, 30023)),
        *((kind, False) for kind in (0, 3, 5, 6, 7, 16, 62, 9735, 10_000, 10_002, 22_242)),
        *((kind, False) for kind in (30_000, 30_003, 30_024, 30_078)),
    ],
)
def test_only_what_says_something_is_news(store: Store, kind: int, *, is_news: bool) -> None:
    root = made(content="root")
    add(store, root)
    store.looked(store.arrivals())
    event = made(kind, ("e", root.id, "", "reply"), ("a", address()))
    add(store, event)
    assert told(store.arrivals()) == [event.id] * is_news


@given(st.integers(0, 65_535))
def test_what_is_told_is_a_root_or_a_reply(kind: int) -> None:
    event = made(kind, ("e", UNKNOWN, "", "reply"))
    with SqliteStore(":memory:") as store:
        add(store, event)
        if store.arrivals().threads:
            assert references(event).relation in (Relation.ROOT, Relation.REPLY)


def test_ones_own_parts_in_the_outbox_are_no_news(store: SqlStore) -> None:
    root = made(content="root")
    part = reply(root.id, root.id)
    add(store, root)
    store.enqueue(Posting((part,), (RELAY,), 1, NOW))
    assert told(store.arrivals()) == [root.id]
    add(store, part)
    assert told(store.arrivals(root.id)) == [root.id]


def test_what_somebody_gave_to_the_store_is_news_wherever_it_came_from(store: Store) -> None:
    event = made(author=BOB)
    add(store, event, relay=None)
    assert told(store.arrivals()) == [event.id]


@settings(max_examples=60, deadline=None)
@given(forests(), st.data())
def test_every_event_is_told_once_however_they_come_and_whenever_one_looks(
    events: list[Verified], data: st.DataObject
) -> None:
    heard: list[str] = []
    with SqliteStore(":memory:") as store, SqliteStore(":memory:") as unseen:
        for event in data.draw(st.permutations(events)):
            add(store, event)
            add(unseen, event)
            arrivals = store.arrivals()
            roots = data.draw(st.sets(st.sampled_from([*arrivals.threads, UNKNOWN])))
            for root in roots & set(arrivals.threads):
                assert store.arrivals(root).threads == {root: arrivals.threads[root]}
                store.looked(store.arrivals(root))
                heard += [each.id for each in arrivals.threads[root]]
        heard += told(store.arrivals())
        assert len(set(heard)) == len(heard)
        assert set(told(unseen.arrivals())) <= set(heard)


def test_what_was_stored_after_a_cursor_is_left_out(store: SqlStore) -> None:
    root = made()
    add(store, root)
    cursor = store.arrivals().cursor
    add(store, later := reply(root.id, root.id))
    before = store.arrivals(root.id, upto=cursor)
    assert (told(before), before.cursor) == ([root.id], cursor)
    store.looked(before)
    assert told(store.arrivals()) == told(store.arrivals(upto=10**9)) == [later.id]


def test_news_are_read_from_what_waits_and_from_nothing_else() -> None:
    from nostr_threads.store import looks

    with SqliteStore(":memory:") as store, store._database.reading() as connection:
        for query, parameters in (
            (looks._WAITING + looks._ORDER, (9,)),
            (looks._WAITING + looks._IN_THREAD + looks._ORDER, (9, "x")),
        ):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall()
            steps = [row[3] for row in plan]
            assert not any(
                step.startswith("SCAN") and not step.startswith(("SCAN a", "SEARCH a"))
                for step in steps
            ), steps
            assert not any("TEMP B-TREE FOR ORDER BY" in step for step in steps), steps
