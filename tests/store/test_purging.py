"""Events removed for good: they are nowhere any more, and do not come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.store import purging
from nostr_threads.store.base import Added, Posting
from nostr_threads.store.bots import Taken
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

ALICE, BOB, CAROL = (Author(name) for name in (b"alice", b"bob", b"carol"))
NOW = int(START) + 1_000
RELAY = "wss://relay.example"
ROOT = ALICE.note("root")
GONE = BOB.reply(ROOT, "gone")
BELOW = CAROL.reply(GONE, "below")
DELETION = BOB.event(5, "", START + 50, (("e", GONE.id),))
SHORT = BOB.event(1, "expires", START, (("expiration", str(NOW - 5)),))


def stored(store: SqlStore) -> set[str]:
    return {event_id.hex() for _, event_id in store.items([Filter()], now=None)}


def test_what_was_deleted_or_has_expired_goes_and_does_not_come_back(store: SqlStore) -> None:
    events = [ROOT, GONE, BELOW, DELETION, SHORT]
    store.add(events, relay=RELAY, now=NOW)
    store.query([Filter(search="gone")], now=NOW)  # so that there is an index
    assert store.upkeep.purge(now=NOW) == 2
    assert stored(store) == {ROOT.id, BELOW.id, DELETION.id}
    assert store.upkeep.purged([event.id for event in events]) == {GONE.id, SHORT.id}
    assert store.add([GONE, SHORT], relay=RELAY, now=NOW) == [Added.KNOWN, Added.KNOWN]
    assert stored(store) == {ROOT.id, BELOW.id, DELETION.id}
    assert store.query([Filter(search="gone")], now=NOW) == []
    assert store.upkeep.purge(now=NOW) == 0
    assert list(store.upkeep.audit()) == []
    # What answered it still stands in its thread.
    assert {event.id for event in store.thread(ROOT.id)} >= {ROOT.id, BELOW.id}


def test_older_versions_of_what_was_deleted_go_too(store: SqlStore) -> None:
    """Else one of them would be shown in its place."""
    old, new = (ALICE.event(30023, text, START + at, (("d", "x"),)) for at, text in enumerate("ab"))
    request = ALICE.event(5, "", START + 9, (("e", new.id),))
    store.add([old, new, request], relay=RELAY, now=NOW)
    assert store.query([Filter(kinds=(30023,))], now=NOW) == []
    assert store.upkeep.purge(now=NOW) == 2
    assert store.query([Filter(kinds=(30023,))], now=NOW) == []
    newer = ALICE.event(30023, "c", START + 20, (("d", "x"),))
    assert store.add([newer], relay=RELAY, now=NOW) == [Added.NEW]
    assert list(store.upkeep.audit()) == []


def test_who_vanished_is_gone_with_all_that_they_wrote(store: SqlStore) -> None:
    leaving = CAROL.event(62, "", START + 90, (("relay", "ALL_RELAYS"),))
    store.add([ROOT, GONE, BELOW, leaving], relay=RELAY, now=NOW)
    assert store.upkeep.purge(now=NOW) == 1
    assert stored(store) == {ROOT.id, GONE.id, leaving.id}
    assert list(store.upkeep.audit()) == []


@pytest.mark.parametrize(("left", "gone"), [(-1, 1), (0, 1), (1, 0)])
def test_at_the_second_that_it_names_an_event_is_over(
    store: SqlStore, left: int, gone: int
) -> None:
    event = BOB.event(1, "expires", START, (("expiration", str(NOW + left)),))
    store.add([event], relay=RELAY, now=NOW - 10)
    assert len(store.query([Filter()], now=NOW)) == 1 - gone
    assert store.upkeep.purge(now=NOW) == gone


def test_ones_own_answers_stay(store: SqlStore) -> None:
    store.enqueue(Posting((GONE,), (RELAY,), 1, NOW))
    store.add([DELETION], relay=RELAY, now=NOW)
    assert store.upkeep.purge(now=NOW) == 0
    assert store.postings()[0].events == (GONE,)


def test_many_go_one_batch_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "_BATCH", 3)
    notes = [BOB.note(f"note {n}") for n in range(10)]
    request = BOB.event(5, "", START + 50, tuple(("e", note.id) for note in notes))
    with SqliteStore(":memory:") as store:
        store.add([*notes, request, ROOT], relay=RELAY, now=NOW)
        assert store.upkeep.purge(now=NOW) == 10
        assert stored(store) == {ROOT.id, request.id}


EVENTS = [
    ROOT,
    GONE,
    BELOW,
    DELETION,
    SHORT,
    CAROL.reply(BELOW, "deeper"),
    ALICE.event(30023, "v1", START, (("d", "x"),)),
    ALICE.event(30023, "v2", START + 1, (("d", "x"), ("a", f"30023:{BOB.pubkey}:y"))),
    ALICE.event(5, "", START + 5, (("a", f"30023:{ALICE.pubkey}:x"),)),
    BOB.event(1111, "c", START + 7, (("a", f"30023:{ALICE.pubkey}:x"), ("k", "30023"))),
]


@settings(max_examples=40, deadline=None)
@given(st.permutations(EVENTS), st.sets(st.integers(1, len(EVENTS)), max_size=4))
def test_whenever_it_is_done_the_rest_is_as_it_should_be(
    order: list[Verified], moments: set[int]
) -> None:
    with SqliteStore(":memory:") as store:
        check_purges(store, order, moments)


@settings(max_examples=8, deadline=None)
@given(st.permutations(EVENTS), st.sets(st.integers(1, len(EVENTS)), max_size=4))
def test_it_is_done_alike_in_every_database(
    emptied: Callable[[], SqlStore], order: list[Verified], moments: set[int]
) -> None:
    check_purges(emptied(), order, moments)


def check_purges(store: SqlStore, order: list[Verified], moments: set[int]) -> None:
    for number, event in enumerate(order, 1):
        store.add([event], relay=RELAY, now=NOW)
        if number in moments:
            store.upkeep.purge(now=NOW)
            assert list(store.upkeep.audit()) == []
    store.upkeep.purge(now=NOW)
    assert list(store.upkeep.audit()) == []
    assert not stored(store) & {GONE.id, SHORT.id}


def test_a_bot_reads_what_comes_after_a_row_that_was_removed(store: SqlStore) -> None:
    bot = store.bots.enter(BOB.pubkey, "faq", now=1)

    def read() -> list[str]:
        found = store.bots.read(bot, (1,), 0, lambda *_: [Taken()], now=NOW, most=9)
        return [event.id for event, _ in found or ()]

    gone, later = ALICE.note("gone"), ALICE.note("later")
    store.add([gone], relay=None, now=NOW)
    assert read() == [gone.id]
    _mark_deleted(store)
    store.upkeep.purge(now=NOW)
    store.add([later], relay=None, now=NOW)
    assert read() == [later.id]


def test_what_comes_after_a_row_that_was_removed_is_found_by_its_words(
    store: SqlStore,
) -> None:
    gone, later = ALICE.note("gone"), ALICE.note("later")
    store.add([gone], relay=None, now=NOW)
    assert store.query([Filter(search="gone")], now=NOW) == [gone]
    _mark_deleted(store)
    store.upkeep.purge(now=NOW)
    store.add([later], relay=None, now=NOW)
    assert store.query([Filter(search="later")], now=NOW) == [later]


def _mark_deleted(store: SqlStore) -> None:
    with store._database.writing() as connection:
        connection.execute("UPDATE events SET deleted = 1")
