"""A server over stdin and stdout that Ctrl-C ends at once.

Knows descriptors. Whoever reads stdin in a thread cannot be interrupted: what it reads is a pipe of
ours instead, which ends when we say so. Knows nothing of what is said.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["serve"]

_AT_ONCE = 1 << 16


async def serve(run: Callable[[], Awaitable[None]]) -> None:
    """Await `run()`, which reads stdin to its end; whoever cancels this ends it there."""
    with _ended_by_us() as end:
        running = asyncio.ensure_future(run())
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            end()
            running.cancel()
            await asyncio.wait([running])
            raise


@contextmanager
def _ended_by_us() -> Iterator[Callable[[], None]]:
    """Put a pipe in the place of stdin, into which all of it goes; give what ends it."""
    given = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    nowhere = os.open(os.devnull, os.O_WRONLY)

    def end() -> None:
        # Not closed: its number could be another file's by the time that something is written.
        os.dup2(nowhere, writing)

    def pump() -> None:
        with suppress(OSError):
            while data := os.read(given, _AT_ONCE):
                while data:
                    data = data[os.write(writing, data) :]
        end()

    # Nobody waits for it: it ends with what it reads, or with the process.
    threading.Thread(target=pump, name="stdin", daemon=True).start()
    try:
        yield end
    finally:
        end()
        os.dup2(given, 0)
