"""A pipe to hear a program through, which ends when that program does.

Knows pipes. Knows nothing of what is said.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import StreamReader
    from collections.abc import AsyncIterator

__all__ = ["own_pipe"]


@asynccontextmanager
async def own_pipe() -> AsyncIterator[tuple[StreamReader, int]]:
    """Give the end of a pipe to read from, and the descriptor of the one to write into.

    With asyncio's own pipes a program would seem to run as long as anything that it has started.
    """
    source, end = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", buffering=0)
    )
    try:
        yield reader, end
    finally:
        transport.close()
