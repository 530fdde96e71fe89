"""A whole thread out of twelve relays on real ports: some down, silent, capped, lying, forging."""

from __future__ import annotations

from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.testing import Faults, FaultyRelay, thread
from tests.app.worlds import opened, shape
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path

NOTES = thread(2000, authors=30)
DEAD = "ws://127.0.0.1:9"
GOOD = Faults()
# What each relay does wrong, and whether that leaves it unsure.
HABITS = (
    (GOOD, False),
    (GOOD, False),
    (Faults(answer_limit=100), False),
    (Faults(answer_limit=100), False),
    (Faults(finish_after=100), False),
    (Faults(forge="content", forge_where="before"), False),
    (Faults(duplicates=1), False),
    (Faults(forge="signature", forge_where="instead"), True),
    (Faults(silent_eose=True), True),
    (Faults(refuse_connections=True), True),
    (Faults(drop_connection_after=500), True),
)


@pytest.mark.parametrize("seed", range(2))
async def test_everything_that_can_be_had_is_found_kept_and_truly_reported(
    seed: int, tmp_path: Path
) -> None:
    random = Random(seed)
    held = [[each for each in NOTES if random.random() < 0.3] for _ in HABITS]
    truth = {
        event.id: event
        for (faults, unsure), events in zip(HABITS, held, strict=True)
        for event in events
        if not unsure
    }
    async with AsyncExitStack() as stack:
        relays = [
            await stack.enter_async_context(FaultyRelay(stocked(events), faults))
            for (faults, _), events in zip(HABITS, held, strict=True)
        ]
        urls = [relay.url for relay in relays]
        nostr = await stack.enter_async_context(opened(tmp_path / "a.db", *urls, DEAD, quick=2.0))
        found = await nostr.fetch(NOTES[0].id)
        shown = await nostr.show(NOTES[0].id)
    expected = nt.Thread.build(truth.values(), root=NOTES[0].id)
    got = {event.id for event in found.thread.events}
    assert {event.id for event in expected.events} <= got
    assert shape(found.thread) == shape(shown.thread)
    unsure = [url for url, (_, doubtful) in zip(urls, HABITS, strict=True) if doubtful]
    assert set(found.coverage.unsure) == {*unsure, DEAD}
    assert not got & {node.id for node in found.thread.missing}
    assert found.coverage.estimate is not None
    assert abs(found.coverage.estimate.total - len(NOTES)) < len(NOTES) // 10
