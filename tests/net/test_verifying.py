"""What came is checked before it counts: by one thread or two, once for all relays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import verify
from nostr_threads.net import verifying
from nostr_threads.net.verifying import verified
from nostr_threads.testing import forged, thread

if TYPE_CHECKING:
    from nostr_threads.core.event import Event, Verified

HONEST = thread(5)
FALSE = [forged(event, how) for event in HONEST for how in ("content", "signature", "id")]


def never(event: Event) -> Verified:
    raise AssertionError(f"{event.id} was verified again")


@given(st.lists(st.sampled_from([*HONEST, *FALSE]), max_size=12))
async def test_only_the_true_are_let_through_once_each_in_any_order(events: list[Event]) -> None:
    """Verify before seen."""
    good, refused, lost = await verified(events)
    assert set(good) == set(events) & set(HONEST)
    assert len(good) == len(set(good))
    assert refused == sum(event in FALSE for event in events)
    assert lost is ({event.id for event in events} != {event.id for event in good})


async def test_many_are_verified_as_few_are() -> None:
    good, refused, _ = await verified([*FALSE * 10, *HONEST])
    assert (set(good), refused) == (set(HONEST), len(FALSE) * 10)


async def test_an_altered_copy_after_the_honest_event_is_refused() -> None:
    copy = replace(HONEST[0], content="other")
    assert await verified([HONEST[0], copy]) == ((HONEST[0],), 1, False)
    assert await verified([copy]) == ((), 1, True)


async def test_what_is_known_is_handed_out_as_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """By whichever relay it was verified; an equal copy is as good."""
    monkeypatch.setattr(verifying, "verify", never)
    known = {event.id: event for event in HONEST}
    copies = [replace(event) for event in HONEST]
    good, refused, lost = await verified([*HONEST, *copies], known)
    assert (refused, lost) == (0, False)
    assert [id(event) for event in good] == [id(event) for event in HONEST]


async def test_what_is_found_true_is_known_from_then_on() -> None:
    known: dict[str, Verified] = {}
    await verified([*FALSE, HONEST[0]], known)
    assert known == {HONEST[0].id: HONEST[0]}


async def test_an_altered_copy_of_what_is_known_is_refused_and_hides_nothing() -> None:
    known = {event.id: event for event in HONEST}
    good, refused, lost = await verified(FALSE, known)
    assert (good, refused) == ((), len(FALSE))
    assert lost
    assert known == {event.id: event for event in HONEST}


@given(st.permutations([*HONEST, *FALSE] * 2), st.integers(1, 40))
async def test_two_threads_find_what_one_finds(events: list[Event], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "_WORTH_SHARING", 1)
        patch.setattr(verifying, "_CHUNK", chunk)
        shared = await verified(events)
    alone = await verified(events)
    assert set(shared[0]) == set(alone[0])
    assert shared[1:] == alone[1:]


async def test_the_loop_has_its_turns_while_many_are_verified() -> None:
    crowd = thread(400, seed=5)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)  # one turn of the loop: this is what is counted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "_SLICE_SECONDS", 0.001)
        task = asyncio.create_task(others())
        good, _, _ = await verified(crowd)
        task.cancel()
    assert len(good) == 400
    assert turns > 3


async def test_who_is_cancelled_leaves_no_work_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_SLICE_SECONDS", 0.0)
    checked = []

    def counted(event: Event) -> Verified:
        checked.append(event)
        return verify(event)

    monkeypatch.setattr(verifying, "verify", counted)
    crowd = thread(1000, seed=5)
    working = asyncio.create_task(verified(crowd))
    await asyncio.sleep(0)  # one turn of the loop: it has begun
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    done = len(checked)
    assert done < 1000
    assert await verified(HONEST)
    assert len(checked) == done + len(HONEST)
