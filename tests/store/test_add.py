"""The contract of `Store.add`, `event` and `sightings`."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.store.base import Added, Outbox, Store
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import ALICE, BOB, NOW, THEN, UNKNOWN, address, article, deletion, made

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

RELAY, OTHER = "wss://one.example", "wss://two.example"


def add(store: Store, *events: Verified, relay: str | None = None, now: int = NOW) -> list[Added]:
    return store.add(events, relay=relay, now=now)


def visible(store: Store) -> set[str]:
    return {event.id for event in store.query([Filter()], now=NOW)}


def test_the_sqlite_store_is_a_store_and_an_outbox(store: SqlStore) -> None:
    """The type checker does the checking."""
    ways: tuple[Store, Outbox] = (store, store)
    assert ways


def test_an_event_comes_back_as_it_was(store: Store) -> None:
    event = made(1, ("t", "a\0b"), ("t",), (), ("e", "not hex", "\u2028"), content='\0"\\\x7f😀\n')
    assert add(store, event) == [Added.NEW]
    assert store.event(event.id) == event


def test_a_tag_that_is_there_twice_counts_once(store: Store) -> None:
    event = made(1, ("t", "nostr"), ("t", "nostr", "and more"), ("e", UNKNOWN), ("e", UNKNOWN))
    assert add(store, event) == [Added.NEW]
    assert store.count([Filter(tags={"t": ("nostr",), "e": (UNKNOWN,)})], now=NOW) == 1


def test_an_unknown_id_is_none(store: Store) -> None:
    assert store.event(UNKNOWN) is None
    assert store.event("no id at all \ud800") is None
    assert store.event("\ud800" * 64) is None


def test_nothing_to_add_adds_nothing(store: Store) -> None:
    assert add(store, relay=RELAY) == []


def test_an_event_is_new_once_in_a_batch_and_ever_after_known(store: Store) -> None:
    first, second = made(content="1"), made(content="2")
    assert add(store, first, second, first) == [Added.NEW, Added.NEW, Added.KNOWN]
    assert add(store, second, made(content="3")) == [Added.KNOWN, Added.NEW]


def test_each_relay_is_a_sighting_in_order_of_time(store: Store) -> None:
    event, unseen = made(content="seen"), made(content="made here")
    add(store, unseen)
    add(store, event, relay=OTHER, now=NOW)
    add(store, event, relay=RELAY, now=NOW + 1)
    add(store, event, relay=OTHER, now=NOW + 2)
    assert store.sightings([event.id, unseen.id, UNKNOWN]) == {
        event.id: (OTHER, RELAY),
        unseen.id: (),
        UNKNOWN: (),
    }


def test_more_events_than_a_statement_has_variables_are_one_batch(store: Store) -> None:
    events = [made(content=str(number)) for number in range(1201)]
    assert set(add(store, *events, relay=RELAY)) == {Added.NEW}
    assert set(add(store, *events, relay=OTHER)) == {Added.KNOWN}
    assert set(store.sightings([event.id for event in events]).values()) == {(RELAY, OTHER)}


def test_the_newest_version_is_current_and_of_equals_the_lowest_id(store: Store) -> None:
    """NIP-01, in whatever order and whatever batches the versions come."""
    old = article(at=THEN)
    twins = sorted((article("a", ("t", str(n)), at=THEN + 1) for n in range(2)), key=lambda e: e.id)
    other = article("b", at=THEN)
    for order in permutations((old, *twins)):
        with SqliteStore(":memory:") as fresh:
            for event in order:
                add(fresh, event)
            add(fresh, other)
            assert visible(fresh) == {twins[0].id, other.id}
    assert add(store, old, *twins) == [Added.SUPERSEDED, Added.NEW, Added.SUPERSEDED]
    assert visible(store) == {twins[0].id}
    assert store.event(old.id) == old


def test_a_replaceable_kind_is_replaced_for_each_author_only(store: Store) -> None:
    mine, newer = made(0, at=THEN), made(0, at=THEN + 1)
    theirs = made(0, author=BOB, at=THEN)
    assert add(store, mine, theirs) == [Added.NEW, Added.NEW]
    assert add(store, newer) == [Added.NEW]
    assert visible(store) == {newer.id, theirs.id}
    assert add(store, made(0, at=THEN - 1)) == [Added.SUPERSEDED]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("deletion_first", [True, False])
def test_the_author_deletes_by_id(store: Store, *, together: bool, deletion_first: bool) -> None:
    """NIP-09: whichever came first."""
    event, kept = made(content="gone"), made(content="kept")
    request = deletion(("e", event.id), ("e", UNKNOWN))
    events = [request, event, kept] if deletion_first else [event, kept, request]
    for batch in [events] if together else [[each] for each in events]:
        outcomes = add(store, *batch)
        if event in batch and request in batch:
            assert outcomes[batch.index(event)] is Added.DELETED
    assert visible(store) == {kept.id, request.id}
    assert store.event(event.id) == event


def test_an_event_that_its_author_deleted_before_is_deleted_on_arrival(store: Store) -> None:
    event = made(content="gone")
    add(store, deletion(("e", UNKNOWN), ("e", event.id)))
    assert add(store, event) == [Added.DELETED]
    assert add(store, event) == [Added.KNOWN]


def test_a_stranger_deletes_nothing(store: Store) -> None:
    event, version = made(content="here to stay"), article()
    add(store, event, deletion(("e", event.id), ("a", address()), author=BOB))
    add(store, version)
    assert {event.id, version.id} <= visible(store)


def test_a_deletion_cannot_be_deleted(store: Store) -> None:
    event = made()
    request = deletion(("e", event.id))
    add(store, event, request, deletion(("e", request.id)))
    assert request.id in visible(store)
    assert event.id not in visible(store)


@pytest.mark.parametrize("deletion_first", [True, False])
def test_an_address_is_deleted_up_to_the_time_of_the_request(
    store: Store, *, deletion_first: bool
) -> None:
    """NIP-09: "up to the created_at timestamp"."""
    before, same = article("x", at=THEN), article("y", at=THEN + 1)
    after = article("z", at=THEN + 2)
    request = deletion(*(("a", address(d)) for d in "xyz"), at=THEN + 1)
    events = [before, same, after]
    for event in [request, *events] if deletion_first else [*events, request]:
        add(store, event)
    assert visible(store) == {after.id, request.id}


def test_deleting_the_current_version_does_not_bring_back_an_older_one(store: Store) -> None:
    old, current = article(at=THEN), article(at=THEN + 1)
    add(store, old, current, deletion(("e", current.id), at=THEN + 2))
    assert store.count([Filter(kinds=(30023,))], now=NOW) == 0


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    good = made(content="good")

    def broken() -> list[Verified]:
        raise OSError("the caller's own")

    with pytest.raises(OSError, match="own"):
        store.add(
            (event for part in ([good], None) for event in part or broken()), relay=None, now=NOW
        )
    assert store.event(good.id) is None
    assert add(store, good) == [Added.NEW]


def test_events_of_an_author_without_tags_need_no_links(store: Store) -> None:
    event = made(author=ALICE)
    add(store, event)
    assert store.thread(event.id) == [event]
