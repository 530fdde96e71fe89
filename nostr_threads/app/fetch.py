"""Find a whole thread: drive a crawl over the relays, keep what comes, say how whole it is.

Knows the order of things. What to ask is the crawl's to know, how to ask `asking`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.surroundings import Surroundings, surroundings
from nostr_threads.core import kinds, nip19
from nostr_threads.core.coverage import Coverage, RelayCoverage
from nostr_threads.core.crawl import Crawl
from nostr_threads.core.fetched import Fetched
from nostr_threads.core.references import Pointer
from nostr_threads.core.thread import Thread
from nostr_threads.errors import NoRelayReachable, NotFound
from nostr_threads.store.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.core.crawl import Answered, Budget
    from nostr_threads.core.event import Verified
    from nostr_threads.core.inquiry import Question
    from nostr_threads.core.routing import Router
    from nostr_threads.store.base import Store

__all__ = [
    "Fetch",
    "Found",
    "Progress",
    "fetch_thread",
    "last_fetched",
    "load_thread",
    "pointer",
    "stored_root",
    "stored_thread",
]


Fetch: TypeAlias = "Callable[..., Awaitable[Found]]"
"""`Nostr.fetch`: what finds a thread by a code."""

_NO_NOTES = frozenset((kinds.DELETION, kinds.VANISH))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is: answers that came, events found, relays in use."""

    answers: int
    events: int
    relays: int


@dataclass(frozen=True, slots=True)
class Found:
    """A thread and how whole it is. `budget_hit` names the budget that ended the search, if any.

    Of a thread that is only shown `coverage` says where its events were seen, and `fetched` what
    the last fetch could say of it, None where there was none.
    """

    thread: Thread
    coverage: Coverage
    budget_hit: str | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)
    fetched: Fetched | None = None

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
    router: Router,
    asking: Asking,
    *,
    store: Store,
    now: int,
    known: Sequence[Verified] = (),
    index: Sequence[str] = (),
    budget: Budget | None = None,
    viewer: str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Found:
    """Find the thread around `start` at the relays of `router` and keep it in `store`.

    `known` is what the store holds of it (see `stored_thread`). `now` is in unix seconds, `index`
    are the relays asked about people, `viewer` is whose mute list counts. Raises `NoRelayReachable`
    when no relay could be reached, and `NotFound` when neither they nor the store know anything of
    the thread.
    """
    asking.learn(known)
    crawl = Crawl(start, router, index=index, known=known, budget=budget, viewer=viewer)
    await _drive(
        crawl,
        asking,
        lambda answers: progress(Progress(answers, crawl.found, len(router.choices))),
    )
    await asking.close()
    for relay, ids in asking.keeper.kept.items():
        crawl.credit(relay, ids)
    thread, around = await off_loop(_assembled, store, crawl.root, now, viewer)
    coverage = crawl.coverage(event.id for event in thread.events)
    await off_loop(store.record_relays, _outcomes(coverage))
    # Time that ran out after the last answer has cost nothing.
    hit = crawl.budget_hit or (asking.budget_hit if coverage.unsure else None)
    if not thread.found:
        if any(event.id == start.id and event.kind in _NO_NOTES for event in crawl.events):
            raise NotFound(f"{start.key} is no note, but asks for some to be deleted")
        raise _nothing(start, coverage, hit)
    fetched = Fetched(now, coverage, hit)
    await off_loop(_note, store, start, fetched)
    return Found(thread, coverage, hit, around, fetched)


def _note(store: Store, start: Pointer, fetched: Fetched) -> None:
    store.note_fetch(stored_root(store, start), fetched.to_json(), now=fetched.at)


def stored_root(store: Store, start: Pointer) -> str:
    """Return the key of the root above `start`; what is not stored may be one that is missing."""
    return store.thread_root(start.key) or start.key


def stored_thread(store: Store, start: Pointer) -> Sequence[Verified]:
    """Return what the store holds of the thread around `start`."""
    return store.thread(stored_root(store, start))


def load_thread(start: Pointer, *, store: Store, now: int, viewer: str | None = None) -> Found:
    """Show what the store holds of the thread around `start`. Raises `NotFound` for nothing.

    The coverage counts sightings: which relays had these events whenever they were asked.
    """
    root = stored_root(store, start)
    thread, around = _assembled(store, root, now, viewer)
    if not thread.found:
        raise NotFound(f"the store knows nothing of {start.key}; fetch it first")
    coverage = _sighted(store, [event.id for event in thread.events])
    return Found(thread, coverage, surroundings=around, fetched=last_fetched(store, root))


def last_fetched(store: Store, root: str) -> Fetched | None:
    """Return what the last fetch of the thread of `root` could say; None where there was none."""
    known = store.last_fetch(root)
    return None if known is None else Fetched.from_json(*known)


async def _drive(crawl: Crawl, asking: Asking, progress: Callable[[int], None]) -> None:
    """Keep every relay busy by itself; what has come is stored while the next is on its way."""
    run = crawl.run()
    questions, count = _send(run, None), 0
    waiting: set[asyncio.Task[Answered]] = set()
    try:
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                group.create_task(asking.keeper.run())
                progress(count)
                while questions is not None:
                    waiting |= {group.create_task(asking.ask(each)) for each in questions}
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    count += len(done)
                    questions = _send(run, [task.result() for task in done])
                    progress(count)
                for task in waiting:
                    task.cancel()
                asking.keeper.close()
    finally:
        await asking.keeper.finish()


def _send(
    run: Generator[list[Question], Iterable[Answered], None], answered: list[Answered] | None
) -> list[Question] | None:
    """Return what to ask next, None at the end."""
    try:
        return run.send(answered) if answered is not None else next(run)
    except StopIteration:
        return None


def _assembled(
    store: Store, root: str, now: int, viewer: str | None
) -> tuple[Thread, Surroundings]:
    events = store.thread(root)
    keep = store.policy() is Policy.KEEP
    around = surroundings(events, store=store, now=now, viewer=viewer, keep=keep)
    everything = [*events, *around.vanished]
    return Thread.build(everything, root=root, now=now, muted=around.mutes, keep=keep), around


def _nothing(start: Pointer, coverage: Coverage, hit: str | None) -> NotFound | NoRelayReachable:
    asked = len(coverage.relays)
    if asked and not coverage.reached:
        which = "the relay could not" if asked == 1 else f"none of {asked} relays could"
        return NoRelayReachable(f"{which} be reached")
    if hit is not None:
        return NotFound(f"stopped after {hit}, before anything of {start.key} came")
    silent = len(coverage.unsure)
    doubt = f" ({silent} did not answer completely)" if silent else ""
    if asked == 1:
        doubt = " (it did not answer completely)" if silent else ""
        return NotFound(f"the relay has no {start.key}{doubt}")
    return NotFound(f"none of {asked} relays has {start.key}{doubt}")


def _outcomes(coverage: Coverage) -> dict[str, bool]:
    """Whether each relay was worth asking."""
    asked = (each for each in coverage.relays if each.choice is None or each.choice.reads)
    return {relay.url: relay.events > 0 for relay in asked}


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
