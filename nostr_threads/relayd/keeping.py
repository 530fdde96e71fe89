"""What becomes of an event in a relay's store, and how its sender is told.

Knows that a relay must not promise what it will not show. Knows nothing of who may write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.filters import Filter
from nostr_threads.store.base import Added

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store

__all__ = ["VERDICTS", "keep"]

VERDICTS = {
    Added.NEW: (True, ""),
    Added.KNOWN: (True, "duplicate: already have this event"),
    # Not taken: NIP-01 has relays show only the newest, so nobody could ever read it back here.
    Added.SUPERSEDED: (False, "duplicate: a newer version is stored"),
    Added.DELETED: (False, "blocked: its author asked for its deletion"),
}
"""The second half of an OK for each outcome: accepted or not, and the reason (NIP-01)."""


def keep(store: Store, event: Verified, *, now: int) -> Added:
    """Store an event unless it is ephemeral, and return what it is from now on.

    NEW is to be broadcast; KNOWN is only what a query still shows. Raises `StoreError`.
    """
    if kinds.is_ephemeral(event.kind):
        return Added.NEW
    (added,) = store.add([event], relay=None, now=now)
    return _still(store, event, now) if added is Added.KNOWN else added


def _still(store: Store, event: Verified, now: int) -> Added:
    """Return what a known event is now: its author may have deleted or replaced it since.

    Even where the store keeps what was deleted, its author is told that it is.
    """
    if store.query([Filter(ids=(event.id,), limit=1)], now=now, strict=True):
        return Added.KNOWN
    if (address := kinds.address_of(event)) is None:
        return Added.DELETED
    # Not by `#d`: an event without that tag has the same address as one with an empty one.
    versions = Filter(kinds=(event.kind,), authors=(event.pubkey,))
    current = store.query([versions], now=now, strict=True)
    replaced = any(kinds.address_of(each) == address for each in current)
    return Added.SUPERSEDED if replaced else Added.DELETED
