"""Websockets behind one small Protocol: the only door to the websockets client.

Knows how to open a connection safely and what its errors mean. Knows nothing of Nostr's messages.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from nostr_threads.core.relay_url import is_local
from nostr_threads.net.public import public_addresses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.client import ClientConnection
    from websockets.http11 import Response

__all__ = [
    "MAX_MESSAGE",
    "Connect",
    "Disconnected",
    "Transport",
    "Unreachable",
    "open_public_websocket",
    "open_websocket",
]

MAX_MESSAGE = 4 * 2**20
"""Bytes of the largest message taken from a relay, after decompression."""

_PING_SECONDS = 20.0
# What may wait to be sent (bytes), and how often that is looked at (seconds).
_MOST_UNSENT = 4 * 2**20
_WATCH_SECONDS = 1.0
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Unreachable(Exception):
    """No connection could be made; the text says why."""


class Disconnected(Exception):
    """The connection has ended; the text says why."""


class Transport(Protocol):
    """One open connection: text out, bytes in.

    `clock_skew` is how many seconds the other end's clock is ahead of ours, to within two; None if
    it did not say.
    """

    @property
    def clock_skew(self) -> float | None: ...  # noqa: D102 - above

    async def send(self, text: str) -> None:
        """Send one message. Raises `Disconnected`."""
        ...

    async def receive(self) -> bytes:
        """Wait for one message. Raises `Disconnected`."""
        ...

    async def close(self) -> None:
        """End the connection. Never raises."""
        ...


Connect: TypeAlias = "Callable[[str, float, str], Awaitable[Transport]]"
"""Given a normalised URL, seconds and a proxy URL ("": the environment's), connect."""


class _Dial(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow no redirect: a relay must not send us to an address that nobody has checked."""
        return exc


class _Websocket:
    def __init__(self, connection: ClientConnection) -> None:
        self.clock_skew = _clock_skew(connection.response, time.time())
        self._connection = connection
        self._socket = connection.transport.get_extra_info("socket")
        self._loop = asyncio.get_running_loop()
        self._watching = self._loop.call_later(_WATCH_SECONDS, self._watch)
        self._is_acknowledging = False

    def _watch(self) -> None:
        """End a connection whose other end does not read.

        Pings are answered whatever the answers pile up to; a relay may send nothing else.
        """
        if self._is_clogged:
            self._connection.transport.abort()
        elif not self._connection.transport.is_closing():
            self._watching = self._loop.call_later(_WATCH_SECONDS, self._watch)

    @property
    def _is_clogged(self) -> bool:
        return self._connection.transport.get_write_buffer_size() > _MOST_UNSENT

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise Disconnected(_why(error)) from None

    async def receive(self) -> bytes:
        # Once for all messages that came together: it costs as much as decoding one.
        if not self._is_acknowledging:
            self._is_acknowledging = True
            self._loop.call_soon(self._acknowledge)
        try:
            # Bytes, not text: the JSON decoder wants UTF-8 and does the checking.
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise Disconnected(_why(error)) from None

    def _acknowledge(self) -> None:
        self._is_acknowledging = False
        _acknowledge(self._socket)

    async def close(self) -> None:
        self._watching.cancel()
        if self._is_clogged:
            self._connection.transport.abort()
        await self._connection.close()


async def open_websocket(url: str, seconds: float, proxy: str = "") -> Transport:
    """Connect to a normalised relay URL within `seconds`. Raises `Unreachable`.

    TLS is verified. Messages over `MAX_MESSAGE` bytes end the connection.
    """
    return await _open(url, seconds, proxy)


async def open_public_websocket(url: str, seconds: float, proxy: str = "") -> Transport:
    """Connect as `open_websocket` does, to public addresses alone: for relays strangers name.

    Where a proxy resolves the name, it is for the proxy to say where one may go.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    try:
        place = parse_uri(url)
        if proxy or get_proxy(place) is not None:
            return await _open(url, seconds, proxy)
        async with asyncio.timeout_at(end):
            addresses = await public_addresses(place.host, place.port)
    except (OSError, WebSocketException, TimeoutError, ValueError) as error:
        raise Unreachable(_reason(error)) from None
    failure = Unreachable("no connection in time")
    for address in addresses:
        try:
            return await _open(url, end - loop.time(), host=address)
        except Unreachable as error:
            failure = error
    raise failure


async def _open(url: str, seconds: float, proxy: str = "", *, host: str | None = None) -> Transport:
    """Connect; to `host`, which is an address of the URL's, where there is one."""
    local = is_local(url)
    directly: dict[str, Any] = {} if host is None else {"host": host}
    try:
        connection = await _Dial(
            url,
            open_timeout=seconds,
            close_timeout=1.0,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            max_size=MAX_MESSAGE,
            # Compression halves the rate of reading, and saves nothing on one machine.
            compression=None if local else "deflate",
            proxy=proxy or (None if local or directly else True),
            **directly,
        )
    except (OSError, WebSocketException, TimeoutError, ValueError, ImportError) as error:
        reason = _reason(error)
        # A proxy's URL may hold a password.
        raise Unreachable(reason.replace(proxy, "the proxy") if proxy else reason) from None
    return _Websocket(connection)


def _clock_skew(response: Response | None, now: float) -> float | None:
    """How far the `Date` of a handshake's answer, which has just come, is ahead of `now`."""
    dates = response.headers.get_all("Date") if response is not None else []
    if len(dates) != 1:
        return None
    try:
        said = parsedate_to_datetime(dates[0])
        seconds = said.replace(tzinfo=said.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    # It tells whole seconds, and the rest of them has passed unsaid.
    return seconds + 0.5 - now


def _acknowledge(tcp: socket.socket) -> None:
    """Acknowledge what has come without the usual delay of 40 ms.

    A relay that leaves Nagle's algorithm on holds the tail of each answer back until then. The
    system forgets the wish with every read, and only Linux grants it.
    """
    if _QUICK_ACK is not None:
        # The socket may be closed, which the next read tells.
        with suppress(OSError):
            tcp.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


def _why(error: ConnectionClosed) -> str:
    frame = error.rcvd or error.sent
    if frame is None:
        return "connection lost"
    return f"connection closed ({frame.code}{': ' + frame.reason if frame.reason else ''})"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror):
        return "no such host"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
