"""The threads under an author's notes: which of them have moved, and each of those fetched whole.

Knows how to find out with few questions what was answered. How a thread is fetched is `fetch`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.thread_source import is_whole
from nostr_threads.core import kinds, queries
from nostr_threads.core.coverage import Finish
from nostr_threads.core.crawl import Budget
from nostr_threads.core.filters import Filter
from nostr_threads.errors import NoRelayReachable, NotFound
from nostr_threads.store.base import Added
from nostr_threads.store.sources import Branch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nostr_threads.app.fetch import Fetch
    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.sources import Source
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.sql import SqlStore

__all__ = ["Branches"]

# Notes whose answers are asked for at once.
_CHUNK = 100
# Seconds that a question reaches back into what was fetched: answers come late to relays.
_OVERLAP = 86_400
_AT_ONCE = 4


class Branches:
    """Brings the threads under an author's notes up to date. `clock` gives unix seconds."""

    def __init__(
        self, store: SqlStore, pool: Pool, *, fetch: Fetch, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._pool = pool
        self._fetch = fetch
        self._clock = clock
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(
        self,
        source: Source,
        relays: Sequence[str],
        *,
        anew: bool = False,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Ask `relays` what answers the author's notes, and fetch every thread that has moved.

        `told` is called with how many events are new, as they come. What became of each thread is
        in the store. Raises `StoreError`.
        """
        began = self._clock()
        notes = await off_loop(self._notes, source.value)
        known = {} if anew else await off_loop(self._store.sources.branches, source.name)
        are_whole = await self._ask(notes, known, relays, told)
        roots = await off_loop(self._roots, notes)
        moved = [root for root in roots if not await self._is_still(root, known.get(root))]
        async with asyncio.TaskGroup() as tasks:
            for root in moved:
                tasks.create_task(self._bring(source, root, roots[root], told))
        if are_whole:
            # Whatever answers these later came after now, but for what comes late to a relay.
            still = {root: known[root] for root in roots if root not in moved}
            noted = {root: replace(each, fetched_at=began) for root, each in still.items()}
            await off_loop(self._store.sources.note_branches, source.name, noted)

    def _notes(self, author: str) -> dict[str, str]:
        """Return the author's notes: the key that answers name, and the id."""
        wanted = Filter(kinds=kinds.WRITTEN, authors=(author,))
        found = self._store.query([wanted], now=self._clock())
        return {kinds.address_of(event) or event.id: event.id for event in found}

    def _roots(self, notes: Mapping[str, str]) -> dict[str, str]:
        """Return the root above each note, and the id of a note below it."""
        return {self._store.thread_root(note) or note: note for note in notes.values()}

    async def _is_still(self, root: str, before: Branch | None) -> bool:
        """Whether a thread was fetched whole, and nothing has come to it since."""
        if before is None or not before.whole:
            return False
        # Fewer are as good a reason to look: some may have been purged.
        return len(await off_loop(self._store.thread, root)) == before.events

    # What answers the notes

    async def _ask(
        self,
        notes: Mapping[str, str],
        known: Mapping[str, Branch],
        relays: Sequence[str],
        told: Callable[[int], None],
    ) -> bool:
        """Ask for what answers notes; whether everybody gave everything."""
        roots = await off_loop(self._roots, notes)
        fetched = {roots[root]: known[root].fetched_at for root in roots if root in known}
        answers = await asyncio.gather(
            *(self._from(url, list(_questions(notes, fetched)), told) for url in relays)
        )
        return all(answers)

    async def _from(
        self, url: str, questions: Sequence[Filter], told: Callable[[int], None]
    ) -> bool:
        is_whole = True
        for question in questions:
            found = await off_loop(self._store.query, [question], now=self._clock())
            answer = await self._pool.relay(url).fetch(
                question, known={event.id: event for event in found}
            )
            told(await to_its_end(off_loop(self._keep, answer)))
            is_whole = is_whole and answer.finish is Finish.COMPLETE
            if answer.finish is Finish.UNREACHABLE:
                return False
        return is_whole

    def _keep(self, answer: Answer) -> int:
        outcomes = self._store.add(answer.events, relay=answer.relay, now=self._clock())
        return sum(outcome is not Added.KNOWN for outcome in outcomes)

    # Threads

    async def _bring(
        self, source: Source, root: str, note: str, told: Callable[[int], None]
    ) -> None:
        """Fetch the thread around a note, and note how whole it is."""
        async with self._places:
            before = len(await off_loop(self._store.thread, root))
            whole, began = False, self._clock()
            try:
                found = await self._fetch(
                    note, relays=source.relays, budget=Budget(depth=source.depth)
                )
                whole = is_whole(found, source)
            except (NotFound, NoRelayReachable):
                # The note is here: nobody who was asked has anything more of its thread now.
                pass
            # It may be known by now that more is above it.
            above = await off_loop(self._store.thread_root, note)
            root = above or root
            events = len(await off_loop(self._store.thread, root))
            branch = Branch(began, whole, events)
            await off_loop(self._store.sources.note_branches, source.name, {root: branch})
            told(max(0, events - before))


def _questions(notes: Mapping[str, str], fetched: Mapping[str, int]) -> Iterator[Filter]:
    """Ask what answers notes: all of it, or what came after a note's thread was `fetched`."""
    fresh = [key for key, note in notes.items() if note not in fetched]
    old = [key for key, note in notes.items() if note in fetched]
    since = min(fetched.values(), default=0) - _OVERLAP
    for keys, after in ((fresh, None), (old, max(0, since))):
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            for question in queries.answers(chunk, chunk):
                yield replace(question, since=after)
