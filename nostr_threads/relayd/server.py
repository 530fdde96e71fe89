"""A relay on a port: sockets and tasks around `relayd.protocol`.

Knows how bytes come and go and how much may wait. Knows nothing of what they mean.

For each client one task reads and one writes. The reader takes the next message only when the
answers to the last one have room in the outbox, and reads no further in the store meanwhile, so a
client that does not read is not served either; one that also lets live events pile up, or a single
send stand still, is cut off. Whatever takes time is done in threads, which clients have in `turns`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from socket import SO_SNDBUF, SOL_SOCKET
from typing import TYPE_CHECKING

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from nostr_threads.core import kinds
from nostr_threads.relayd.conversation import Hooks
from nostr_threads.relayd.door import answer_http, refuse
from nostr_threads.relayd.following import Follower
from nostr_threads.relayd.limits import Limits, information
from nostr_threads.relayd.protocol import RelayProtocol
from nostr_threads.relayd.readers import Readers
from nostr_threads.relayd.turns import Turns
from nostr_threads.relayd.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from types import TracebackType
    from typing import Self

    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

    from nostr_threads.core.event import Verified
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.relayd.conversation import Frame
    from nostr_threads.relayd.limits import AuthPolicy
    from nostr_threads.store.base import Store

__all__ = ["RelayServer"]

_log = logging.getLogger(__name__)

_LEAST_THREADS = 4
_SYSTEM_BYTES = 2**17
_OPEN_SECONDS = 5.0
_PING_SECONDS = 20.0
_SEND_SECONDS = 30.0
_CLOSE_SECONDS = 2.0


class RelayServer:
    """Serve `store` as a relay on `host`:`port` (0: any free one), as an async context manager.

    `public_url` is the URL clients dial when it is not `url`, as behind a proxy; NIP-42 needs it.
    `origins` are the web pages ("https://…", or "*" for all) whose scripts may connect: without
    it any page open in a browser here could read along. `accept` is the write policy of
    `RelayProtocol`, and so are `members` and `searches`. `clock` tells unix seconds. With `follow`
    what others store goes live, too: the store is looked into every so many seconds.

    The store is used from threads, by several clients at once. `readers` are further connections to
    it, so that a question need not wait for another one. Nothing of them is closed here.
    """

    def __init__(
        self,
        store: Store,
        *,
        readers: Sequence[Store] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits = Limits(),  # noqa: B008 - frozen, so it can be shared
        accept: Accept | None = None,
        auth: AuthPolicy = "off",
        members: frozenset[str] | None = None,
        searches: Callable[[], bool] = bool,
        follow: float | None = None,
        public_url: str | None = None,
        name: str = "nostr-threads",
        description: str = "A local archive of Nostr threads.",
        max_connections: int = 64,
        origins: Collection[str] = (),
        clock: Callable[[], float] = time.time,
        hooks: Hooks = Hooks(),  # noqa: B008 - frozen, so it can be shared
    ) -> None:
        self._turns = Turns(max(len(readers), _LEAST_THREADS))
        self._protocol = RelayProtocol(
            store,
            Readers(readers or [store]),
            limits,
            accept,
            auth,
            members,
            searches=searches,
            patience=self._turns.patience,
        )
        self._follower = None if follow is None else Follower(store, seconds=follow, clock=clock)
        self._host, self._port, self._public_url = host, port, public_url
        self._name, self._description = name, description
        self._max_connections = max_connections
        self._origins = frozenset(origins)
        self._clock = clock
        self._hooks = hooks
        self._visitors: set[Visitor] = set()
        self._server: Server | None = None
        self._leaving = AsyncExitStack()

    @property
    def url(self) -> str:
        """Where it listens, `ws://host:port`; the port is known once it has been entered."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}"

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._visitors)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.callback(self._turns.close)
            server = await self._serve()
            stack.push_async_callback(self._close, server)
            self._port = server.sockets[0].getsockname()[1]
            urls = frozenset(url for url in (self.url, self._public_url) if url is not None)
            self._protocol = replace(self._protocol, urls=urls)
            if self._follower is not None:
                following = asyncio.create_task(self._follower.run(self._visitors))
                following.add_done_callback(_told)
                stack.push_async_callback(_ended, following)
            self._leaving = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leaving.aclose()

    async def _close(self, server: Server) -> None:
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
        for visitor in tuple(self._visitors):
            visitor.push(visitor.conversation.broadcast(event))

    def cut_all(self) -> None:
        """Cut every connection, as when a network goes away."""
        for visitor in tuple(self._visitors):
            visitor.cut()

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
            max_size=self._protocol.limits.max_message_length * 5 // 4 + 1024,
            max_queue=1,
            compression=None,
            open_timeout=_OPEN_SECONDS,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            logger=logger,
        )

    def _at_the_door(self, _: ServerConnection, request: Request) -> Response | None:
        answer = answer_http(request, self._document())
        if answer is not None:
            return answer
        reason = self._hooks.admit() if self._hooks.admit is not None else None
        origin = request.headers.get("Origin")
        if origin is not None and self._origins.isdisjoint((origin, "*")):
            return refuse(HTTPStatus.FORBIDDEN, "this web page may not read here")
        if len(self._visitors) >= self._max_connections:
            reason = "too many connections"
        return refuse(HTTPStatus.SERVICE_UNAVAILABLE, reason) if reason is not None else None

    def _document(self) -> dict[str, object]:
        relay = self._protocol
        return information(
            relay.limits,
            name=self._name,
            description=self._description,
            auth=relay.auth,
            restricted_writes=relay.accept is not None,
            searches=relay.searches(),
        )

    async def _handle(self, socket: ServerConnection) -> None:
        # Else the system would hold megabytes for each client that does not read.
        socket.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, _SYSTEM_BYTES)
        connection = self._protocol.connect(secrets.token_hex(16))
        converse = self._hooks.converse
        visitor = Visitor(socket, converse(connection) if converse is not None else connection)
        self._visitors.add(visitor)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(visitor))
                tasks.create_task(self._read(visitor))
                tasks.create_task(self._watch(visitor))
        except* (ConnectionClosed, TimeoutError):
            visitor.cut()
        except* Exception as failures:  # noqa: BLE001 - one client's failure is not the others'
            # Only the kind: a message may quote what the client sent.
            _log.error("a connection failed: %s", [type(each).__name__ for each in _flat(failures)])
            visitor.cut()
        finally:
            self._visitors.discard(visitor)

    async def _watch(self, visitor: Visitor) -> None:
        """Notice that a client is gone, also while it waits for its turn."""
        await visitor.socket.wait_closed()
        raise ConnectionClosedOK(None, None)

    async def _read(self, visitor: Visitor) -> None:
        loop = asyncio.get_running_loop()
        await visitor.outbox.put(visitor.conversation.greet())
        while True:
            begin = partial(self._receive, visitor, await visitor.hear(), loop)
            frames, goes_on = await self._turns.run(visitor.share, begin)
            await visitor.outbox.put(frames)
            while goes_on:
                frames, goes_on = await self._turns.run(visitor.share, visitor.more)
                await visitor.outbox.put(frames)

    def _receive(
        self, visitor: Visitor, data: bytes, loop: asyncio.AbstractEventLoop
    ) -> tuple[Sequence[Frame], bool]:
        """Run in a thread: the store may block, and nothing else may meanwhile."""
        visitor.answer(visitor.conversation.receive(data, self._clock()))
        # From here, not by the reader: it may be cancelled while the event is being stored, and an
        # event that was stored must be broadcast.
        for event in visitor.conversation.events_accepted():
            loop.call_soon_threadsafe(self._announce, event)
        return visitor.more()

    def _announce(self, event: Verified) -> None:
        """Send an event that was accepted, unless whoever follows the store is to find it there."""
        if self._follower is None or kinds.is_ephemeral(event.kind):
            self.broadcast(event)
        else:
            self._follower.wake()

    async def _write(self, visitor: Visitor) -> None:
        while True:
            frame = await visitor.outbox.take()
            if self._hooks.pace is not None:
                await self._hooks.pace()
            async with asyncio.timeout(_SEND_SECONDS):
                await visitor.send(frame)


def _told(task: asyncio.Task[None]) -> None:
    """Say that nothing goes live any more, which nobody else would notice."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("what others store is followed no more: %s", type(error).__name__)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _flat(failures: BaseExceptionGroup[Exception]) -> list[BaseException]:
    return [
        leaf
        for each in failures.exceptions
        for leaf in (_flat(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]
