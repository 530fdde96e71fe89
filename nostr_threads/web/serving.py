"""The viewer on a port of this machine, until it is to end.

Knows the server. Knows nothing of what it answers.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn

from nostr_threads.app.blocking import to_its_end
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.types import ASGIApp

__all__ = ["HOST", "bound", "hosts_of", "serving"]

HOST = "127.0.0.1"
"""Where it listens, and nowhere else: what is in a store is for whoever is on this machine."""

_HTTP = 80
_WAITING = 128
_FAREWELL = 2


def hosts_of(port: int) -> frozenset[str]:
    """Return the names under which a browser may know it."""
    names = (HOST, "localhost")
    # Browsers leave out the port that http has anyway.
    bare = names if port == _HTTP else ()
    return frozenset((*bare, *(f"{name}:{port}" for name in names)))


@contextmanager
def bound(port: int) -> Iterator[socket.socket]:
    """Open the port (0: any free one), so that who connects is heard from now on.

    Raises `InvalidInput` where it is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(_WAITING)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidInput(f"cannot listen on {HOST}, port {port}: {reason}") from None
        yield listening


@asynccontextmanager
async def serving(
    app: ASGIApp, listening: socket.socket, *, closing: Callable[[], None]
) -> AsyncIterator[None]:
    """Answer who connects for as long as the block runs; `closing` is told before the end."""
    config = uvicorn.Config(
        app,
        ws="none",
        http="h11",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_FAREWELL,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        # Whatever ends the block: a server that is not let end by itself goes on at the port.
        work = asyncio.ensure_future(server.serve(sockets=[listening]))
        tasks.create_task(to_its_end(work))
        try:
            yield
        finally:
            closing()
            server.should_exit = True


class _Server(uvicorn.Server):
    """A server that leaves signals to the program it is in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
