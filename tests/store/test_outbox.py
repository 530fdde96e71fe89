"""The contract of `Outbox`: nothing signed is lost, and there is never a second version of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError
from nostr_threads.store.base import Added, Posting
from tests.store.events import NOW, THEN, UNKNOWN, made, reply

if TYPE_CHECKING:
    from nostr_threads.store.sqlite import SqliteStore

ONE, TWO, THREE = "wss://one.example", "wss://two.example", "wss://three.example"


def answer(text: str = "", *, at: int = NOW, relays: tuple[str, ...] = (TWO, ONE)) -> Posting:
    first = made(content=f"1{text}")
    second = reply(first.id, first.id, text=f"2{text}")
    return Posting((first, second), relays, quorum=1, created_at=at)


def queued(*relays: str) -> tuple[Delivery, ...]:
    return tuple(Delivery(part, relay, Status.QUEUED) for part in (1, 2) for relay in relays)


def test_a_posting_comes_back_with_each_part_queued_for_each_relay(store: SqliteStore) -> None:
    posting = answer()
    store.enqueue(posting)
    assert store.posting(posting.id) == replace(posting, deliveries=queued(TWO, ONE))
    assert store.posting(UNKNOWN) is None


def test_its_parts_are_in_the_store_and_seen_nowhere(store: SqliteStore) -> None:
    posting = answer()
    store.enqueue(posting)
    first, second = posting.events
    assert store.thread_root(second.id) == first.id
    assert store.add([first], relay=None, now=NOW) == [Added.KNOWN]
    assert store.sightings([first.id]) == {first.id: ()}


def test_parts_that_are_in_the_store_already_can_be_enqueued(store: SqliteStore) -> None:
    posting = answer()
    store.add(posting.events, relay=ONE, now=THEN)
    store.enqueue(posting)
    assert [each.id for each in store.postings()] == [posting.id]


def test_enqueueing_again_changes_nothing(store: SqliteStore) -> None:
    posting = answer()
    store.enqueue(posting)
    taken = Delivery(1, ONE, Status.STORED)
    store.record(posting.events[0].id, taken, now=NOW)
    store.enqueue(posting)
    found = store.posting(posting.id)
    assert found is not None
    assert taken in found.deliveries
    assert len(found.deliveries) == 4


def test_enqueueing_for_another_relay_adds_it(store: SqliteStore) -> None:
    posting = answer()
    store.enqueue(posting)
    store.enqueue(replace(posting, relays=(THREE, ONE)))
    relays = (TWO, ONE, THREE)
    assert store.posting(posting.id) == replace(posting, relays=relays, deliveries=queued(*relays))


def test_a_second_version_of_a_posting_is_refused_whole(store: SqliteStore) -> None:
    posting = answer()
    first, second = posting.events
    other = reply(first.id, first.id, text="another end")
    store.enqueue(posting)
    with pytest.raises(StoreError, match="other parts"):
        store.enqueue(replace(posting, events=(first, other)))
    with pytest.raises(StoreError, match="part of another"):
        store.enqueue(replace(posting, events=(other, second)))
    assert store.event(other.id) is None
    assert len(store.postings()) == 1


def test_what_is_recorded_replaces_what_was_known(store: SqliteStore) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    first, second = posting.events
    store.record(second.id, Delivery(2, ONE, Status.NO_ANSWER), now=NOW)
    store.record(second.id, Delivery(2, ONE, Status.REJECTED, "blocked: \0\u202e"), now=NOW + 1)
    store.record(first.id, Delivery(1, TWO, Status.ACCEPTED), now=NOW)
    found = store.posting(posting.id)
    assert found is not None
    assert found.relays == (ONE, TWO)
    assert set(found.deliveries) == {
        Delivery(1, ONE, Status.QUEUED),
        Delivery(1, TWO, Status.ACCEPTED),
        Delivery(2, ONE, Status.REJECTED, "blocked: \0\u202e"),
        Delivery(2, TWO, Status.QUEUED),
    }


def test_a_delivery_of_what_was_never_enqueued_is_refused(store: SqliteStore) -> None:
    posting = answer()
    store.enqueue(posting)
    with pytest.raises(StoreError, match="no posting"):
        store.record(UNKNOWN, Delivery(1, ONE, Status.STORED), now=NOW)
    with pytest.raises(StoreError, match="no posting"):
        store.record(posting.id, Delivery(2, ONE, Status.STORED), now=NOW)


def test_postings_come_oldest_first(store: SqliteStore) -> None:
    late, early = answer("late", at=NOW + 1), answer("early", at=NOW)
    store.enqueue(late)
    store.enqueue(early)
    assert [each.id for each in store.postings()] == [early.id, late.id]


@pytest.mark.parametrize("status", Status)
def test_a_posting_is_open_until_each_delivery_is_final(store: SqliteStore, status: Status) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    assert [each.id for each in store.postings(open_only=True)] == [posting.id]
    for part, event in enumerate(posting.events, 1):
        store.record(event.id, Delivery(part, ONE, status, "blocked: no"), now=NOW)
    final = Delivery(1, ONE, status, "blocked: no").final
    assert [each.id for each in store.postings(open_only=True)] == ([] if final else [posting.id])
    assert [each.id for each in store.postings()] == [posting.id]


def test_a_refusal_that_may_pass_leaves_a_posting_open(store: SqliteStore) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    for part, event in enumerate(posting.events, 1):
        refusal = Delivery(part, ONE, Status.REJECTED, "rate-limited: slow down")
        store.record(event.id, refusal, now=NOW)
    assert len(store.postings(open_only=True)) == 1


def test_a_part_that_no_relay_has_taken_is_shown_to_nobody(store: SqliteStore) -> None:
    """Other clients read the store through `relay serve`; a draft is its author's alone."""
    posting = answer()
    first, *rest = posting.events
    store.enqueue(posting)
    assert (store.query([Filter()], now=NOW), store.count([Filter()], now=NOW)) == ([], 0)
    assert store.event(first.id) == first
    store.record(first.id, Delivery(1, ONE, Status.REJECTED, "blocked: no"), now=NOW)
    assert store.query([Filter()], now=NOW) == []
    store.record(first.id, Delivery(1, TWO, Status.ACCEPTED), now=NOW)
    assert store.query([Filter()], now=NOW) == [first]
    assert rest
