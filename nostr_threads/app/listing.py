"""The threads of a store as a list: what each begins with, by whom, and what is new in it.

Knows which stored events say that. How a line looks is `render`'s to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.app.surroundings import mutes_of_reader, names_of
from nostr_threads.core import kinds
from nostr_threads.core.queries import seek

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Activity, Store

__all__ = ["Listed", "Listing", "by_thread", "list_threads"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One thread: its root is None where that is not stored, deleted or muted by the reader."""

    activity: Activity
    root: Verified | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Threads in the order of `Store.active`, and the `names` of who began them, by public key.

    What was stored after `cursor` may not be in it; see `Store.stored_after`.
    """

    threads: tuple[Listed, ...]
    names: Mapping[str, str]
    cursor: int


def list_threads(
    store: Store,
    *,
    now: int,
    most: int,
    before: Activity | None = None,
    viewer: str | None = None,
) -> Listing:
    """Return up to `most` threads after `before`, read by `viewer` (a public key in hex)."""
    cursor = store.stored_after(None, now=now, most=1).cursor
    found = store.active(now=now, most=most, before=before)
    roots = _roots([each.root for each in found], store, now)
    mutes = mutes_of_reader(viewer, store, now)
    seen = {key: event for key, event in roots.items() if mutes.reason(event) is None}
    names = names_of({event.pubkey for event in seen.values()}, store, now)
    listed = tuple(Listed(each, seen.get(each.root)) for each in found)
    return Listing(listed, names, cursor)


def by_thread(store: Store, events: Iterable[Verified]) -> dict[str, list[Verified]]:
    """Return some notes by the keys of their threads, in the order given."""
    threads: dict[str, list[Verified]] = {}
    for event in events:
        threads.setdefault(store.thread_root(event.id) or event.id, []).append(event)
    return threads


def _roots(keys: Sequence[str], store: Store, now: int) -> Mapping[str, Verified]:
    """The roots by id and by address."""
    filters = [*seek(keys)]
    found = store.query(filters, now=now) if filters else []
    return {name: event for event in found for name in (event.id, kinds.address_of(event)) if name}
