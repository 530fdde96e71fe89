"""The contract of `stored_after`: who follows a store is given each event once, whoever stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.store.base import Posting, Stored
from nostr_threads.store.opening import open_store
from nostr_threads.store.policy import Policy
from tests.store.events import NOW, THEN, article, deletion, made

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore

RELAY = "wss://one.example"


def add(store: Store, *events: Verified) -> None:
    store.add(events, relay=RELAY, now=NOW)


def after(store: Store, cursor: int | None, most: int = 100) -> Stored:
    return store.stored_after(cursor, now=NOW, most=most)


def test_it_begins_where_the_store_ends(store: SqlStore) -> None:
    assert after(store, None) == Stored(0)
    add(store, made())
    begun = after(store, None)
    assert begun.events == ()
    assert after(store, begun.cursor) == begun
    assert after(store, 0).events == (made(),)


def test_what_is_stored_comes_in_order_and_once(store: SqlStore) -> None:
    begun = after(store, None).cursor
    events = [made(content=str(number), at=THEN - number) for number in range(5)]
    add(store, *events[:3])
    add(store, *events)
    one = after(store, begun, most=2)
    two = after(store, one.cursor, most=2)
    three = after(store, two.cursor, most=2)
    assert [*one.events, *two.events, *three.events] == events
    assert after(store, three.cursor) == Stored(three.cursor)


def test_ones_own_parts_are_there_for_who_wants_them(store: SqlStore) -> None:
    begun = after(store, None).cursor
    store.enqueue(Posting((made(content="mine"),), (RELAY,), 1, NOW))
    assert after(store, begun).events == ()
    mine = store.stored_after(begun, now=NOW, most=9, own=True)
    assert [event.content for event in mine.events] == ["mine"]


def test_what_a_query_would_not_return_is_passed_over(store: SqlStore) -> None:
    gone, old = made(content="gone"), article(at=THEN)
    request, new = deletion(("e", gone.id)), article(at=THEN + 1)
    add(store, gone, old, request, new, made(1, ("expiration", str(NOW)), content="over"))
    found = after(store, 0)
    assert found.events == (request, new)
    assert after(store, found.cursor).events == ()
    assert after(store, 0, most=1) == Stored(after(store, 0, most=1).cursor)
    store.adopt(Policy.KEEP)
    assert gone in after(store, 0).events


def test_a_part_that_no_relay_has_taken_is_its_authors_alone(store: SqlStore) -> None:
    part = made(content="part")
    store.enqueue(Posting((part,), (RELAY,), 1, NOW))
    assert after(store, 0).events == ()
    store.record(part.id, Delivery(1, RELAY, Status.ACCEPTED), now=NOW)
    assert after(store, 0).events == (part,)


def test_a_cursor_outlives_what_it_stood_on(store: SqlStore) -> None:
    """A row's number is not given again, or the event that has it would be passed over."""
    over = [made(1, ("expiration", str(NOW + 1)), content=str(number)) for number in range(3)]
    add(store, made(), *over)
    cursor = after(store, None).cursor
    assert store.upkeep.purge(now=NOW + 2) == 3
    assert store.upkeep.purge(now=NOW + 2) == 0
    fresh = [made(content="fresh"), made(content="fresher")]
    add(store, fresh[0])
    assert store.upkeep.purge(now=NOW + 2) == 0
    add(store, fresh[1])
    assert after(store, cursor).events == tuple(fresh)


def test_what_others_store_in_the_same_place_comes_too(place: str) -> None:
    with open_store(place) as writer, open_store(place, read_only=True) as reader:
        cursor = after(reader, None).cursor
        add(writer, made())
        assert after(reader, cursor).events == (made(),)
