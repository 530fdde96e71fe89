"""The queue to one client: bounded, in order, and never in the way of others."""

from __future__ import annotations

import asyncio

from nostr_threads.relayd.outbox import Outbox


async def test_frames_leave_in_the_order_they_came() -> None:
    outbox: Outbox[int] = Outbox(answers=3, live=3)
    await outbox.put([1])
    assert outbox.push([2])
    await outbox.put([3])
    assert [await outbox.take() for _ in range(3)] == [1, 2, 3]
    assert len(outbox) == 0


async def test_answers_wait_for_room() -> None:
    outbox: Outbox[int] = Outbox(answers=2, live=1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        putting = tasks.create_task(outbox.put(range(5)))
        taken = []
        for _ in range(5):
            taken.append(await outbox.take())
            assert len(outbox) <= 2
        await putting
    assert taken == list(range(5))


async def test_live_frames_beyond_the_bound_are_turned_away_at_once() -> None:
    outbox: Outbox[int] = Outbox(answers=1, live=2)
    assert outbox.push([1, 2])
    assert not outbox.push([3])
    assert len(outbox) == 2
    await outbox.take()
    assert outbox.push([4])
    assert not outbox.push([5])


async def test_waiting_answers_leave_the_room_of_live_frames_alone() -> None:
    outbox: Outbox[int] = Outbox(answers=1, live=1)
    await outbox.put([1])
    assert outbox.push([2])
    assert len(outbox) == 2


async def test_a_taker_wakes_for_what_comes_later() -> None:
    outbox: Outbox[str] = Outbox(answers=1, live=1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(outbox.take())
        tasks.create_task(outbox.put(["late"]))
    assert taking.result() == "late"
