"""The contract of `thread` and `thread_root`: chains do not depend on the order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.core.kinds import address_of
from nostr_threads.core.references import Relation, references
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import (
    ALICE,
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
from tests.store.forests import URL, forests

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore


def add(store: Store, *events: Verified) -> None:
    store.add(events, relay=None, now=NOW)


def ids(events: list[Verified]) -> set[str]:
    return {event.id for event in events}


def test_a_thread_is_its_root_and_all_that_hangs_below(store: Store) -> None:
    root = made(content="root")
    first = reply(root.id, root.id)
    second = reply(first.id, root.id)
    like = made(7, ("e", root.id), ("e", second.id))
    gone = deletion(("e", second.id), author=BOB)
    stray = made(content="elsewhere")
    add(store, like, second, stray, gone, first, root)
    assert ids(store.thread(root.id)) == ids([root, first, second, like, gone])
    for event in (root, first, second, like, gone):
        assert store.thread_root(event.id) == root.id


def test_a_key_that_is_not_stored_has_no_known_root(store: Store) -> None:
    add(store, reply(UNKNOWN, UNKNOWN))
    assert store.thread_root(UNKNOWN) is None
    assert store.thread_root("\ud800") is None
    assert len(store.thread(UNKNOWN)) == 1
    assert store.thread("\ud800") == []


def test_a_chain_with_a_missing_parent_hangs_at_its_claimed_root_until_it_comes(
    store: Store,
) -> None:
    root, other = made(content="root"), made(content="other")
    middle = reply(root.id, root.id)
    liar = reply(middle.id, other.id)
    below = reply(liar.id, root.id)
    add(store, root, other, below)
    assert store.thread_root(below.id) == root.id
    add(store, liar)
    assert store.thread_root(below.id) == store.thread_root(liar.id) == other.id
    add(store, middle)
    assert ids(store.thread(root.id)) == ids([root, middle, liar, below])
    assert ids(store.thread(other.id)) == {other.id}


def test_a_claimed_root_that_is_a_reply_itself_leads_on_to_its_own_root(store: Store) -> None:
    """A wrong claim must not tear a branch with a missing parent off the thread it is in."""
    root = made(content="root")
    middle = reply(root.id, root.id)
    torn = reply(UNKNOWN, middle.id)
    add(store, torn)
    assert store.thread_root(torn.id) == middle.id
    add(store, middle)
    assert store.thread_root(torn.id) == root.id
    add(store, root)
    assert ids(store.thread(root.id)) == ids([root, middle, torn])


def test_an_article_is_one_root_by_whatever_key_it_is_answered(store: Store) -> None:
    old, new = article(at=THEN), article(at=THEN + 1)
    by_address = comment(address(), address())
    by_version = reply(old.id, old.id)
    by_claim = reply(UNKNOWN, new.id)
    like = made(7, ("e", UNKNOWN), ("a", address()))
    add(store, by_version, by_claim, like, by_address)
    assert ids(store.thread(address())) == ids([by_address, like])
    add(store, old)
    add(store, new)
    everything = [old, new, by_address, by_version, by_claim, like]
    assert ids(store.thread(address())) == ids(everything)
    for key in (address(), *ids(everything)):
        assert store.thread_root(key) == address()


def test_an_article_that_answers_something_moves_with_its_current_version(store: Store) -> None:
    root = made(content="root")
    old = article(at=THEN)
    new = article("a", ("e", root.id, "", "reply"), at=THEN + 1)
    note = comment(old.id, address())
    below = comment(note.id, address())
    add(store, root, old, note, below)
    assert store.thread_root(below.id) == address()
    add(store, new)
    assert store.thread_root(below.id) == store.thread_root(old.id) == root.id
    assert ids(store.thread(root.id)) == ids([root, old, new, note, below])
    add(store, article(at=THEN + 2))
    assert store.thread_root(below.id) == store.thread_root(new.id) == address()


def test_an_external_root_holds_its_comments(store: Store) -> None:
    """NIP-22 on a NIP-73 id."""
    first = comment(URL, URL)
    second = comment(first.id, URL)
    add(store, second)
    add(store, first)
    assert ids(store.thread(URL)) == ids([first, second])
    assert store.thread_root(second.id) == URL


def test_a_deletion_is_in_the_thread_of_each_of_its_targets(store: Store) -> None:
    one, two = made(content="1"), made(content="2")
    answer = reply(two.id, two.id, author=ALICE)
    gone = deletion(("e", one.id), ("e", answer.id), ("e", one.id), ("a", address()))
    add(store, gone)
    assert ids(store.thread(answer.id)) == {gone.id}
    add(store, answer, two, one)
    for root in (one.id, two.id, address()):
        assert gone.id in ids(store.thread(root))
    assert ids(store.thread(answer.id)) == {answer.id}


def test_a_cycle_through_an_address_has_a_root_and_an_end(store: Store) -> None:
    note = comment(address(), address())
    below = reply(note.id, note.id)
    loop = article("a", ("e", note.id, "", "reply"), at=THEN + 1)
    add(store, note, below, loop)
    assert {store.thread_root(event.id) for event in (note, below, loop)} == {note.id}
    assert ids(store.thread(note.id)) == ids([note, below, loop])


def test_an_article_that_answers_itself_is_its_own_root(store: Store) -> None:
    loop = article("a", ("a", address(), "", "reply"))
    add(store, loop)
    assert store.thread_root(loop.id) == address()


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_a_long_chain_may_come_newest_first(store: Store, batch: int) -> None:
    """No recursion, and no depth at which it stops."""
    chain = [made(content="root")]
    for number in range(120):
        chain.append(reply(chain[-1].id, chain[-1].id, text=str(number)))
    newest_first = chain[::-1]
    for start in range(0, len(chain), batch):
        add(store, *newest_first[start : start + batch])
    assert ids(store.thread(chain[0].id)) == ids(chain)


# The definition, written down once more and as plainly as it can be: it sees all events at once.


class Model:
    def __init__(self, events: list[Verified]) -> None:
        self.events = events
        self.by_id = {event.id: event for event in events}
        self.current: dict[str, Verified] = {}
        for event in sorted(events, key=lambda event: (event.created_at, -int(event.id, 16))):
            if (found := address_of(event)) is not None:
                self.current[found] = event

    def stored(self, key: str) -> Verified | None:
        event = self.by_id.get(key)
        if event is None:
            return self.current.get(key)
        return self.current.get(address_of(event) or "", event)

    def root(self, key: str) -> str:
        path: list[Verified] = []
        while (event := self.stored(key)) is not None:
            if event in path:
                cycle = path[path.index(event) :]
                return name_of(min(cycle, key=lambda event: (event.created_at, event.id)))
            path.append(event)
            refs = references(event)
            if refs.parent is None:
                return name_of(event)
            # What is outside of Nostr is never stored and never missing.
            outside = refs.parent.external is not None
            claimed = refs.parent if outside else refs.root or refs.parent
            key = refs.parent.key if self.stored(refs.parent.key) else claimed.key
        return key

    def threads(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for event in self.events:
            refs = references(event)
            keys = {event.id}
            if refs.relation is Relation.DELETION:
                keys |= {pointer.key for pointer in refs.mentions}
            roots = {self.root(key) for key in keys} | {name_of(event)}
            for root in roots:
                found.setdefault(root, set()).add(event.id)
        return found


def name_of(event: Verified) -> str:
    return address_of(event) or event.id


@settings(max_examples=200, deadline=None)
@given(forests(), st.randoms(use_true_random=False), st.integers(1, 15))
def test_chains_depend_on_what_is_stored_and_not_on_how_it_came(
    events: list[Verified], random: Random, size: int
) -> None:
    with SqliteStore(":memory:") as store:
        check_chains(store, events, random, size)


@settings(max_examples=25, deadline=None)
@given(forests(), st.randoms(use_true_random=False), st.integers(1, 15))
def test_chains_are_the_same_in_every_database(
    emptied: Callable[[], SqlStore], events: list[Verified], random: Random, size: int
) -> None:
    check_chains(emptied(), events, random, size)


def check_chains(store: SqlStore, events: list[Verified], random: Random, size: int) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    model = Model(events)
    with SqliteStore(":memory:") as together:
        add(together, *events)
        for start in range(0, len(events), size):
            add(store, *shuffled[start : start + size])
        assert store.query([Filter()], now=NOW) == together.query([Filter()], now=NOW)
    for event in events:
        assert store.thread_root(event.id) == model.root(event.id)
    for root, members in model.threads().items():
        # More may hang under missing notes: see `test_threads`.
        assert members | _versions(events, root) <= ids(store.thread(root))


def _versions(events: list[Verified], root: str) -> set[str]:
    return {event.id for event in events if root in (event.id, address_of(event))}
