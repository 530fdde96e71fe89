"""Processes of other people, as tests look at them."""

from __future__ import annotations

import asyncio
import os

__all__ = ["is_dead"]


async def is_dead(pid: int) -> None:
    """Wait until a process is gone: it may take a moment to die."""
    async with asyncio.timeout(30):
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 - not a file
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return  # killed; whoever adopted it has yet to notice
            await asyncio.sleep(0.01)  # the dying want the processor, and the loop collects them
