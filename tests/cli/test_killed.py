"""`publish`, killed at every step: `outbox resume` brings everything everywhere, once, in order."""

from __future__ import annotations

import asyncio
import signal
from random import Random
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.cli.reports import INCOMPLETE
from nostr_threads.core.filters import Filter
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE
from tests.cli.killing import KillingRelay, Steps, lapse, postings
from tests.cli.program import Home
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path

PARTS = 7
TEXT = "\n\n".join(f"Paragraph {n}: " + "word " * 60 + f"end of {n}." for n in range(PARTS))
SLOW_DOWN = Faults(reject_with="rate-limited: slow down", accept_first=3, reject_first=1)
# All steps together take minutes: these, drawn once, the first and the last.
SAMPLE, AT_A_TIME = 4, 3
MOST_RESUMES = 4


def new_home(folder: Path) -> Home:
    folder.mkdir()
    return Home(folder, NOSTR_SECRET_KEY=ALICE.secret_hex())


async def killed_and_resumed(home: Home, last: int | None) -> tuple[int, int | None]:
    """Publish, die at step `last`, resume until nothing is left; return the steps and the code."""
    steps = Steps(last)
    async with (
        KillingRelay(stocked(), steps, Faults()) as honest,
        KillingRelay(stocked(), steps, SLOW_DOWN) as busy,
        KillingRelay(stocked(), steps, Faults(), cuts_first=True) as cutting,
    ):
        relays = (honest, busy, cutting)
        home.settle([relay.url for relay in relays])
        async with home.started("publish", home.file("a.md", TEXT), "--limit", "400") as process:
            steps.victim = process.pid
            await process.communicate()
        steps.victim, taken = None, steps.count
        (signed,) = postings(home)
        lapse(home)
        await resumed(home)
        ids = [event.id for event in signed.events]
        assert len(ids) == PARTS
        for relay in relays:
            assert_has_all(relay, ids)
    (after,) = postings(home)
    assert after.events == signed.events
    assert {delivery.status for delivery in after.deliveries} == {nt.Status.STORED}
    return taken, process.returncode


async def resumed(home: Home) -> None:
    for _ in range(MOST_RESUMES):
        ran = await home.run("outbox", "resume")
        if "nothing is on its way" in ran.err:
            return
        assert ran.code in (0, 3), ran.err
    raise AssertionError("something is still on its way")


def assert_has_all(relay: KillingRelay, ids: list[str]) -> None:
    """All parts are there and nothing else, and each came after the one before it."""
    held = relay.store.query([Filter(authors=(ALICE.pubkey,))], now=0)
    assert sorted(event.id for event in held) == sorted(ids)
    assert list(dict.fromkeys(relay.accepted)) == ids


async def test_a_publication_killed_at_any_step_arrives_whole_in_order_and_once(
    tmp_path: Path,
) -> None:
    steps, code = await killed_and_resumed(new_home(tmp_path / "whole"), None)
    assert steps > 2 * PARTS * 3
    assert code in (0, INCOMPLETE)
    drawn = Random(4).sample(range(2, steps), SAMPLE)
    gate = asyncio.Semaphore(AT_A_TIME)

    async def killed(last: int) -> None:
        async with gate:
            _, code = await killed_and_resumed(new_home(tmp_path / str(last)), last)
        # The very last step may be what is said when the program has gone.
        assert code == -signal.SIGKILL or last == steps

    async with asyncio.TaskGroup() as group:
        for last in sorted({1, *drawn, steps}):
            group.create_task(killed(last))


async def test_ctrl_c_says_where_the_answer_is_and_it_can_go_on_at_once(alice: Home) -> None:
    asked = asyncio.Event()

    async def for_ever(_: float) -> None:
        asked.set()
        await asyncio.get_running_loop().create_future()

    async with FaultyRelay(stocked(), Faults(slow=1.0), wait=for_ever) as relay:
        alice.settle([relay.url], quick=20.0)
        async with alice.started("publish", alice.file("a.md", "because")) as process:
            await asked.wait()
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
        relay.faults = Faults()
        resumed = await alice.run("outbox", "resume")
    assert (process.returncode, resumed.code) == (130, 0)
    assert b"what was signed is in the outbox" in err
