"""Which stored events are to leave as an archive: all, those of a thread, or what meets filters.

Knows how the conditions go together. How an event meets one is known in `core` and in the store.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.fetch import pointer, stored_thread
from nostr_threads.core.filters import Filter
from nostr_threads.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store

__all__ = ["filters_of", "selected"]

# Ids that are looked up at a time.
_CHUNK = 500


def filters_of(
    filters: Sequence[Filter], authors: Sequence[str], kinds: Sequence[int]
) -> list[Filter]:
    """Return `filters`, or one that everything meets, narrowed to these authors and kinds.

    Raises `InvalidInput` where a filter names authors or kinds already.
    """
    narrowed = list(filters) or [Filter()]
    if authors:
        if any(each.authors is not None for each in narrowed):
            raise InvalidInput("the filter names authors already: leave --author out")
        narrowed = [replace(each, authors=tuple(authors)) for each in narrowed]
    if kinds:
        if any(each.kinds is not None for each in narrowed):
            raise InvalidInput("the filter names kinds already: leave --kind out")
        narrowed = [replace(each, kinds=tuple(kinds)) for each in narrowed]
    return narrowed


def selected(
    store: Store, filters: Sequence[Filter], *, thread: str | None, now: int | None
) -> Iterator[str]:
    """Yield the JSON of what is wanted, oldest first, ties by id.

    `thread` is the code of any event of the only thread that is wanted; only such a thread is held
    in memory. `now` (unix seconds) is when they are to be visible, None for all that is stored.
    Raises `NotFound` when nothing of the thread is stored, and what `Store.export` does.
    """
    if thread is None:
        return store.export(filters, now=now)
    if any(each.limit is not None or each.search is not None for each in filters):
        raise InvalidInput("with --thread a filter cannot have a limit or search for words")
    start = pointer(thread)
    events = stored_thread(store, start)
    if not events:
        raise NotFound(f"the store knows nothing of {start.key}; fetch it first")
    wanted = [event for event in events if any(each.matches(event) for each in filters)]
    return _in_order(store, sorted(wanted, key=lambda each: (each.created_at, each.id)), now)


def _in_order(store: Store, events: Sequence[Verified], now: int | None) -> Iterator[str]:
    for start in range(0, len(events), _CHUNK):
        chunk = events[start : start + _CHUNK]
        if now is not None:
            ids = Filter(ids=tuple(event.id for event in chunk))
            visible = {event.id for event in store.query([ids], now=now)}
            chunk = [event for event in chunk if event.id in visible]
        for event in chunk:
            yield event.to_json()
