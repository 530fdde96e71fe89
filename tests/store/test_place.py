"""A store where it is: opened again, shared, only read, closed. The same in every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError
from nostr_threads.store.base import Added, Posting
from nostr_threads.store.opening import open_store
from tests.store.conftest import run
from tests.store.events import NOW, made, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.store.sql import SqlStore

RELAY = "wss://one.example"


def test_everything_is_there_after_reopening(place: str) -> None:
    root = made()
    answer = reply(root.id, root.id)
    posting = Posting((answer,), (RELAY,), 1, NOW)
    with open_store(place) as store:
        store.add([root], relay=RELAY, now=NOW)
        store.enqueue(posting)
        store.record(answer.id, Delivery(1, RELAY, Status.STORED), now=NOW)
    with open_store(place) as store:
        assert {event.id for event in store.thread(root.id)} == {root.id, answer.id}
        assert store.sightings([root.id]) == {root.id: (RELAY,)}
        assert [each.id for each in store.postings()] == [posting.id]
        assert store.postings(open_only=True) == []


WRITES: list[Callable[[SqlStore], object]] = [
    lambda store: store.add([made(content="2")], relay=None, now=NOW),
    lambda store: store.looked(store.arrivals()),
    lambda store: store.note_people_asked(["ab" * 32], now=NOW),
    lambda store: store.record_relays({RELAY: True}),
    lambda store: store.keep_relay_document(RELAY, "{}", now=NOW),
    lambda store: store.enqueue(Posting((made(),), (RELAY,), 1, NOW)),
]


def test_a_reader_sees_what_the_writer_has_committed_and_writes_nothing(place: str) -> None:
    event = made()
    many = Filter(kinds=tuple(range(1000)))
    with open_store(place) as writer, open_store(place, read_only=True) as reader:
        assert reader.query([many], now=NOW) == []
        writer.add([event], relay=None, now=NOW)
        assert reader.query([many], now=NOW) == [event]
        assert reader.arrivals() == writer.arrivals()
        for write in WRITES:
            with pytest.raises(StoreError, match="cannot be written"):
                write(reader)
        assert reader.event(event.id) == event


def test_a_damaged_event_is_an_error(place: str) -> None:
    event = made()
    with open_store(place) as store:
        store.add([event], relay=None, now=NOW)
        run(place, "UPDATE events SET json = '{}'")
        with pytest.raises(StoreError, match="damaged"):
            store.event(event.id)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.add([made()], relay=None, now=NOW),
        lambda store: store.query([Filter()], now=NOW),
        lambda store: store.thread("x"),
        lambda store: store.postings(),
    ],
)
def test_a_closed_store_answers_nothing(place: str, call: Callable[[SqlStore], object]) -> None:
    store = open_store(place)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        call(store)


def test_threads_share_one_store(place: str) -> None:
    events = [made(content=str(number)) for number in range(40)]
    with open_store(place) as store, ThreadPoolExecutor(8) as pool:
        added = pool.map(lambda event: store.add([event], relay=RELAY, now=NOW), events)
        assert list(added) == [[Added.NEW]] * 40
        assert store.count([Filter()], now=NOW) == 40
