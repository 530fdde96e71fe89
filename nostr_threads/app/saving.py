"""A thread saved in a file, and what a file holds seen as a thread again.

Knows which events belong into it. What the file looks like is `render.html`'s to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.app.fetch import load_thread, stored_root
from nostr_threads.core import kinds
from nostr_threads.core.filters import Filter
from nostr_threads.core.node import State
from nostr_threads.core.references import pointer_to
from nostr_threads.core.saved import Saved
from nostr_threads.core.standing import Standing
from nostr_threads.errors import InvalidInput, NotFound
from nostr_threads.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.app.fetch import Found
    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

__all__ = ["reopened", "saved"]

_REQUESTS = frozenset((kinds.DELETION, kinds.VANISH))


def saved(key: str, *, store: SqlStore, now: int, version: str) -> Saved:
    """Return what the store holds of the thread around `key`, to be passed on to others.

    What its author wanted gone, or gave an end that has come, is left out even where the store
    keeps it; what its reader has muted is not. Raises `NotFound` for nothing.
    """
    root = stored_root(store, pointer_to(key))
    found = load_thread(pointer_to(root), store=store, now=now)
    events = sorted(
        {event.id: event for event in _chosen(root, found, store, now)}.values(),
        key=lambda event: (event.created_at, event.id),
    )
    if not events:
        raise NotFound(f"nothing of {root} may be passed on")
    seen: dict[str, list[str]] = {}
    for event_id, relays in store.sightings([event.id for event in events]).items():
        for relay in relays:
            seen.setdefault(relay, []).append(event_id)
    kept = {relay: tuple(sorted(seen[relay])) for relay in sorted(seen)}
    return Saved(root, now, version, tuple(events), kept, found.fetched)


def reopened(found: Saved) -> Found:
    """Return the thread that was saved, made of nothing but what is in it.

    Raises `InvalidInput` where that has no note of it.
    """
    with SqliteStore(":memory:") as store:
        store.add(found.events, relay=None, now=found.made_at)
        by_id = {event.id: event for event in found.events}
        for relay, ids in found.seen.items():
            there = [by_id[event_id] for event_id in ids if event_id in by_id]
            store.add(there, relay=relay, now=found.made_at)
        try:
            return load_thread(pointer_to(found.root), store=store, now=found.made_at)
        except NotFound:
            raise InvalidInput("there is no note of its thread in this page") from None


def _chosen(root: str, found: Found, store: SqlStore, now: int) -> Iterator[Verified]:
    around, unsent = found.surroundings, _unsent(store)
    for event in _standing((*store.thread(root), *around.vanished), now):
        if event.id not in unsent:
            yield event
    for key, event in around.quoted.items():
        if key not in around.kept:
            yield event
    if around.names:
        profiles = Filter(kinds=(kinds.PROFILE,), authors=tuple(around.names))
        yield from store.query([profiles], now=now, strict=True)


def _unsent(store: SqlStore) -> frozenset[str]:
    """Return the ids of one's own parts that no relay has: they are nobody else's yet."""
    waiting = {
        event.id
        for posting in store.postings()
        for part, event in enumerate(posting.events, 1)
        if not any(each.status.taken for each in posting.deliveries if each.part == part)
    }
    seen = {event_id for event_id, at in store.sightings(tuple(waiting)).items() if at}
    return frozenset(waiting - seen)


def _standing(events: Sequence[Verified], now: int) -> Iterator[Verified]:
    """Yield what is not deleted or expired, and none of the requests for that."""
    standing = Standing(events, now)
    for event in events:
        if event.kind not in _REQUESTS and standing.verdict(event).state is State.PRESENT:
            yield event
