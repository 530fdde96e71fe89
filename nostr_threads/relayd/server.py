"""A relay on a port: sockets and tasks around `relayd.protocol`.

Knows how bytes come and go and how much may wait. Knows nothing of what they mean.

For each client one task reads and one writes. The reader takes the next message only when the
answers to the last one have room in the outbox, so a client that does not read is not served
either; one that also lets live events pile up, or a single send stand still, is cut off.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from nostr_threads.core.wire import encode
from nostr_threads.relayd.conversation import HangUp, Hooks
from nostr_threads.relayd.door import answer_http, refuse
from nostr_threads.relayd.limits import Limits, information
from nostr_threads.relayd.outbox import Outbox
from nostr_threads.relayd.protocol import RelayProtocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from types import TracebackType
    from typing import Self

    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

    from nostr_threads.core.event import Verified
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.relayd.conversation import Conversation, Frame
    from nostr_threads.relayd.limits import AuthPolicy
    from nostr_threads.store.base import Store

__all__ = ["RelayServer"]

_log = logging.getLogger(__name__)

_ANSWERS_WAITING = 64
_LIVE_WAITING = 1024
_OPEN_SECONDS = 5.0
_PING_SECONDS = 20.0
_SEND_SECONDS = 30.0
_CLOSE_SECONDS = 2.0


class _Client:
    """One open socket with its conversation and its outbox."""

    def __init__(self, socket: ServerConnection, conversation: Conversation) -> None:
        self.socket = socket
        self.conversation = conversation
        self.outbox: Outbox[Frame] = Outbox(answers=_ANSWERS_WAITING, live=_LIVE_WAITING)

    def push(self, event: Verified) -> None:
        """Queue a live event; cut the connection when too many wait already."""
        if self.socket.transport.is_closing():
            return
        if not self.outbox.push(self.conversation.broadcast(event)):
            _log.warning("cut a client off: %d messages waited unread", len(self.outbox))
            self.cut()

    def cut(self) -> None:
        """End the connection at once: the reader and the writer both wake up to find it gone."""
        self.socket.transport.abort()


class RelayServer:
    """Serve `store` as a relay on `host`:`port` (0: any free one), as an async context manager.

    `public_url` is the URL clients dial when it is not `url`, as behind a proxy; NIP-42 needs it.
    `origins` are the web pages ("https://…", or "*" for all) whose scripts may connect: without
    it any page open in a browser here could read along. `accept` is the write policy of
    `RelayProtocol`. `clock` tells unix seconds. The store is used from threads, by several clients
    at once, and is not closed.
    """

    def __init__(
        self,
        store: Store,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits = Limits(),  # noqa: B008 - frozen, so it can be shared
        accept: Accept | None = None,
        auth: AuthPolicy = "off",
        public_url: str | None = None,
        name: str = "nostr-threads",
        description: str = "A local archive of Nostr threads.",
        max_connections: int = 64,
        origins: Collection[str] = (),
        clock: Callable[[], float] = time.time,
        hooks: Hooks = Hooks(),  # noqa: B008 - frozen, so it can be shared
    ) -> None:
        self._protocol = RelayProtocol(store, limits, accept, auth)
        self._host, self._port, self._public_url = host, port, public_url
        self._document = information(
            limits,
            name=name,
            description=description,
            auth=auth,
            restricted_writes=accept is not None,
        )
        self._max_connections = max_connections
        self._origins = frozenset(origins)
        self._clock = clock
        self._hooks = hooks
        self._clients: set[_Client] = set()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it listens, `ws://host:port`; the port is known once it has been entered."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}"

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._clients)

    async def __aenter__(self) -> Self:
        self._server = server = await self._serve()
        self._port = server.sockets[0].getsockname()[1]
        urls = frozenset(url for url in (self.url, self._public_url) if url is not None)
        self._protocol = replace(self._protocol, urls=urls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if (server := self._server) is None:
            return
        server.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await server.wait_closed()
        except TimeoutError:
            # Somebody does not read even the farewell.
            self.cut_all()
            await server.wait_closed()

    def broadcast(self, event: Verified) -> None:
        """Send an event to every subscription that it matches. It is not stored. Never waits."""
        for client in tuple(self._clients):
            client.push(event)

    def cut_all(self) -> None:
        """Cut every connection, as when a network goes away."""
        for client in tuple(self._clients):
            client.cut()

    def _serve(self) -> Awaitable[Server]:
        # At DEBUG websockets logs every message with its words.
        logger = logging.getLogger(f"{__name__}.websockets")
        logger.setLevel(logging.INFO)
        return serve(
            self._handle,
            self._host,
            self._port,
            process_request=self._at_the_door,
            # A message a little too long is still answered; what is far too long is not read.
            max_size=2 * self._protocol.limits.max_message_length + 1024,
            max_queue=4,
            compression=None,
            open_timeout=_OPEN_SECONDS,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            logger=logger,
        )

    def _at_the_door(self, _: ServerConnection, request: Request) -> Response | None:
        answer = answer_http(request, self._document)
        if answer is not None:
            return answer
        reason = self._hooks.admit() if self._hooks.admit is not None else None
        origin = request.headers.get("Origin")
        if origin is not None and self._origins.isdisjoint((origin, "*")):
            return refuse(HTTPStatus.FORBIDDEN, "this web page may not read here")
        if len(self._clients) >= self._max_connections:
            reason = "too many connections"
        return refuse(HTTPStatus.SERVICE_UNAVAILABLE, reason) if reason is not None else None

    async def _handle(self, socket: ServerConnection) -> None:
        connection = self._protocol.connect(secrets.token_hex(16))
        converse = self._hooks.converse
        client = _Client(socket, converse(connection) if converse is not None else connection)
        self._clients.add(client)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(client))
                tasks.create_task(self._read(client))
        except* (ConnectionClosed, TimeoutError):
            client.cut()
        except* Exception as failures:  # noqa: BLE001 - one client's failure is not the others'
            # Only the kind: a message may quote what the client sent.
            _log.error("a connection failed: %s", [type(each).__name__ for each in _flat(failures)])
            client.cut()
        finally:
            self._clients.discard(client)

    async def _read(self, client: _Client) -> None:
        loop = asyncio.get_running_loop()
        await client.outbox.put(client.conversation.greet())
        while True:
            data = await client.socket.recv(decode=False)
            answers = await asyncio.to_thread(self._receive, client, data, loop)
            await client.outbox.put(answers)

    def _receive(
        self, client: _Client, data: bytes, loop: asyncio.AbstractEventLoop
    ) -> Sequence[Frame]:
        """Run in a thread: the store may block, and nothing else may meanwhile."""
        answers = client.conversation.receive(data, self._clock())
        # From here, not by the reader: it may be cancelled while the event is being stored, and an
        # event that was stored must be broadcast.
        for event in client.conversation.events_accepted():
            loop.call_soon_threadsafe(self.broadcast, event)
        return answers

    async def _write(self, client: _Client) -> None:
        while True:
            frame = await client.outbox.take()
            if self._hooks.pace is not None:
                await self._hooks.pace()
            async with asyncio.timeout(_SEND_SECONDS):
                if isinstance(frame, HangUp):
                    # Not `cut`: what was sent before is to arrive.
                    client.socket.transport.close()
                    await client.socket.wait_closed()
                    continue
                await client.socket.send(frame if isinstance(frame, str | bytes) else encode(frame))


def _flat(failures: BaseExceptionGroup[Exception]) -> list[BaseException]:
    return [
        leaf
        for each in failures.exceptions
        for leaf in (_flat(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]
