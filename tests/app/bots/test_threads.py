"""Threads of their own, which nobody can end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from nostr_threads.app.bots.threads import in_own_thread


async def test_it_returns_and_raises_as_the_function_does() -> None:
    assert await in_own_thread(lambda: 5) == 5
    assert await in_own_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await in_own_thread(lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await in_own_thread(lambda: next(iter(())))


@pytest.mark.parametrize("fails", [False, True])
async def test_what_comes_when_nobody_waits_is_dropped(fails: bool) -> None:
    flag, told = threading.Event(), threading.Event()

    def late() -> None:
        flag.wait(20)
        told.set()
        if fails:
            raise ValueError

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await in_own_thread(late)
    flag.set()
    assert told.wait(20)
    await in_own_thread(lambda: None)  # another that tells the loop, after the first


def test_it_keeps_no_program_from_ending() -> None:
    program = """
import asyncio, threading
from nostr_threads.app.bots.threads import in_own_thread
async def main():
    async with asyncio.timeout(0.05):
        await in_own_thread(threading.Event().wait)
try:
    asyncio.run(main())
except TimeoutError:
    print("ended")
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=20, check=True
    )
    assert ran.stdout == b"ended\n"
