"""Web servers, without a socket and with one, for what no honest server sends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nostr_threads.net.document import NewClient

__all__ = ["Body", "blunt_server", "web"]


class Body(httpx.AsyncByteStream):
    """A body that has yet to be read."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def web(answer: Callable[[httpx.Request], httpx.Response]) -> NewClient:
    """Return what makes a client of a server that answers so."""

    def respond(request: httpx.Request) -> httpx.Response:
        made = answer(request)
        # One made of text counts as read; one that comes over a socket does not.
        if not made.is_closed:
            return made
        return httpx.Response(made.status_code, headers=made.headers, stream=Body(made.content))

    return lambda: httpx.AsyncClient(transport=httpx.MockTransport(respond))


@asynccontextmanager
async def blunt_server(answer: bytes) -> AsyncIterator[str]:
    """Answer every connection with these bytes, or with silence for none; its `ws:` URL."""
    handlers: list[asyncio.Task[None] | None] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            if answer:
                writer.write(answer)
            else:
                await reader.read()
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*(task for task in handlers if task is not None))
