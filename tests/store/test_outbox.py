"""The contract of `Outbox`: nothing signed is lost, and there is never a second version of it."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.filters import Filter
from nostr_threads.errors import InvalidInput, NotFound, StoreError
from nostr_threads.store import outbox
from nostr_threads.store.base import Added, Posting
from nostr_threads.store.opening import open_store
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.store.sqlite_connection import SqliteConnection
from tests.store.events import (
    ALICE,
    BOB,
    NOW,
    THEN,
    UNKNOWN,
    address,
    article,
    deletion,
    made,
    reply,
)

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

ONE, TWO, THREE = "wss://one.example", "wss://two.example", "wss://three.example"


def answer(text: str = "", *, at: int = NOW, relays: tuple[str, ...] = (TWO, ONE)) -> Posting:
    first = made(content=f"1{text}")
    second = reply(first.id, first.id, text=f"2{text}")
    return Posting((first, second), relays, quorum=1, created_at=at)


def queued(*relays: str) -> tuple[Delivery, ...]:
    return tuple(Delivery(part, relay, Status.QUEUED) for part in (1, 2) for relay in relays)


def deliveries(store: SqlStore, posting: Posting) -> tuple[Delivery, ...]:
    found = store.posting(posting.id)
    assert found is not None
    return found.deliveries


def test_a_posting_comes_back_with_each_part_queued_for_each_relay(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    assert store.posting(posting.id) == replace(posting, deliveries=queued(TWO, ONE))
    assert store.posting(UNKNOWN) is None


def test_its_parts_are_in_the_store_and_seen_nowhere(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    first, second = posting.events
    assert store.thread_root(second.id) == first.id
    assert store.add([first], relay=None, now=NOW) == [Added.KNOWN]
    assert store.sightings([first.id]) == {first.id: ()}


def test_parts_that_are_in_the_store_already_can_be_enqueued(store: SqlStore) -> None:
    posting = answer()
    store.add(posting.events, relay=ONE, now=THEN)
    store.enqueue(posting)
    assert [each.id for each in store.postings()] == [posting.id]


def test_enqueueing_again_changes_nothing(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    taken = Delivery(1, ONE, Status.STORED)
    store.record(posting.events[0].id, taken, now=NOW)
    store.enqueue(posting)
    found = store.posting(posting.id)
    assert found is not None
    assert taken in found.deliveries
    assert len(found.deliveries) == 4


def test_enqueueing_for_another_relay_adds_it(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    store.enqueue(replace(posting, relays=(THREE, ONE)))
    relays = (TWO, ONE, THREE)
    assert store.posting(posting.id) == replace(posting, relays=relays, deliveries=queued(*relays))


def test_a_second_version_of_a_posting_is_refused_whole(store: SqlStore) -> None:
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


def test_what_is_recorded_replaces_what_was_known(store: SqlStore) -> None:
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


def test_a_delivery_of_what_was_never_enqueued_is_refused(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    with pytest.raises(StoreError, match="no posting"):
        store.record(UNKNOWN, Delivery(1, ONE, Status.STORED), now=NOW)
    with pytest.raises(StoreError, match="no posting"):
        store.record(posting.id, Delivery(2, ONE, Status.STORED), now=NOW)


def test_postings_come_oldest_first(store: SqlStore) -> None:
    late, early = answer("late", at=NOW + 1), answer("early", at=NOW)
    store.enqueue(late)
    store.enqueue(early)
    assert [each.id for each in store.postings()] == [early.id, late.id]


@pytest.mark.parametrize("status", Status)
def test_a_posting_is_open_until_each_delivery_is_final(store: SqlStore, status: Status) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    assert [each.id for each in store.postings(open_only=True)] == [posting.id]
    for part, event in enumerate(posting.events, 1):
        store.record(event.id, Delivery(part, ONE, status, "blocked: no"), now=NOW)
    final = Delivery(1, ONE, status, "blocked: no").final
    assert [each.id for each in store.postings(open_only=True)] == ([] if final else [posting.id])
    assert [each.id for each in store.postings()] == [posting.id]


def test_a_refusal_that_may_pass_leaves_a_posting_open(store: SqlStore) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    for part, event in enumerate(posting.events, 1):
        refusal = Delivery(part, ONE, Status.REJECTED, "rate-limited: slow down")
        store.record(event.id, refusal, now=NOW)
    assert len(store.postings(open_only=True)) == 1


def test_a_part_that_no_relay_has_taken_is_shown_to_nobody(store: SqlStore) -> None:
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


def test_which_relays_are_a_courtesy_is_kept(store: SqlStore) -> None:
    posting = replace(answer(relays=(THREE, TWO, ONE)), courtesy=frozenset((TWO,)))
    store.enqueue(posting)
    store.enqueue(replace(posting, courtesy=frozenset((ONE,))))
    found = store.posting(posting.id)
    assert found == replace(posting, deliveries=queued(THREE, TWO, ONE))
    assert found.own == (THREE, ONE)


def test_tries_and_the_time_of_the_next_one_are_kept(store: SqlStore) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    failed = Delivery(1, ONE, Status.UNREACHABLE, "no route", tries=3, retry_at=NOW + 1800)
    store.record(posting.id, failed, now=NOW)
    assert failed in deliveries(store, posting)
    better = Delivery(1, ONE, Status.ACCEPTED)
    store.record(posting.id, better, now=NOW)
    assert better in deliveries(store, posting)


def test_what_was_given_up_can_be_revived(store: SqlStore) -> None:
    posting = answer(relays=(ONE,))
    store.enqueue(posting)
    given_up = Delivery(1, ONE, Status.GIVEN_UP, "no route", tries=12)
    stored = Delivery(2, ONE, Status.STORED)
    store.record(posting.id, given_up, now=NOW)
    store.record(posting.events[1].id, stored, now=NOW)
    assert store.postings(open_only=True) == []
    revived = store.revive(posting.id, NOW)
    assert revived.deliveries == (Delivery(1, ONE, Status.QUEUED, "no route"), stored)
    assert store.postings(open_only=True) == [revived]


def test_what_is_not_in_the_outbox_is_not_found(store: SqlStore) -> None:
    with pytest.raises(NotFound, match=UNKNOWN):
        store.lease(UNKNOWN, "me", now=NOW, until=NOW + 60)
    with pytest.raises(NotFound, match=UNKNOWN):
        store.release(UNKNOWN, "me")
    with pytest.raises(NotFound, match=UNKNOWN):
        store.cancel(UNKNOWN, now=NOW)
    with pytest.raises(NotFound, match=UNKNOWN):
        store.revive(UNKNOWN, NOW)


def test_a_lease_has_one_owner_until_it_runs_out(store: SqlStore) -> None:
    """A sender that died holds nobody up for longer."""
    posting = answer()
    store.enqueue(posting)
    assert store.lease(posting.id, "one", now=NOW, until=NOW + 60)
    assert not store.lease(posting.id, "two", now=NOW + 59, until=NOW + 120)
    assert store.lease(posting.id, "one", now=NOW + 59, until=NOW + 100)
    assert not store.lease(posting.id, "two", now=NOW + 99, until=NOW + 160)
    assert store.lease(posting.id, "two", now=NOW + 100, until=NOW + 160)
    assert not store.lease(posting.id, "one", now=NOW + 101, until=NOW + 161)


def test_a_lease_is_given_back_by_its_owner_alone(store: SqlStore) -> None:
    posting, other = answer(), answer("other")
    store.enqueue(posting)
    store.enqueue(other)
    assert store.lease(posting.id, "one", now=NOW, until=NOW + 60)
    assert store.lease(other.id, "two", now=NOW, until=NOW + 60)
    store.release(posting.id, "two")
    assert not store.lease(posting.id, "two", now=NOW, until=NOW + 60)
    store.release(posting.id, "one")
    assert store.lease(posting.id, "two", now=NOW, until=NOW + 60)


def take(place: str, posting_id: str, owner: str) -> bool:
    with open_store(place) as store:
        return store.lease(posting_id, owner, now=NOW, until=NOW + 60)


@pytest.mark.parametrize("processes", [True, False], ids=["processes", "threads"])
def test_of_all_who_ask_at_once_one_gets_the_lease(place: str, *, processes: bool) -> None:
    posting, owners = answer(), [f"owner {number}" for number in range(8)]
    with open_store(place) as store:
        store.enqueue(posting)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context) if processes else ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(take, place, posting.id, owner) for owner in owners]
        taken = [future.result(timeout=30) for future in waiting]
    assert taken.count(True) == 1
    assert take(place, posting.id, owners[taken.index(True)])


def take_record_and_die(place: str, posting_id: str) -> None:
    store = open_store(place)
    store.lease(posting_id, "dead", now=NOW, until=NOW + 60)
    store.record(posting_id, Delivery(1, ONE, Status.ACCEPTED), now=NOW)
    os._exit(9)


def test_a_sender_that_dies_leaves_what_it_recorded_and_a_lease_that_runs_out(
    place: str,
) -> None:
    posting = answer()
    with open_store(place) as store:
        store.enqueue(posting)
        arguments = (place, posting.id)
        sender = multiprocessing.get_context("spawn").Process(
            target=take_record_and_die, args=arguments
        )
        sender.start()
        sender.join(timeout=30)
        assert sender.exitcode == 9
        assert Delivery(1, ONE, Status.ACCEPTED) in deliveries(store, posting)
        assert not store.lease(posting.id, "next", now=NOW + 59, until=NOW + 120)
        assert store.lease(posting.id, "next", now=NOW + 60, until=NOW + 120)


def test_a_cancelled_posting_is_sent_by_nobody(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    store.record(posting.id, Delivery(1, ONE, Status.REJECTED, "blocked: no"), now=NOW)
    store.record(posting.id, Delivery(1, TWO, Status.UNREACHABLE, tries=3, retry_at=9), now=NOW)
    cancelled = store.cancel(posting.id, now=NOW)
    assert cancelled.deliveries == tuple(
        replace(each, status=Status.CANCELLED) for each in queued(TWO, ONE)
    )
    assert store.postings(open_only=True) == []
    assert store.postings() == [cancelled] == [store.cancel(posting.id, now=NOW)]
    assert not store.lease(posting.id, "me", now=NOW, until=NOW + 60)


@pytest.mark.parametrize("status", [status for status in Status if status.arrived])
def test_what_a_relay_may_have_cannot_be_cancelled(store: SqlStore, status: Status) -> None:
    """Not even when the relay was out of reach at the next try: it says nothing of the first."""
    posting = answer()
    store.enqueue(posting)
    store.record(posting.id, Delivery(1, ONE, status), now=NOW)
    store.record(posting.id, Delivery(1, ONE, Status.UNREACHABLE), now=NOW)
    before = store.posting(posting.id)
    with pytest.raises(
        InvalidInput, match=r"one\.example may have it already: use `outbox delete`"
    ):
        store.cancel(posting.id, now=NOW)
    assert store.posting(posting.id) == before


def test_what_was_seen_at_a_relay_cannot_be_cancelled(store: SqlStore) -> None:
    posting = answer()
    store.enqueue(posting)
    store.add(posting.events[1:], relay=THREE, now=NOW)
    with pytest.raises(InvalidInput, match="three"):
        store.cancel(posting.id, now=NOW)


def test_what_is_being_sent_or_was_cut_off_cannot_be_cancelled(store: SqlStore) -> None:
    """Between a sending and its record there may have been a crash."""
    posting = answer()
    store.enqueue(posting)
    assert store.lease(posting.id, "one", now=NOW, until=NOW + 60)
    with pytest.raises(InvalidInput, match="being sent"):
        store.cancel(posting.id, now=NOW + 59)
    with pytest.raises(InvalidInput, match="cut off"):
        store.cancel(posting.id, now=NOW + 60)
    assert store.lease(posting.id, "two", now=NOW + 60, until=NOW + 120)
    store.release(posting.id, "two")
    assert store.cancel(posting.id, now=NOW + 60).deliveries[0].status is Status.CANCELLED


def shown(store: SqlStore, root: Verified) -> tuple[set[str], set[str], set[str]]:
    """The contents in the thread of `root`, in queries, and in what is new."""
    return (
        {event.content for event in store.thread(root.id)},
        {event.content for event in store.query([Filter()], now=NOW)},
        {event.content for events in store.arrivals().threads.values() for event in events},
    )


def test_a_cancelled_answer_is_shown_nowhere_until_a_relay_has_it(store: SqlStore) -> None:
    root = made(content="root")
    first = reply(root.id, root.id, text="first")
    posting = Posting((first,), (ONE,), 1, NOW)
    store.add([root], relay=ONE, now=NOW)
    store.enqueue(posting)
    assert shown(store, root) == ({"root", "first"}, {"root"}, {"root"})
    store.cancel(posting.id, now=NOW)
    assert shown(store, root) == ({"root"}, {"root"}, {"root"})
    assert store.event(first.id) == first
    store.add([first], relay=TWO, now=NOW)
    assert shown(store, root) == ({"root", "first"}, {"root", "first"}, {"root"})


def test_the_same_parts_can_be_enqueued_again_after_a_cancel(store: SqlStore) -> None:
    """They begin anew, with what the poster says now."""
    posting = answer()
    store.enqueue(posting)
    store.record(posting.id, Delivery(1, ONE, Status.UNREACHABLE, tries=3, retry_at=9), now=NOW)
    store.cancel(posting.id, now=NOW)
    anew = replace(
        posting, relays=(THREE, ONE), quorum=2, created_at=NOW + 9, courtesy=frozenset((ONE,))
    )
    store.enqueue(anew)
    expected = replace(anew, deliveries=queued(THREE, ONE))
    assert store.postings(open_only=True) == [expected]
    assert {event.id for event in store.thread(posting.id)} == {each.id for each in posting.events}
    assert store.lease(posting.id, "me", now=NOW, until=NOW + 60)


def test_a_cancelled_edit_leaves_the_article_that_was_there(store: SqlStore) -> None:
    before, edit = article(at=THEN), article(at=THEN + 1)
    store.add([before], relay=ONE, now=NOW)
    posting = Posting((edit,), (ONE,), 1, NOW)
    store.enqueue(posting)
    store.cancel(posting.id, now=NOW)
    assert store.query([Filter()], now=NOW) == [before]
    assert store.thread(address()) == [before]
    store.enqueue(posting)
    store.record(edit.id, Delivery(1, ONE, Status.STORED), now=NOW)
    assert store.query([Filter()], now=NOW) == [edit]


def test_a_cancelled_new_article_leaves_nothing(store: SqlStore) -> None:
    posting = Posting((article(),), (ONE,), 1, NOW)
    store.enqueue(posting)
    store.cancel(posting.id, now=NOW)
    assert store.query([Filter()], now=NOW) == store.thread(address()) == []


def test_a_cancelled_edit_gives_the_article_its_place_back(store: SqlStore) -> None:
    """An edit may answer something else, and lead the article's thread elsewhere."""
    root = made(content="root")
    before = article(at=THEN)
    edit = article("a", ("e", root.id, "", "root"), at=THEN + 1)
    comment = reply(before.id, before.id, text="comment")
    store.add([root, before, comment], relay=ONE, now=NOW)
    store.enqueue(Posting((edit,), (ONE,), 1, NOW))
    assert store.thread_root(comment.id) == root.id
    store.cancel(edit.id, now=NOW)
    assert store.thread_root(comment.id) == address()
    store.enqueue(Posting((edit,), (ONE,), 1, NOW))
    assert store.thread_root(comment.id) == root.id


