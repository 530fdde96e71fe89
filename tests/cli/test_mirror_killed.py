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
    import nostr_threads as nt
    from tests.cli.program import Home

KILLS = 50
# Seconds in which a run is killed, and until each message of a relay: all of it takes some more.
LONGEST, SLOW = 0.4, 0.003
HOUR = 3_600
TAG = ("t", "nostr")


def notes(count: int, of: str) -> list[nt.Verified]:
    """Notes over half a year, some of them in the same second."""
    return [
        (ALICE if n % 3 else BOB).event(1, f"{of} {n}", NOW - n // 2 * 20 * HOUR, (TAG,))
        for n in range(count)
    ]


async def test_a_mirror_killed_again_and_again_is_whole_in_the_end(home: Home) -> None:
    both = notes(150, "both")
    held = [*both, *notes(100, "one")], [*both, *notes(100, "two")], notes(150, "three")
    paged, slow = Faults(no_negentropy=True, slow=SLOW), Faults(slow=SLOW)
    async with (
        FaultyRelay(stocked(held[0]), paged) as pages,
        FaultyRelay(stocked(held[1]), slow) as compares,
        FaultyRelay(stocked(held[2]), Faults(drop_connection_after=60)) as drops,
    ):
        urls = [relay.url for relay in (pages, compares, drops)]
        relays = [part for url in urls for part in ("--relay", url)]
        await home.run("mirror", "add", "hashtag", "nostr", *relays)
        moments, hit = Random(6), 0
        for _ in range(KILLS):
            hit += await killed_after(home, moments.uniform(0.02, LONGEST))
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


async def killed_after(home: Home, seconds: float) -> bool:
    """Run, and be killed in the middle; whether it had not ended before."""
    running = asyncio.create_task(home.run("mirror", "run"))
    await asyncio.wait([running], timeout=seconds)
    running.cancel()
    await asyncio.wait([running])
    return running.cancelled()
