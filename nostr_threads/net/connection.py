"""A connection that is there when it is wanted: made, kept, lost, and made again.

Drives a `RelaySession` with one reader and one writer task. Knows when there is a connection and
why not; what the messages mean to whoever waits for them is `relay`'s to know.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from nostr_threads.net.transport import Disconnected, Unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.messages import Malformed, RelayMessage
    from nostr_threads.core.session import RelaySession
    from nostr_threads.net.transport import Transport

__all__ = ["STOPPED", "Connection", "Listener", "pause"]

STOPPED = "the connection is no longer kept"
_BACKOFF_SECONDS = 60.0
# A connection that does not last is as good as none: the next pause is longer.
_STEADY_SECONDS = 5.0


class Listener(Protocol):
    """Who is told what happens on a connection."""

    async def heard(self, message: RelayMessage | Malformed, size: int) -> None:
        """Take a message of `size` bytes; until it returns nothing more is read."""
        ...

    def ended(self) -> None:
        """Let go of everything that waited for an answer on the connection that has just ended."""
        ...

    def stopped(self) -> None:
        """Let go of everything: there will be no connection any more."""
        ...

    def follows(self) -> bool:
        """Whether a connection is wanted for as long as it takes."""
        ...


class Connection:
    """Keeps a connection while it is wanted. `run` must be running for `ready` to return.

    `connect` opens one or raises `Unreachable`; `jitter` gives numbers from 0 to 1, so that many
    clients do not come back in step. `failure` says why there is none, once that is known; `lost`
    counts connections that have ended; `is_used` tells whether anything was sent on this one.
    """

    def __init__(
        self,
        session: RelaySession,
        listener: Listener,
        *,
        connect: Callable[[], Awaitable[Transport]],
        jitter: Callable[[], float],
    ) -> None:
        self.failure: str | None = None
        self.lost = 0
        self.is_stopped = False
        self.is_used = False
        self._session = session
        self._listener = listener
        self._connect = connect
        self._jitter = jitter
        self._wanted = asyncio.Event()
        self._settled = asyncio.Event()
        self._writable = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._settled.is_set() and self.failure is None

    @property
    def why_not(self) -> str:
        """Why there is no connection, in words."""
        return self.failure or "no connection"

    async def run(self) -> None:
        """Keep the connection while it is wanted. Runs until cancelled; never raises by itself."""
        try:
            await self._keep()
        finally:
            self.failure, self.is_stopped = STOPPED, True
            self._settled.set()
            self._listener.stopped()

    async def ready(self) -> bool:
        """Wait until there is a connection, or it is known that there is none."""
        if not self.is_stopped:
            self.want()
        await self._settled.wait()
        return self.is_open

    def want(self) -> None:
        """Ask for a connection, if there is none; what is known of the last try counts no more."""
        if not self._wanted.is_set():
            self._settled.clear()
            self._wanted.set()

    def flush(self) -> None:
        """Send what the session has to send."""
        self.is_used = self.is_open
        self._writable.set()

    async def _keep(self) -> None:
        failures = 0
        while True:
            await self._wanted.wait()
            transport = await self._open()
            began = asyncio.get_running_loop().time()
            if transport is not None:
                await self._talk(transport)
            if asyncio.get_running_loop().time() - began >= _STEADY_SECONDS:
                failures = 0
            if self._listener.follows() and not self._wanted.is_set():
                # Whoever wants the connection for something else ends the pause.
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause(failures, self._jitter())):
                        await self._wanted.wait()
                failures += 1
                self.want()

    async def _open(self) -> Transport | None:
        try:
            transport = await self._connect()
        except Unreachable as error:
            self.failure = str(error)
            self._wanted.clear()
            self._settled.set()
            return None
        self.failure, self.is_used = None, False
        self._session.connected()
        self._writable.set()
        self._settled.set()
        return transport

    async def _talk(self, transport: Transport) -> None:
        """Read and write until the connection ends, then end everything that waited for it."""
        writer = asyncio.create_task(self._write(transport))
        try:
            with suppress(Disconnected):
                while True:
                    data = await transport.receive()
                    message = self._session.receive(data)
                    if message is not None:
                        await self._listener.heard(message, len(data))
        finally:
            # At once, before anything waits: whoever asks from here on wants a new connection.
            self._settled.clear()
            self._wanted.clear()
            self.lost += 1
            self._listener.ended()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await transport.close()

    async def _write(self, transport: Transport) -> None:
        with suppress(Disconnected):
            while True:
                await self._writable.wait()
                self._writable.clear()
                for text in self._session.outgoing():
                    await transport.send(text)


def pause(failures: int, jitter: float) -> float:
    """Return the seconds before the next try: doubling, capped, out of step with other clients."""
    return min(_BACKOFF_SECONDS, 2.0 ** min(failures, 10)) * (0.5 + jitter / 2)
