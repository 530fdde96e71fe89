"""What the pages of the viewer show, read from the store and never written to it.

Knows which questions a page puts to the store. Knows nothing of requests, nor of how a page looks.

All of it runs off the event loop. A thread that was read is kept for a moment: its pages, and what
a page asks for afterwards, come of one reading.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.fetch import last_fetched, load_thread, stored_root
from nostr_threads.app.listing import list_threads
from nostr_threads.app.surroundings import surroundings
from nostr_threads.core import kinds
from nostr_threads.core.filters import Filter
from nostr_threads.core.profile import Profile, profile_of
from nostr_threads.core.references import pointer_to
from nostr_threads.render.outline import Block, outline
from nostr_threads.store.policy import Policy
from nostr_threads.web.files import file_of, saved_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from nostr_threads.app.fetch import Found
    from nostr_threads.app.listing import Listing
    from nostr_threads.app.surroundings import Surroundings
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Activity, Posting
    from nostr_threads.store.bots import Entry
    from nostr_threads.store.sql import SqlStore

__all__ = ["Library", "Mark", "Notes", "Whole"]

# Whole threads that are kept in memory, and for how many seconds: something may have expired, or
# been cancelled or purged, without anything being stored.
_KEPT = 4
_FRESH = 5
_MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Whole:
    """A thread by the key of its root, its blocks in display order, and what nobody has looked at.

    `cursor` is up to where the store was read for it (see `Store.stored_after`), at `read_at`.
    `dates` are when what each relay was seen to have of it was written, by its URL.
    """

    root: str
    found: Found
    blocks: tuple[Block, ...]
    cursor: int
    read_at: int
    dates: Mapping[str, Sequence[int]]
    fresh: frozenset[str] = frozenset()


class Mark(NamedTuple):
    """The last note of a page: what follows is older, or of the same second with a higher id."""

    created_at: int
    id: str


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of any threads, newest first, with what is shown around them.

    `following` is set where there are more, `count` where all were counted.
    """

    events: tuple[Verified, ...]
    around: Surroundings
    following: Mark | None
    count: int | None = None


class Library:
    """Reads `store` for `viewer` (a public key in hex, or None). `clock` gives unix seconds.

    `index` is asked before words are looked for: the store itself is only read.
    """

    def __init__(
        self,
        store: SqlStore,
        *,
        clock: Callable[[], int],
        viewer: str | None = None,
        index: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._viewer = viewer
        self._index = index
        self._kept: OrderedDict[str, Whole] = OrderedDict()

    @property
    def now(self) -> int:
        """The time in unix seconds."""
        return self._clock()

    async def threads(self, most: int, before: Activity | None) -> Listing:
        """Return up to `most` threads, those first in which something was written last."""
        return await off_loop(
            list_threads,
            self._store,
            now=self.now,
            most=most,
            before=before,
            viewer=self._viewer,
        )

    async def thread(self, key: str) -> Whole:
        """Return the thread around the note, address or external id `key`. Raises `NotFound`."""
        return await off_loop(self._thread, key)

    async def file(self, key: str) -> str:
        """Return the thread around `key` as a file that stands alone. Raises `NotFound`."""
        return await off_loop(lambda: file_of(saved_now(key, store=self._store, now=self.now)))

    async def notes(self, wanted: Filter, most: int, after: Mark | None = None) -> Notes:
        """Return up to `most` notes that meet a filter, the newest first, from `after` on."""
        return await off_loop(self._notes, wanted, most, after)

    async def search(self, wanted: Filter, most: int, after: Mark | None = None) -> Notes:
        """Return notes that have the words of `wanted`, too, and how many there are in all."""
        if wanted.search is not None:
            await self._index()
        return await off_loop(self._search, wanted, most, after)

    async def profile(self, pubkey: str) -> tuple[Verified, Profile] | None:
        """Return what somebody says of themselves (kind 0), None where it is not here."""
        wanted = Filter(kinds=(kinds.PROFILE,), authors=(pubkey,), limit=1)
        found = await off_loop(self._store.query, [wanted], now=self.now, strict=True)
        return (found[0], profile_of(found[0])) if found else None

    async def postings(self) -> Sequence[Posting]:
        """Return what is in the outbox, the latest first."""
        found = await off_loop(self._store.postings)
        return found[::-1][:_MOST_ENTRIES]

    async def asks(self) -> Sequence[Entry]:
        """Return what bots were asked, the latest first."""
        return await off_loop(self._store.bots.entries, most=_MOST_ENTRIES)

    async def roots(self, events: Collection[Verified]) -> dict[str, str]:
        """Return the keys of the threads of events, by their ids."""
        return await off_loop(
            lambda: {each.id: self._store.thread_root(each.id) or each.id for each in events}
        )

    def _thread(self, key: str) -> Whole:
        now = self.now
        root = stored_root(self._store, pointer_to(key))
        cursor = self._store.stored_after(None, now=now, most=1).cursor
        whole = self._kept.pop(root, None)
        if whole is None or whole.cursor != cursor or now - whole.read_at > _FRESH:
            found = load_thread(pointer_to(root), store=self._store, now=now, viewer=self._viewer)
            blocks = (each for each in outline(found.thread) if isinstance(each, Block))
            dates = self._dates(found.thread.events)
            whole = Whole(root, found, tuple(blocks), cursor, now, dates)
        self._kept[root] = whole
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        # Looking at something, and finding nothing more of it, store no event.
        news = self._store.arrivals(root).threads
        fresh = frozenset(event.id for events in news.values() for event in events)
        fetched = last_fetched(self._store, root)
        return replace(whole, fresh=fresh, found=replace(whole.found, fetched=fetched))

    def _dates(self, events: Sequence[Verified]) -> dict[str, list[int]]:
        seen = self._store.sightings([event.id for event in events])
        dates: dict[str, list[int]] = {}
        for event in events:
            for relay in seen[event.id]:
                dates.setdefault(relay, []).append(event.created_at)
        return dates

    def _notes(
        self, wanted: Filter, most: int, after: Mark | None, count: int | None = None
    ) -> Notes:
        now, passed = self.now, 0
        if after is not None:
            at = after.created_at
            beside = self._store.query([replace(wanted, since=at, until=at)], now=now)
            passed = sum(event.id <= after.id for event in beside)
            wanted = replace(wanted, until=at)
        found = self._store.query([replace(wanted, limit=passed + most + 1)], now=now)[passed:]
        around = surroundings(
            found[:most],
            store=self._store,
            now=now,
            viewer=self._viewer,
            keep=self._store.policy() is Policy.KEEP,
        )
        shown = tuple(event for event in found[:most] if around.mutes.reason(event) is None)
        last = found[most - 1] if len(found) > most else None
        following = Mark(last.created_at, last.id) if last is not None else None
        return Notes(shown, around, following, count)

    def _search(self, wanted: Filter, most: int, after: Mark | None) -> Notes:
        count = self._store.count([wanted], now=self.now)
        return self._notes(wanted, most, after, count)
