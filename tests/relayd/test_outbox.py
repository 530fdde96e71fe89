"""The queue to one client: bounded, in order, and never in the way of others."""

from __future__ import annotations

import asyncio

from nostr_threads.relayd.outbox import Outbox


def boxed(*, answers: int, live: int) -> Outbox[int]:
    """An outbox in which every frame counts as one."""
    return Outbox(answers=answers, live=live, size=lambda _: 1)


async def test_frames_leave_in_the_order_they_came() -> None:
    outbox = boxed(answers=3, live=3)
    await outbox.put([1])
    assert outbox.push([2])
    await outbox.put([3])
    assert [await outbox.take() for _ in range(3)] == [1, 2, 3]
    assert len(outbox) == 0


async def test_answers_wait_for_room() -> None:
    outbox = boxed(answers=2, live=1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        putting = tasks.create_task(outbox.put(range(5)))
        taken = []
        for _ in range(5):
            taken.append(await outbox.take())
            assert len(outbox) <= 2
        await putting
    assert taken == list(range(5))


async def test_live_frames_beyond_the_bound_are_turned_away_at_once() -> None:
    outbox = boxed(answers=1, live=2)
    assert outbox.push([1, 2])
    assert not outbox.push([3])
    assert len(outbox) == 2
    await outbox.take()
    assert outbox.push([4])
    assert not outbox.push([5])


async def test_waiting_answers_leave_the_room_of_live_frames_alone() -> None:
    outbox = boxed(answers=1, live=1)
    await outbox.put([1])
    assert outbox.push([2])
    assert len(outbox) == 2


async def test_a_taker_wakes_for_what_comes_later() -> None:
    outbox: Outbox[str] = Outbox(answers=1, live=1, size=len)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(outbox.take())
        tasks.create_task(outbox.put(["late"]))
    assert taking.result() == "late"


async def test_room_is_counted_by_what_the_frames_hold() -> None:
    outbox: Outbox[str] = Outbox(answers=10, live=10, size=len)
    assert outbox.push(["x" * 30])
    assert not outbox.push(["y"])
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        putting = tasks.create_task(outbox.put(["a" * 9, "b" * 9, "c"]))
        assert await outbox.take() == "x" * 30
        assert outbox.push(["y"])
        taken = [await outbox.take() for _ in range(4)]
        await putting
    assert sorted(map(len, taken)) == [1, 1, 9, 9]