def test_a_cancelled_deletion_deletes_nothing(store: SqlStore) -> None:
    note, other, essay = made(content="note"), made(content="other"), article(at=THEN)
    store.add([note, other, essay], relay=ONE, now=NOW)
    earlier = deletion(("e", other.id), at=THEN + 1)
    store.add([earlier], relay=ONE, now=NOW)
    wish = deletion(("e", note.id), ("e", other.id), ("a", address()), at=THEN + 2)
    posting = Posting((wish,), (ONE,), 1, NOW)
    store.enqueue(posting)
    assert store.query([Filter(kinds=(1, 30023))], now=NOW) == []
    store.cancel(posting.id, now=NOW)
    found = store.query([Filter(kinds=(1, 30023))], now=NOW)
    assert {event.id for event in found} == {note.id, essay.id}
    store.enqueue(posting)
    assert store.query([Filter(kinds=(1, 30023))], now=NOW) == []


def test_a_cancelled_deletion_leaves_those_gone_who_vanished(store: SqlStore) -> None:
    """NIP-62: whoever vanished is gone, whatever becomes of a deletion."""
    vanish = made(62, ("relay", "ALL_RELAYS"), author=ALICE, at=THEN + 1)
    mine, theirs = made(content="mine", author=ALICE), made(content="theirs", author=BOB)
    store.add([mine, theirs, vanish], relay=ONE, now=NOW)
    wish = deletion(("e", mine.id), ("e", theirs.id), author=ALICE, at=THEN + 2)
    store.enqueue(Posting((wish,), (ONE,), 1, NOW))
    store.cancel(wish.id, now=NOW)
    assert store.query([Filter(kinds=(1,))], now=NOW) == [theirs]


def test_what_is_recorded_costs_the_same_for_any_number_of_parts() -> None:
    """A record touches one row: a thousand parts at five relays are five thousand of them."""
    events = tuple(made(content=f"{number}") for number in range(200))
    with SqliteStore(":memory:") as store, store._database.writing() as connection:
        assert isinstance(connection, SqliteConnection)
        outbox.enqueue(connection, Posting(events, (ONE, TWO), 1, NOW))
        before = connection.total_changes
        outbox.record(connection, events[100].id, Delivery(101, ONE, Status.STORED), NOW)
        assert connection.total_changes == before + 1
