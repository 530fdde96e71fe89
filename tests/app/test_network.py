"""A whole thread out of twelve relays on real ports: some down, silent, capped, lying, forging."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import nostr_threads as nt
from nostr_threads.net.relay import Relay, Timeouts
from nostr_threads.testing import Faults, FaultyRelay, thread
from tests.app.worlds import ALICE, NOW, opened, shape
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Collection
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
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
        wait_briefly_for([each.url for each in relays if each.faults.silent_eose], monkeypatch)
        nostr = await stack.enter_async_context(opened(tmp_path / "a.db", *urls, DEAD, quick=20.0))
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


def wait_briefly_for(silent: Collection[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the silences of some relays (by URL) end soon: what they do not say never comes.

    The others get all the time they want: a busy machine makes them slow, and not silent.
    """

    def relay(url: str, *, timeouts: Timeouts, **more: Any) -> Relay:
        idle = 0.5 if url in silent else timeouts.idle
        return Relay(url, timeouts=replace(timeouts, idle=idle), **more)

    monkeypatch.setattr("nostr_threads.net.pool.Relay", relay)


async def test_a_busy_and_a_sparse_relay_together_lose_nothing(tmp_path: Path) -> None:
    """Each has a cursor of its own: 10,000 of 10,000, where a shared one loses about half."""
    root = ALICE.note("root", NOW)
    replies = [ALICE.reply(root, f"{n}", NOW + n) for n in range(1, 10_000)]
    sparse = [root, *replies[::50]]
    busy = [event for n, event in enumerate(replies) if n % 50]
    async with (
        FaultyRelay(stocked(busy), Faults(answer_limit=500)) as first,
        FaultyRelay(stocked(sparse), Faults(answer_limit=500)) as second,
        opened(tmp_path / "a.db", first.url, second.url) as nostr,
    ):
        found = await nostr.fetch(root.id)
    assert (found.thread.found, found.whole) == (10_000, True)


@pytest.mark.parametrize(("answered", "finish"), [(1, nt.Finish.LIMITED), (10, nt.Finish.COMPLETE)])
async def test_a_dense_second_is_had_whole_or_told_as_limited(
    answered: int, finish: nt.Finish, tmp_path: Path
) -> None:
    """2,100 replies in one second, 500 at a time: it can be cut where they answer several notes."""
    root = ALICE.note("root", NOW)
    notes = [root, *(ALICE.reply(root, f"{n}", NOW + 1) for n in range(1, answered))]
    replies = [ALICE.note(f"{n}", NOW + 9, _only(notes[n % answered])) for n in range(2100)]
    async with (
        FaultyRelay(stocked([*notes, *replies]), Faults(answer_limit=500)) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        found = await nostr.fetch(root.id)
    (coverage,) = found.coverage.relays
    assert coverage.finish is finish
    assert (found.thread.found == len(notes) + 2100) is (finish is nt.Finish.COMPLETE)
    assert found.whole is (finish is nt.Finish.COMPLETE)


def _only(parent: nt.Event) -> tuple[tuple[str, ...], ...]:
    """Name the parent and no root, as many clients do."""
    return (("e", parent.id, "", "reply"),)
