"""Work off the event loop: whoever waits for it to its end stays, however often it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.blocking import off_loop, to_its_end

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 30.0


def waiting_for(event: threading.Event, then: Callable[[], str]) -> asyncio.Future[str]:
    def work() -> str:
        assert event.wait(SECONDS)
        return then()

    return off_loop(work)


async def test_what_it_gives_is_given() -> None:
    assert await to_its_end(off_loop(str.upper, "done")) == "DONE"


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_whoever_is_cancelled_goes_when_it_has_ended_and_no_sooner(times: int) -> None:
    go_on = threading.Event()
    work = waiting_for(go_on, lambda: "done")
    staying = asyncio.create_task(to_its_end(work))
    for _ in range(times):
        await asyncio.wait([staying], timeout=0.001)
        staying.cancel()
    await asyncio.wait([staying], timeout=0.001)
    assert not staying.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await staying
    assert work.result() == "done"


async def test_what_went_wrong_is_raised_to_whoever_was_cancelled_too() -> None:
    go_on = threading.Event()

    def fail() -> str:
        raise ValueError("the disk is full")

    staying = asyncio.create_task(to_its_end(waiting_for(go_on, fail)))
    await asyncio.wait([staying], timeout=0.001)
    staying.cancel()
    go_on.set()
    with pytest.raises(ValueError, match="the disk is full"):
        await staying
