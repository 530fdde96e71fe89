"""One question answered from the store, newest first, with NIP-67's hint.

Knows limits and when an answer is complete. Knows nothing of connections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import merge
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.relayd.limits import Limits
    from nostr_threads.store.base import Store

__all__ = ["Answer", "ask"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Events newest first, ties by id; `complete` when nothing else in the store matches."""

    events: tuple[Verified, ...]
    complete: bool

    @property
    def hints(self) -> tuple[str, ...]:
        """NIP-67: both claims are exact here."""
        return ("finish",) if self.complete else ("more",)


def ask(store: Store, filters: Sequence[Filter], limits: Limits, *, now: int) -> Answer:
    """Answer a REQ: each filter's `limit` clamped, `max_limit` events in all.

    Raises `StoreError`. At most twice `max_limit` events are held at any moment.
    """
    events: list[Verified] = []
    left_over: list[Verified] = []
    for item in filters:
        limit = limits.asked(item.limit)
        # One more than may be sent shows exactly whether there is more.
        found = store.query([replace(item, limit=limit + 1)], now=now)
        left_over += found[limit : limit + 1]
        both = _merged(events, found[:limit])
        events = both[: limits.max_limit]
        left_over += both[limits.max_limit :][:1]
    sendable = _within(events, limits.max_answer_length)
    complete = len(sendable) == len(events) and _is_complete(
        store, filters, events, left_over, now=now
    )
    return Answer(tuple(sendable), complete)


def _within(events: list[Verified], most: int) -> list[Verified]:
    """Keep the first events of about `most` characters: a client may never read its answer."""
    total = 0
    for place, event in enumerate(events):
        total += len(event.content) + sum(len(value) for tag in event.tags for value in tag)
        if total > most and place:
            return events[:place]
    return events


def _is_complete(
    store: Store,
    filters: Sequence[Filter],
    events: Sequence[Verified],
    left_over: Sequence[Verified],
    *,
    now: int,
) -> bool:
    if not left_over:
        return True
    sent = {event.id for event in events}
    if any(event.id not in sent for event in left_over):
        return False
    # Another filter brought what this one had to leave out; counting is dear, but settles it.
    return store.count(filters, now=now) <= len(events)


def _merged(one: list[Verified], other: list[Verified]) -> list[Verified]:
    joined = merge(one, other, key=_order)
    return list({event.id: event for event in joined}.values())


def _order(event: Event) -> tuple[int, str]:
    """NIP-01: newer first, and the lower id first among those of one second."""
    return -event.created_at, event.id
