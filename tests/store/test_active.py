"""The contract of `active`: every thread once, by when something was last said in it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.store.base import Activity, Posting
from nostr_threads.store.policy import Policy
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import BOB, NOW, THEN, UNKNOWN, article, comment, deletion, made, reply
from tests.store.forests import forests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore

RELAY = "wss://one.example"
SAYS = (1, 11, 1111, 30023)


def add(store: Store, *events: Verified) -> None:
    store.add(events, relay=RELAY, now=NOW)


def pages(store: Store, size: int) -> Iterator[list[Activity]]:
    before = None
    while page := store.active(now=NOW, most=size, before=before):
        yield page
        before = page[-1]


def counted(store: Store) -> list[Activity]:
    """The same from what the store says of each note."""
    notes: defaultdict[str, list[Verified]] = defaultdict(list)
    for event in store.query([Filter(kinds=SAYS)], now=NOW):
        notes[store.thread_root(event.id) or event.id].append(event)
    news = {event.id for events in store.arrivals().threads.values() for event in events}
    found = [
        Activity(
            root,
            len(events),
            sum(event.id in news for event in events),
            max(event.created_at for event in events),
        )
        for root, events in notes.items()
    ]
    return sorted(found, key=lambda each: (-each.last_at, each.root))


def test_an_empty_store_has_none(store: SqlStore) -> None:
    assert store.active(now=NOW, most=5) == []


def test_the_thread_in_which_something_was_said_last_comes_first(store: SqlStore) -> None:
    old, young = made(content="old"), made(content="young", at=THEN + 5)
    add(store, old, young, reply(old.id, old.id, at=THEN + 9))
    assert store.active(now=NOW, most=5) == [
        Activity(old.id, 2, 2, THEN + 9),
        Activity(young.id, 1, 1, THEN + 5),
    ]


def test_what_was_looked_at_is_not_unread(store: SqlStore) -> None:
    root = made()
    add(store, root)
    store.looked(store.arrivals())
    add(store, reply(root.id, root.id))
    (thread,) = store.active(now=NOW, most=5)
    assert (thread.notes, thread.unread) == (2, 1)


def test_an_articles_versions_and_answers_are_one_thread(store: SqlStore) -> None:
    old, new = article(), article(at=THEN + 1)
    key = f"30023:{old.pubkey}:a"
    add(store, old, new, comment(key, key))
    assert [(each.root, each.notes) for each in store.active(now=NOW, most=5)] == [(key, 2)]


def test_a_missing_root_has_a_thread_and_what_says_nothing_has_none(store: SqlStore) -> None:
    add(store, reply(UNKNOWN, UNKNOWN), made(7, ("e", UNKNOWN)), made(0), made(3))
    assert [(each.root, each.notes) for each in store.active(now=NOW, most=5)] == [(UNKNOWN, 1)]


@pytest.mark.parametrize("policy", [Policy.HIDE, Policy.KEEP])
def test_what_is_deleted_counts_where_it_is_kept(store: SqlStore, policy: Policy) -> None:
    root, gone = made(), made(content="gone", author=BOB)
    store.adopt(policy)
    add(store, root, gone, deletion(("e", gone.id), author=BOB))
    shown = {each.root for each in store.active(now=NOW, most=5)}
    assert shown == ({root.id, gone.id} if policy is Policy.KEEP else {root.id})


def test_nobody_is_on_top_by_a_date_far_ahead(store: SqlStore) -> None:
    root = made()
    add(store, root, made(at=NOW + 10_000), reply(root.id, root.id, at=NOW + 10_000))
    assert store.active(now=NOW, most=5) == [Activity(root.id, 1, 1, THEN)]


def test_parts_that_nobody_has_yet_are_not_counted(store: SqlStore) -> None:
    store.enqueue(Posting((made(),), (RELAY,), 1, NOW))
    assert store.active(now=NOW, most=5) == []


def test_a_thread_of_more_notes_than_are_read_at_once_is_one(store: SqlStore) -> None:
    root, other = made(content="root"), made(content="other")
    many = [reply(root.id, root.id, at=THEN + 1, text=str(number)) for number in range(2_100)]
    add(store, root, other, *many)
    assert [(each.root, each.notes) for each in store.active(now=NOW, most=9)] == [
        (root.id, 2_101),
        (other.id, 1),
    ]


@given(events=forests(), size=st.integers(1, 4))
def test_pages_bring_every_thread_once_with_its_figures(events: list[Verified], size: int) -> None:
    with SqliteStore(":memory:") as store:
        add(store, *events)
        found = list(pages(store, size))
        assert [each for page in found for each in page] == counted(store)
        assert all(len(page) == size for page in found[:-1])
