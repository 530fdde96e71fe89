"""Find a whole thread: drive a crawl over the relays, keep what comes, say how whole it is.

Knows the order of things. What to ask is the crawl's to know, how to ask the pool's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core import nip19
from nostr_threads.core.coverage import Answer, Coverage, RelayCoverage
from nostr_threads.core.crawl import Budget, Crawl
from nostr_threads.core.references import Pointer
from nostr_threads.core.thread import Thread
from nostr_threads.errors import NoRelayReachable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.base import Store

__all__ = ["Found", "Progress", "fetch_thread", "load_thread", "pointer"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is: rounds of questions asked, events found."""

    rounds: int
    events: int


@dataclass(frozen=True, slots=True)
class Found:
    """A thread and how whole it is. `budget_hit` names the budget that ended the search, if any."""

    thread: Thread
    coverage: Coverage
    budget_hit: str | None = None

    @property
    def whole(self) -> bool:
        """Whether every relay answered completely and no budget was hit."""
        return not self.coverage.unsure and self.budget_hit is None


def pointer(code: str) -> Pointer:
    """Turn what a person gives for an event (see `nip19.parse_event`) into a `Pointer`."""
    match nip19.parse_event(code):
        case nip19.Address() as found:
            return Pointer(address=found.coordinate, author=found.pubkey, relays=found.relays)
        case found:
            return Pointer(id=found.id, author=found.author, relays=found.relays)


async def fetch_thread(
    start: Pointer,
    relays: Sequence[str],
    *,
    pool: Pool,
    store: Store,
    now: int,
    budget: Budget | None = None,
    seconds: float | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Found:
    """Find the thread around `start` at `relays` (normalised URLs) and keep it in `store`.

    What the store holds already counts as found. `now` is in unix seconds; after `seconds` the
    search ends with what there is. Raises `NoRelayReachable` when no relay could be reached, and
    `NotFound` when neither they nor the store know anything of the thread.
    """
    _, known = await asyncio.to_thread(_stored, store, start)
    crawl = Crawl(start, relays, known=known, budget=budget)
    clock = _Clock(seconds)
    await _drive(crawl, pool, store, now, clock, progress)
    everything = [*crawl.events, *await asyncio.to_thread(store.thread, crawl.root)]
    thread = Thread.build(everything, root=crawl.root, now=now)
    coverage = crawl.coverage(event.id for event in thread.events)
    if not thread.found:
        if coverage.relays and not coverage.reached:
            raise NoRelayReachable(f"none of {len(coverage.relays)} relays could be reached")
        silent = len(coverage.unsure)
        doubt = f" ({silent} did not answer completely)" if silent else ""
        raise NotFound(f"none of {len(coverage.relays)} relays has {start.key}{doubt}")
    # A budget that ran out after the last answer has cost nothing.
    hit = crawl.budget_hit or (clock.budget_hit if coverage.unsure else None)
    return Found(thread, coverage, hit)


def load_thread(start: Pointer, *, store: Store, now: int) -> Found:
    """Show what the store holds of the thread around `start`. Raises `NotFound` for nothing.

    The coverage counts sightings: which relays had these events whenever they were asked.
    """
    root, events = _stored(store, start)
    thread = Thread.build(events, root=root, now=now)
    if not thread.found:
        raise NotFound(f"the store knows nothing of {start.key}; fetch it first")
    return Found(thread, _sighted(store, [event.id for event in thread.events]))


class _Clock:
    """The time that a fetch may take, from now on; None for as long as it needs."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._end = None if seconds is None else asyncio.get_running_loop().time() + seconds

    @property
    def left(self) -> float | None:
        """The seconds that are left, None for no end."""
        return None if self._end is None else max(0, self._end - asyncio.get_running_loop().time())

    @property
    def budget_hit(self) -> str | None:
        """The budget, once it is used up."""
        return f"{self._seconds:g} seconds" if self.left == 0 else None


async def _drive(
    crawl: Crawl,
    pool: Pool,
    store: Store,
    now: int,
    clock: _Clock,
    progress: Callable[[Progress], None],
) -> None:
    """Put every round to the relays; what came back is stored before the next is asked."""
    rounds, asked = crawl.run(), 0
    try:
        questions = next(rounds)
        while True:
            answers = await pool.fetch(questions, seconds=clock.left)
            asked += 1
            await asyncio.to_thread(_keep, store, answers, now)
            questions = rounds.send(answers)
            progress(Progress(asked, len(crawl.events)))
    except StopIteration:
        progress(Progress(asked, len(crawl.events)))


def _keep(store: Store, answers: Sequence[Answer], now: int) -> None:
    for answer in answers:
        if answer.events:
            store.add(answer.events, relay=answer.relay, now=now)


def _stored(store: Store, start: Pointer) -> tuple[str, Sequence[Verified]]:
    """Return the root of the thread around `start` and what is stored under it.

    A start that is not stored may be the missing root of others that are.
    """
    root = store.thread_root(start.key) or start.key
    return root, store.thread(root)


def _sighted(store: Store, ids: Sequence[str]) -> Coverage:
    counts: dict[str, list[int]] = {}
    for relays in store.sightings(ids).values():
        for url in relays:
            events_and_only = counts.setdefault(url, [0, 0])
            events_and_only[0] += 1
            events_and_only[1] += len(relays) == 1
    return Coverage(
        tuple(RelayCoverage(url, None, held, only) for url, (held, only) in counts.items())
    )
