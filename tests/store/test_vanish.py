"""The contract of requests to vanish (NIP-62): what an author wrote so far is hidden for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.store.base import Added
from tests.store.events import ALICE, BOB, NOW, THEN, article, deletion, made

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store

EVERYWHERE = ("relay", "ALL_RELAYS")


def vanish(*tags: tuple[str, ...], at: int = THEN, author: str = ALICE) -> Verified:
    return made(62, *tags, at=at, author=author)


def add(store: Store, *events: Verified) -> list[Added]:
    return store.add(events, relay=None, now=NOW)


def visible(store: Store) -> set[str]:
    return {event.id for event in store.query([Filter()], now=NOW)}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("together", [True, False])
def test_everything_up_to_the_request_is_hidden_whichever_comes_first(
    store: Store, *, order: int, together: bool
) -> None:
    request = vanish(("relay", "wss://one.example"), EVERYWHERE)
    gone = [made(at=THEN), made(at=THEN - 1), made(7, at=THEN - 2), article(at=THEN - 3)]
    kept = [made(at=THEN + 1), made(at=THEN - 1, author=BOB), article("later", at=THEN + 1)]
    events = [*gone, request, *kept][::order]
    for batch in [events] if together else [[event] for event in events]:
        add(store, *batch)
    assert visible(store) == {event.id for event in (request, *kept)}
    assert all(store.event(event.id) == event for event in gone)
    assert add(store, made(content="rebroadcast", at=THEN - 9)) == [Added.DELETED]


def test_deletions_vanish_too_and_still_hold(store: Store) -> None:
    """NIP-62: "including NIP-09 Deletion Events"."""
    later = made(at=THEN + 1)
    request = deletion(("e", later.id), at=THEN)
    add(store, later, request, vanish(EVERYWHERE))
    assert not visible(store) & {later.id, request.id}


def test_the_latest_request_counts(store: Store) -> None:
    requests = [vanish(EVERYWHERE, at=THEN + second) for second in (1, 3, 2)]
    for request in requests:
        add(store, request)
    assert add(store, made(at=THEN + 3), made(at=THEN + 4)) == [Added.DELETED, Added.NEW]
    assert {request.id for request in requests} <= visible(store)


@pytest.mark.parametrize("deletion_first", [True, False])
def test_a_request_to_vanish_cannot_be_deleted(store: Store, *, deletion_first: bool) -> None:
    """NIP-62: publishing a deletion request against it has no effect."""
    request, gone = vanish(EVERYWHERE), made(at=THEN)
    unwanted = deletion(("e", request.id), at=THEN + 1)
    for event in [unwanted, request] if deletion_first else [request, unwanted]:
        assert add(store, event) == [Added.NEW]
    assert add(store, gone) == [Added.DELETED]
    assert visible(store) == {request.id, unwanted.id}


@pytest.mark.parametrize(
    "tags",
    [
        (("relay", "wss://one.example"),),
        (("relay", "all_relays"),),
        (("relay",), ("r", "ALL_RELAYS")),
        (("relay", "wss://one.example", "ALL_RELAYS"),),
        (),
    ],
)
def test_a_request_to_certain_relays_changes_nothing_here(
    store: Store, tags: tuple[tuple[str, ...], ...]
) -> None:
    event, request = made(), vanish(*tags)
    assert add(store, event, request) == [Added.NEW, Added.NEW]
    assert visible(store) == {event.id, request.id}


def test_who_vanishes_is_in_its_threads_as_deleted_notes_are(store: Store) -> None:
    """The tree is to know that somebody was here."""
    event = made(at=THEN)
    add(store, event, vanish(EVERYWHERE))
    assert store.thread(event.id) == [event]
    assert store.arrivals().threads == {}
