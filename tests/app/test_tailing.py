"""Sources followed for as long as anybody likes: nothing is missed, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app import tailing
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Request
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW, opened
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    import nostr_threads as nt
    from nostr_threads.app.mirror import Progress
    from nostr_threads.store.base import Store

    Pause = Callable[[float], Awaitable[None]]

TAG = ("t", "nostr")
NOSTR = Source(SourceKind.HASHTAG, "nostr")
FIRST = ALICE.event(1, "first", NOW - 1_000, (TAG,))


def note(text: str, at: float = NOW) -> nt.Verified:
    return BOB.event(1, text, int(at), (TAG,))


class Watch:
    """Waits until the store holds what it should; each progress is a reason to look again."""

    def __init__(self, nostr: nt.Nostr) -> None:
        self._nostr = nostr
        self._moved = asyncio.Event()

    def progress(self, _: Progress) -> None:
        self._moved.set()

    async def until(self, *events: nt.Verified) -> None:
        async with asyncio.timeout(20):
            while not self._holds(events):
                self._moved.clear()
                await self._moved.wait()

    def _holds(self, events: Sequence[nt.Verified]) -> bool:
        return all(self._nostr.store.event(event.id) is not None for event in events)


async def short(seconds: float) -> None:
    """A pause that is over soon: of the time that a clock of the test tells, none passes."""
    await asyncio.sleep(0.01 if seconds < 5 else 0.05)  # real time, for sockets to get their turns


async def patient(seconds: float) -> None:
    """The same, but for pauses of minutes: those are not over in a test."""
    await asyncio.sleep(0.01 if seconds < 5 else 60)  # cancelled before


async def never(seconds: float) -> None:
    """A pause that is not over in a test, however short."""
    await asyncio.sleep(60 + seconds)  # cancelled before


async def listened(relay: FaultyRelay) -> None:
    """Wait until somebody has subscribed."""
    async with asyncio.timeout(20):
        while not any(
            isinstance(message, Request) and message.filters[0].since == NOW - 600
            for message in relay.received
        ):
            await short(1)


async def heard(nostr: nt.Nostr, url: str) -> None:
    """Wait until what was sent before must have come."""
    async with asyncio.timeout(20):
        await nostr.pool.relay(url).count(Filter(kinds=(1,)))
        await nostr.pool.relay(url).sample(Filter(kinds=(1,)))


@asynccontextmanager
async def following(
    nostr: nt.Nostr, *sources: Source, pause: Pause = short
) -> AsyncIterator[Watch]:
    for source in sources:
        nostr.store.sources.put(source, now=int(NOW))
    watch = Watch(nostr)
    running = asyncio.create_task(
        nostr.mirror.follow(sources, progress=watch.progress, pause=pause)
    )
    try:
        yield watch
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])


def served(store: Store, port: int = 0) -> RelayServer:
    return RelayServer(store, port=port, accept=lambda _: None)


async def send(relay: RelayServer, event: nt.Verified) -> None:
    """Publish at a relay, as anybody does."""
    async with opened(":memory:", relay.url) as other:
        await other.pool.relay(relay.url).publish(event)


async def test_what_was_there_and_what_comes_is_kept() -> None:
    later = note("later")
    async with (
        served(stocked([FIRST])) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
        following(nostr, NOSTR) as watch,
    ):
        await watch.until(FIRST)
        await send(relay, later)
        await watch.until(later)
        assert nostr.store.sightings([later.id]) == {later.id: (relay.url,)}


async def test_what_came_while_a_relay_was_down_is_not_missed() -> None:
    store = stocked([FIRST])
    meanwhile, afterwards = note("meanwhile"), note("afterwards")
    async with opened(":memory:", clock=lambda: NOW) as nostr:
        relay = served(store)
        async with relay:
            url, port = relay.url, int(relay.url.rpartition(":")[2])
            source = Source(NOSTR.kind, NOSTR.value, (url,))
            watching = following(nostr, source)
            watch = await watching.__aenter__()
            await watch.until(FIRST)
        store.add([meanwhile], relay=None, now=int(NOW))
        async with served(store, port) as relay:
            await watch.until(meanwhile)
            await send(relay, afterwards)
            await watch.until(afterwards)
            await watching.__aexit__(None, None, None)


@pytest.mark.parametrize("jump", [100_000, -5])
async def test_after_a_jump_of_the_clock_what_is_missing_is_looked_for_again(jump: int) -> None:
    moment = NOW
    hidden = note("sent before the machine woke up", NOW + jump // 2)
    async with (
        FaultyRelay(stocked([FIRST]), Faults(no_negentropy=True)) as relay,
        opened(":memory:", relay.url, clock=lambda: moment) as nostr,
        following(nostr, NOSTR, pause=patient) as watch,
    ):
        await watch.until(FIRST)
        await listened(relay)
        await heard(nostr, relay.url)
        # Not passed on: as if the connection had died in its sleep.
        relay.store.add([hidden], relay=None, now=int(NOW))
        moment = NOW + jump
        await watch.until(hidden)


async def test_what_comes_after_a_calm_is_stored_at_once() -> None:
    later, more = note("later"), note("more")
    async with (
        served(stocked([FIRST])) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
        following(nostr, NOSTR, pause=never) as watch,
    ):
        await watch.until(FIRST)
        await send(relay, later)
        await watch.until(later)
        await send(relay, more)
        await heard(nostr, relay.url)
        assert nostr.store.event(more.id) is None


async def test_what_waits_is_stored_before_it_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailing, "_MOST_WAITING", 3)
    later = [note(f"later {number}") for number in range(4)]  # the first is stored at once
    async with (
        served(stocked([FIRST])) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
        following(nostr, NOSTR, pause=never) as watch,
    ):
        await watch.until(FIRST)
        for event in later:
            await send(relay, event)
        async with asyncio.timeout(20):
            while nostr.store.event(later[-1].id) is None:
                await short(1)


async def test_a_relay_that_keeps_no_subscription_is_looked_at_again() -> None:
    later = note("later")
    asking = Faults(no_negentropy=True, drop_connection_after=8)
    async with (
        FaultyRelay(stocked([FIRST]), asking) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
        following(nostr, NOSTR) as watch,
    ):
        relay.store.add([later], relay=None, now=int(NOW))
        await watch.until(FIRST, later)


async def test_what_came_live_does_not_count_as_got() -> None:
    """A relay may pass on less than it has, and a dead connection is not known at once."""
    moment = NOW
    async with (
        FaultyRelay(stocked([FIRST]), Faults(no_negentropy=True)) as relay,
        opened(":memory:", relay.url, clock=lambda: moment) as nostr,
        following(nostr, NOSTR, pause=patient) as watch,
    ):
        await watch.until(FIRST)
        await listened(relay)
        for _ in range(20):
            moment += 20
            await short(1)
        spans = nostr.store.sources.syncs(NOSTR.name)[relay.url].spans
        assert spans.spans[-1].last == NOW


async def test_more_than_a_relay_gives_at_once_came_while_it_was_looked_at() -> None:
    """The live subscription tells only of the newest: a look comes after it."""
    moment = NOW
    many = [note(f"number {n}", NOW + 4_000 + n) for n in range(60)]
    store = stocked([FIRST])

    def clock() -> float:
        return moment

    async with (
        FaultyRelay(store, Faults(no_negentropy=True, answer_limit=10)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
        following(nostr, NOSTR) as watch,
    ):
        await watch.until(FIRST)
        store.add(many, relay=None, now=int(NOW))
        moment = NOW + 50_000
        await watch.until(*many)


async def test_what_is_over_is_looked_at_once_and_not_followed() -> None:
    over = Source.parse(SourceKind.FILTER, f'{{"#t":["nostr"],"until":{int(NOW) - 500}}}')
    later = note("later")
    async with (
        served(stocked([FIRST])) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
    ):
        await nostr.mirror.add(over)
        await nostr.mirror.follow(pause=short)  # it ends
        await send(relay, later)
        assert nostr.store.event(FIRST.id) is not None
        assert nostr.store.event(later.id) is None


async def test_the_threads_under_notes_that_come_first_are_fetched_at_once() -> None:
    asked = ALICE.note("note", NOW - 50)
    answer = BOB.reply(asked, "answer", NOW - 40)
    alice = Source(SourceKind.AUTHOR, ALICE.pubkey, replies=True)
    async with (
        served(stocked([asked, answer])) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
        following(nostr, alice, pause=patient) as watch,
    ):
        await watch.until(asked, answer)


async def test_what_waits_is_stored_when_it_is_stopped() -> None:
    later = note("later")
    async with (
        served(stocked([FIRST])) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
    ):
        async with following(nostr, NOSTR, pause=never) as watch:
            await watch.until(FIRST)
            await send(relay, later)
            await heard(nostr, relay.url)
        assert nostr.store.event(later.id) is not None


async def test_seconds_that_a_wrong_clock_took_for_got_are_asked_for_again() -> None:
    moment = NOW + 500_000
    today = note("today", NOW + 10)
    async with (
        FaultyRelay(stocked([FIRST]), Faults(no_negentropy=True)) as relay,
        opened(":memory:", relay.url, clock=lambda: moment) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        await nostr.mirror.run([NOSTR])
        moment = NOW
        await nostr.mirror.run([NOSTR])
        relay.store.add([today], relay=None, now=int(NOW))
        moment = NOW + 40_000
        await nostr.mirror.run([NOSTR])
        assert nostr.store.query([Filter(ids=(today.id,))], now=int(NOW)) == [today]


async def test_a_thread_is_fetched_again_and_again() -> None:
    root = ALICE.note("root")
    answer, store = BOB.reply(root, "answer"), stocked([root])
    async with RelayServer(store) as relay, opened(":memory:", relay.url) as nostr:
        thread = Source.parse(SourceKind.THREAD, root.id)
        async with following(nostr, thread) as watch:
            await watch.until(root)
            store.add([answer], relay=None, now=int(NOW))
            await watch.until(root, answer)


async def test_what_is_searched_for_is_asked_for_again_and_not_followed() -> None:
    """A relay that searches what it has may send everything that comes in."""
    words = Source(SourceKind.SEARCH, "hello")
    first, other = ALICE.note("hello", NOW - 50), ALICE.note("something else", NOW - 40)
    store = stocked([first])
    async with (
        FaultyRelay(store) as relay,
        opened(":memory:", relay.url, clock=lambda: NOW) as nostr,
    ):
        nostr.store.keep_relay_document(relay.url, '{"supported_nips":[50]}', now=int(NOW))
        async with following(nostr, words) as watch:
            async with asyncio.timeout(20):
                while nostr.store.sources.syncs(words.name).get(relay.url) is None:
                    await short(1)
            store.add([other], relay=None, now=int(NOW))
            await watch.until()
        assert not any(
            message.filters[0].until is None
            for message in relay.received
            if isinstance(message, Request)
        )
