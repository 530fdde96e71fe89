"""Threads are shared by turns: nobody waits for those who have had more than their share."""

from __future__ import annotations

import asyncio
from functools import partial
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from nostr_threads.relayd.turns import Share, Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30.0


@pytest.fixture
def turns() -> Iterator[Turns]:
    opened = Turns(2)
    yield opened
    opened.close()


def greedy(seconds: float = 100.0) -> Share:
    """Somebody who has had so much of late."""
    share = Share()
    share.add(seconds, monotonic())
    return share


async def begun(event: Event) -> None:
    async with asyncio.timeout(SECONDS):
        await asyncio.to_thread(event.wait, SECONDS)
    assert event.is_set()


async def test_who_has_had_much_leaves_a_thread_to_those_who_have_not(turns: Turns) -> None:
    at_it, let_go = Event(), Event()

    def work() -> None:
        at_it.set()
        let_go.wait(SECONDS)

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(turns.run(greedy(), work))
        await begun(at_it)
        assert await turns.run(Share(), lambda: "at once") == "at once"
        let_go.set()


async def test_who_has_had_least_is_next(turns: Turns) -> None:
    let_go = Event()
    order: list[float] = []
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(turns.run(Share(), lambda: let_go.wait(SECONDS)))
        for seconds in (30.0, 10.0, 20.0):
            tasks.create_task(turns.run(greedy(seconds), partial(order.append, seconds)))
        await asyncio.sleep(0)  # so that all of them wait
        let_go.set()
    assert order == [10.0, 20.0, 30.0]


async def test_what_somebody_had_is_forgotten_by_and_by() -> None:
    share = Share()
    share.add(8.0, 1000.0)
    assert share.had(1000.0) == 8.0
    assert share.had(1030.0) == pytest.approx(4.0)
    share.add(1.0, 1060.0)
    assert share.had(1060.0) == pytest.approx(3.0)


async def test_the_more_wait_the_less_each_may_take(turns: Turns) -> None:
    let_go = Event()
    assert turns.patience(6.0) == 6.0
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(6):
            tasks.create_task(turns.run(Share(), lambda: let_go.wait(SECONDS)))
        await asyncio.sleep(0)  # so that four of them wait for the two
        assert turns.patience(6.0) == pytest.approx(2.0)
        assert turns.patience(0.3) == 0.25
        let_go.set()
    assert turns.patience(6.0) == 6.0


async def test_who_goes_away_while_waiting_or_at_work_takes_no_thread_with_them(
    turns: Turns,
) -> None:
    let_go = Event()
    working = [
        asyncio.ensure_future(turns.run(Share(), lambda: let_go.wait(SECONDS))) for _ in range(4)
    ]
    await asyncio.sleep(0)  # so that they are at work, or wait
    for each in working:
        each.cancel()
    await asyncio.wait(working)
    let_go.set()
    async with asyncio.timeout(SECONDS):
        for _ in range(4):
            assert await turns.run(Share(), lambda: 1) == 1
