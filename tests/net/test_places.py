"""Places: in the order of asking, never too many, and none lost to who gave up."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.net.places import Places


async def turn() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)  # one turn of the loop


async def test_who_asked_first_is_first() -> None:
    places, order = Places(1), list[int]()

    async def visit(number: int) -> None:
        await places.take()
        order.append(number)
        await turn()
        places.leave()

    await asyncio.gather(*(visit(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_more_places_let_those_in_who_wait() -> None:
    places = Places(1)
    waiting = [asyncio.ensure_future(places.take()) for _ in range(3)]
    await turn()
    assert [task.done() for task in waiting] == [True, False, False]
    places.allow(3)
    await asyncio.gather(*waiting)


async def test_fewer_places_turn_nobody_out_and_let_nobody_in() -> None:
    places = Places(3)
    for _ in range(3):
        await places.take()
    places.allow(1)
    waiting = asyncio.ensure_future(places.take())
    for _ in range(2):
        places.leave()
        await turn()
        assert not waiting.done()
    places.leave()
    await waiting


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(0, 3)), max_size=20))
async def test_however_many_give_up_no_place_is_lost(
    steps: list[tuple[bool, int, int]],
) -> None:
    """At any moment: before their turn, in the very moment of it, and after."""
    places = Places(2)
    visits = []

    async def visit(turns: int) -> None:
        await places.take()
        try:
            for _ in range(turns):
                await asyncio.sleep(0)  # it stays for as many turns of the loop
        finally:
            places.leave()

    for gives_up, most, turns in steps:
        visits.append(asyncio.create_task(visit(turns)))
        places.allow(most)
        for _ in range(turns):
            await asyncio.sleep(0)  # so far it has come before somebody gives up
        if gives_up:
            visits[len(visits) // 2].cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(*visits, return_exceptions=True)
        places.allow(2)
        await places.take()
        await places.take()
    third = asyncio.ensure_future(places.take())
    await turn()
    assert not third.done()
    third.cancel()
