"""One question answered from the store, newest first, with NIP-67's hint.

Knows limits, when an answer is complete, and how a long one is read in pieces. Knows nothing of
connections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.relayd.limits import Limits
    from nostr_threads.store.base import Store

__all__ = ["Answer", "ask", "read"]

# Characters of the events that are read at once, and how many of them at most.
_PIECE = 16_384
_MOST_AT_ONCE = 256
_ID_BYTES = 32

_Item = tuple[int, bytes]
"""Minus `created_at` and the id: in NIP-01's order, newer first and then the lower id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The ids, one after the other, newest first; `complete` when nothing else matches."""

    ids: bytes
    complete: bool

    def __len__(self) -> int:
        return len(self.ids) // _ID_BYTES

    @property
    def hints(self) -> tuple[str, ...]:
        """NIP-67: both claims are exact here."""
        return ("finish",) if self.complete else ("more",)


def ask(store: Store, filters: Sequence[Filter], limits: Limits, *, now: int) -> Answer:
    """Answer a REQ: each filter's `limit` clamped, `max_limit` events in all.

    Raises `StoreError`. An answer may wait long for a client that does not read, so it is of ids.
    """
    wanted: list[_Item] = []
    left_over: list[_Item] = []
    for item in filters:
        limit = limits.asked(item.limit)
        # One more than may be sent shows exactly whether there is more.
        items = store.items([replace(item, limit=limit + 1)], now=now)
        found = sorted((-time, event_id) for time, event_id in items)
        left_over += found[limit : limit + 1]
        both = [each for each, _ in groupby(merge(wanted, found[:limit]))]
        wanted = both[: limits.max_limit]
        left_over += both[limits.max_limit :][:1]
    complete = set(wanted).issuperset(left_over) and (
        # Another filter brought what one had to leave out: only all together settle it.
        not left_over or _are_all(store, filters, len(wanted), now)
    )
    return Answer(b"".join(event_id for _, event_id in wanted), complete)


def read(store: Store, answer: Answer, start: int) -> list[Verified | None]:
    """Return the next events of an answer from that place on, some thousand characters of them.

    None stands for one that was removed meanwhile; nothing when all were read.
    """
    ids = answer.ids[start * _ID_BYTES : (start + _MOST_AT_ONCE) * _ID_BYTES]
    names = [ids[at : at + _ID_BYTES].hex() for at in range(0, len(ids), _ID_BYTES)]
    return store.events(names, most=_PIECE)


def _are_all(store: Store, filters: Sequence[Filter], found: int, now: int) -> bool:
    endless = [replace(item, limit=None) for item in filters]
    return len(store.items(endless, now=now, most=found + 1)) <= found
