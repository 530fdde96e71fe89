"""The manual clock stands still until it is moved."""

from __future__ import annotations

import asyncio

import pytest

from nostr_threads.testing import ManualClock


def test_it_moves_by_exactly_what_it_is_told() -> None:
    clock = ManualClock(100)
    assert clock() == 100
    clock.advance(2.5)
    assert clock() == 102.5
    with pytest.raises(ValueError, match="go back"):
        clock.advance(-1)


async def test_those_who_wait_wake_in_the_order_of_their_time() -> None:
    clock, woken = ManualClock(), list[int]()

    async def sleeper(seconds: int) -> None:
        await clock.wait(seconds)
        woken.append(seconds)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for seconds in (3, 1, 2):
            tasks.create_task(sleeper(seconds))
        await asyncio.sleep(0)  # one turn of the loop: all three have begun to wait
        assert clock.waiting == 3
        clock.advance(2)
        await asyncio.sleep(0)  # and one for those who were woken
        assert (woken, clock.waiting) == ([1, 2], 1)
        clock.advance(1)
    assert woken == [1, 2, 3]


async def test_waiting_for_nothing_does_not_wait() -> None:
    async with asyncio.timeout(5):
        await ManualClock().wait(0)


async def test_one_who_was_cancelled_is_passed_over() -> None:
    clock = ManualClock()
    task = asyncio.ensure_future(clock.wait(1))
    await asyncio.sleep(0)  # one turn of the loop: it waits now
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.advance(5)
    assert clock.waiting == 0
