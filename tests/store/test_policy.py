"""The contract of the policy: what was deleted or has expired is kept, hidden, or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.event import Event
from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError
from nostr_threads.store.base import Added, Posting
from nostr_threads.store.opening import open_store
from nostr_threads.store.policy import Policy
from nostr_threads.store.sqlite import SqliteStore
from tests.store.conftest import run
from tests.store.events import BOB, CAROL, NOW, THEN, article, deletion, made, reply
from tests.store.forests import forests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

RELAY = "wss://one.example"
ROOT = made(content="fox at the root")
GONE = reply(ROOT.id, ROOT.id, author=BOB, text="fox gone")
DELETION = deletion(("e", GONE.id), author=BOB, at=THEN + 9)
OVER = made(1, ("expiration", str(NOW)), content="fox over", author=BOB, at=THEN + 1)
LEFT = made(content="fox left", author=CAROL, at=THEN + 2)
VANISH = made(62, ("relay", "ALL_RELAYS"), author=CAROL, at=THEN + 3)
OLD, CURRENT = article(at=THEN + 4), article(at=THEN + 5)
STANDING = (ROOT, DELETION, VANISH, CURRENT)
UNWANTED = (GONE, OVER, LEFT)
EVERYTHING = (*STANDING, *UNWANTED, OLD)


def ids(*events: Event) -> set[str]:
    return {event.id for event in events}


def asked(store: SqlStore, *, strict: bool = False) -> set[str]:
    """Ask in every way that there is: all have to agree."""
    found = ids(*store.query([Filter()], now=NOW, strict=strict))
    items = store.items([Filter()], now=NOW, strict=strict)
    assert {event_id.hex() for _, event_id in items} == found
    # With limits they go other ways.
    limited = [Filter(limit=99), Filter(kinds=(1,), limit=99)]
    assert ids(*store.query(limited, now=NOW, strict=strict)) == found
    items = store.items(limited, now=NOW, strict=strict)
    assert {event_id.hex() for _, event_id in items} == found
    if not strict:
        assert store.count([Filter()], now=NOW) == len(found)
        texts = store.export([Filter()], now=NOW)
        assert ids(*(Event.from_json(text) for text in texts)) == found
    return found


def news(store: SqlStore) -> set[str]:
    threads = store.arrivals().threads.values()
    return ids(*(event for events in threads for event in events))


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    store.add(EVERYTHING, relay=RELAY, now=NOW)
    return store


def test_a_store_hides_until_something_else_is_said(filled: SqlStore) -> None:
    assert filled.policy() is Policy.HIDE
    assert not filled.adopt(Policy.HIDE)
    assert asked(filled) == asked(filled, strict=True) == ids(*STANDING)


def test_what_is_kept_is_shown_and_what_was_replaced_is_not(filled: SqlStore) -> None:
    assert filled.adopt(Policy.KEEP)
    assert not filled.adopt(Policy.KEEP)
    assert filled.policy() is Policy.KEEP
    assert asked(filled) == ids(*STANDING, *UNWANTED)


def test_who_asks_strictly_is_shown_nothing_that_is_only_kept(filled: SqlStore) -> None:
    filled.adopt(Policy.KEEP)
    assert asked(filled, strict=True) == ids(*STANDING)


@pytest.mark.parametrize("back", [Policy.HIDE, Policy.PURGE])
def test_what_was_kept_is_hidden_again_at_once(filled: SqlStore, back: Policy) -> None:
    filled.adopt(Policy.KEEP)
    assert filled.adopt(back)
    assert filled.policy() is back
    assert asked(filled) == ids(*STANDING)


def test_kept_or_not_everything_is_there(filled: SqlStore) -> None:
    for policy in Policy:
        filled.adopt(policy)
        found = filled.items([Filter()], now=None)
        assert {event_id.hex() for _, event_id in found} == ids(*EVERYTHING)


def test_words_are_found_in_what_is_kept(filled: SqlStore) -> None:
    wanted = [Filter(search="fox")]
    assert filled.query(wanted, now=NOW) == [ROOT]
    filled.adopt(Policy.KEEP)
    assert ids(*filled.query(wanted, now=NOW)) == ids(ROOT, *UNWANTED)
    assert filled.count(wanted, now=NOW) == 4
    assert filled.query(wanted, now=NOW, strict=True) == [ROOT]


def test_what_comes_after_its_deletion_is_kept_too(store: SqlStore) -> None:
    store.adopt(Policy.KEEP)
    store.add([DELETION, VANISH, ROOT], relay=RELAY, now=NOW)
    assert store.add([GONE, LEFT], relay=RELAY, now=NOW) == [Added.DELETED, Added.DELETED]
    assert asked(store) == ids(ROOT, DELETION, VANISH, GONE, LEFT)
    assert news(store) == ids(ROOT, GONE, LEFT)
    store.adopt(Policy.HIDE)
    assert asked(store) == ids(ROOT, DELETION, VANISH)
    assert news(store) == ids(ROOT)


def test_ones_own_answers_that_nobody_has_are_not_shown_either_way(store: SqlStore) -> None:
    store.enqueue(Posting((GONE,), (RELAY,), 1, NOW))
    store.add([DELETION], relay=RELAY, now=NOW)
    store.adopt(Policy.KEEP)
    assert asked(store) == ids(DELETION)
    assert news(store) == set()


# What arrived


def test_what_is_kept_is_news_once(filled: SqlStore) -> None:
    assert news(filled) == ids(ROOT, OVER, CURRENT)
    filled.adopt(Policy.KEEP)
    assert news(filled) == ids(ROOT, GONE, OVER, LEFT, CURRENT)
    assert filled.arrivals(ROOT.id).threads == {ROOT.id: (ROOT, GONE)}
    filled.looked(filled.arrivals())
    assert news(filled) == set()


def test_a_look_at_one_thread_leaves_what_is_kept_in_others(filled: SqlStore) -> None:
    filled.adopt(Policy.KEEP)
    filled.looked(filled.arrivals(ROOT.id))
    assert news(filled) == ids(OVER, LEFT, CURRENT)


def test_what_was_hidden_at_a_look_is_no_news_later(filled: SqlStore) -> None:
    filled.looked(filled.arrivals(OVER.id))
    filled.adopt(Policy.KEEP)
    assert news(filled) == ids(ROOT, CURRENT)


# The store as a whole


def test_only_where_that_is_the_policy_it_is_tidied(filled: SqlStore) -> None:
    for policy in (Policy.HIDE, Policy.KEEP):
        filled.adopt(policy)
        assert filled.upkeep.tidy(now=NOW) == 0
    filled.adopt(Policy.PURGE)
    assert filled.upkeep.tidy(now=NOW - 1) == 2
    assert filled.upkeep.tidy(now=NOW) == 1
    assert filled.upkeep.purged(ids(*EVERYTHING)) == ids(*UNWANTED)


def test_what_was_purged_is_not_kept_when_it_comes_again(filled: SqlStore) -> None:
    filled.upkeep.purge(now=NOW)
    filled.adopt(Policy.KEEP)
    assert filled.add(UNWANTED, relay=RELAY, now=NOW) == [Added.KNOWN] * 3
    assert asked(filled) == ids(*STANDING)


def test_what_is_kept_can_be_purged_by_hand(filled: SqlStore) -> None:
    filled.adopt(Policy.KEEP)
    assert filled.upkeep.purge(now=NOW) == 3
    assert asked(filled) == ids(*STANDING)


@pytest.mark.parametrize("policy", Policy)
def test_the_policy_is_counted_with_what_there_is(filled: SqlStore, policy: Policy) -> None:
    filled.adopt(policy)
    found = filled.upkeep.statistics(now=NOW)
    assert (found.policy, found.deleted, found.expired, found.superseded) == (policy, 2, 1, 1)


def test_it_is_remembered_and_seen_at_once_by_others(place: str) -> None:
    with open_store(place) as one, open_store(place) as other:
        one.add(EVERYTHING, relay=RELAY, now=NOW)
        assert asked(other) == ids(*STANDING)
        one.adopt(Policy.KEEP)
        assert (other.policy(), asked(other)) == (Policy.KEEP, ids(*STANDING, *UNWANTED))
    with open_store(place, read_only=True) as again:
        assert (again.policy(), asked(again)) == (Policy.KEEP, ids(*STANDING, *UNWANTED))


def test_another_setting_is_none_of_its_business(place: str) -> None:
    with open_store(place) as store:
        store.add(EVERYTHING, relay=RELAY, now=NOW)
    run(place, "INSERT INTO settings (name, value) VALUES ('another', 'keep')")
    with open_store(place) as store:
        assert (store.policy(), asked(store)) == (Policy.HIDE, ids(*STANDING))
        assert news(store) == ids(ROOT, OVER, CURRENT)


def test_who_may_only_read_does_not_change_it(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "a.db").close()
    with SqliteStore(tmp_path / "a.db", read_only=True) as store:
        with pytest.raises(StoreError, match="cannot be written"):
            store.adopt(Policy.KEEP)
        assert store.policy() is Policy.HIDE


# Whatever comes, in whatever order

STEPS = st.lists(st.sampled_from(EVERYTHING) | st.sampled_from(Policy), max_size=20)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_only_the_last_policy_counts(steps: list[Verified | Policy]) -> None:
    with SqliteStore(":memory:") as store:
        check_steps(store, steps)


@settings(max_examples=10, deadline=None)
@given(STEPS)
def test_only_the_last_policy_counts_in_every_database(
    emptied: Callable[[], SqlStore], steps: list[Verified | Policy]
) -> None:
    check_steps(emptied(), steps)


def check_steps(store: SqlStore, steps: list[Verified | Policy]) -> None:
    """Hold what is shown against what is shown of the same events by a store that always hid."""
    with SqliteStore(":memory:") as plain:
        last = Policy.HIDE
        for step in steps:
            if isinstance(step, Policy):
                assert store.adopt(step) is (step is not last)
                last = step
            else:
                added = store.add([step], relay=RELAY, now=NOW)
                assert added == plain.add([step], relay=RELAY, now=NOW)
            assert asked(store, strict=True) == asked(plain)
            assert asked(store) == (kept(store) if last is Policy.KEEP else asked(plain))


@settings(max_examples=60, deadline=None)
@given(forests(), st.booleans())
def test_what_is_kept_comes_to_what_is_shown_and_goes_again(
    events: list[Verified], early: bool
) -> None:
    with SqliteStore(":memory:") as store:
        if early:
            store.adopt(Policy.KEEP)
        store.add(events, relay=RELAY, now=NOW)
        store.adopt(Policy.HIDE)
        before, told = asked(store), news(store)
        store.adopt(Policy.KEEP)
        assert asked(store) == kept(store) >= before
        assert news(store) >= told
        store.adopt(Policy.HIDE)
        assert (asked(store), news(store)) == (before, told)


def kept(store: SqlStore) -> set[str]:
    """What is not superseded, as the table says."""
    with store._database.reading() as connection:
        rows = connection.execute("SELECT id FROM events WHERE superseded = 0").fetchall()
    return {event_id.hex() for (event_id,) in rows}
