"""Two processes that send from one store at the same time: each part goes out once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nostr_threads.cli.reports import INCOMPLETE
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Publish
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, LONG, NOW
from tests.cli.program import Home
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path


async def test_two_programs_that_resume_at_once_send_each_part_once(tmp_path: Path) -> None:
    home = Home(tmp_path, NOSTR_SECRET_KEY=ALICE.secret_hex())
    both = asyncio.Event()

    async def dawdle(_: float) -> None:
        """Send nothing before the second program has had its say."""
        await both.wait()

    async with FaultyRelay(stocked(), Faults(refuse_connections=True), wait=dawdle) as relay:
        home.settle([relay.url])
        published = await home.run("publish", home.file("a.md", LONG), "--limit", "400")
        assert published.code != 0
        relay.faults = Faults(slow=1.0)
        first = asyncio.create_task(home.run("outbox", "resume", published.out.strip()))
        second = asyncio.create_task(home.run("outbox", "resume", published.out.strip()))
        done, _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
        both.set()
        ends = [await first, await second]
        assert len(done) == 1
        (busy,) = (task.result() for task in done)
        assert (busy.code, "another process is sending this" in busy.err) == (INCOMPLETE, True)
        assert sorted(end.code for end in ends) == [0, INCOMPLETE]
        sent = [each.event.id for each in relay.received if isinstance(each, Publish)]
        held = relay.store.query([Filter()], now=NOW)
    assert len(sent) == len(set(sent)) > 2
    assert sorted(sent) == sorted(event.id for event in held)
