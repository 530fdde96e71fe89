"""`mirror run`, killed at any moment: the next runs go on until everything is there, once."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from nostr_threads.core.filters import Filter
from nostr_threads.core.windows import Span
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import nostr_threads as nt
    from tests.cli.program import Home

KILLS = 50
# Messages of relays after which a run is killed at the latest: what is new takes some more.
MOST = 60
HOUR = 3_600
TAG = ("t", "nostr")


def notes(count: int, of: str) -> list[nt.Verified]:
    """Notes over half a year, some of them in the same second."""
    return [
        (ALICE if n % 3 else BOB).event(1, f"{of} {n}", NOW - n // 2 * 20 * HOUR, (TAG,))
        for n in range(count)
    ]


class Traffic:
    """What relays send: a moment that is the same on every machine."""

    def __init__(self) -> None:
        self._left = 0
        self._reached = asyncio.Event()

    async def passes(self, _: float) -> None:
        """Note that one message more is sent."""
        self._left -= 1
        if self._left < 0:
            self._reached.set()
        await asyncio.sleep(0.001)  # so that a kill comes between two messages

    async def after(self, messages: int) -> None:
        """Wait until so many messages were sent, and one more is about to be."""
        self._left = messages
        self._reached.clear()
        await self._reached.wait()


async def test_a_mirror_killed_again_and_again_is_whole_in_the_end(home: Home) -> None:
    both = notes(150, "both")
    held = [*both, *notes(100, "one")], [*both, *notes(100, "two")], notes(150, "three")
    traffic = Traffic()
    paged, told = Faults(no_negentropy=True, slow=1.0), Faults(slow=1.0)
    async with (
        FaultyRelay(stocked(held[0]), paged, wait=traffic.passes) as pages,
        FaultyRelay(stocked(held[1]), told, wait=traffic.passes) as compares,
        FaultyRelay(stocked(held[2]), Faults(drop_connection_after=60)) as drops,
    ):
        urls = [relay.url for relay in (pages, compares, drops)]
        relays = [part for url in urls for part in ("--relay", url)]
        await home.run("mirror", "add", "hashtag", "nostr", *relays)
        moments, hit = Random(6), 0
        for _ in range(KILLS):
            hit += await killed_after(home, traffic.after(moments.randint(0, MOST)))
        assert hit > KILLS / 2
        # One that hangs up for ever gives a little more each time.
        for _ in range(20):
            ran = await home.run("mirror", "run", "--json")
            assert ran.code in (0, 3), ran.err
            if ran.code == 0:
                break
        assert ran.code == 0
        assert (await home.run("mirror", "verify")).code == 0
        received = len(pages.received)
        again = await home.run("mirror", "run")
        assert again.code == 0
        assert len(pages.received) - received < 5
    everything = {note.id for some in held for note in some}
    with SqliteStore(home.folder / "threads.db") as store:
        items = store.items([Filter()], now=None)
        assert sorted(event_id.hex() for _, event_id in items) == sorted(everything)
        syncs = store.sources.syncs("hashtag nostr")
        assert set(syncs) == set(urls)
        for url, some in zip(urls, held, strict=True):
            assert syncs[url].spans.covers(Span(0, int(NOW)))
            seen = store.sightings([note.id for note in some])
            assert url != urls[0] or all(url in where for where in seen.values())


async def killed_after(home: Home, moment: Coroutine[object, object, None]) -> bool:
    """Run, and be killed in the middle; whether it had not ended before."""
    running = asyncio.create_task(home.run("mirror", "run"))
    waiting = asyncio.create_task(moment)
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    for each in (running, waiting):
        each.cancel()
    await asyncio.wait([running, waiting])
    return running.cancelled()
