"""What is stored and what comes in, from one relay, over any number of connections.

Knows who reads and how much waits for them. Knows nothing of questions that end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from nostr_threads.core.event import verify
from nostr_threads.core.wire import Closed, prefix_of
from nostr_threads.errors import InvalidEvent
from nostr_threads.net.connection import STOPPED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.session import RelaySession
    from nostr_threads.core.wire import Delivered
    from nostr_threads.net.connection import Connection
    from nostr_threads.net.publishing import Publisher

__all__ = ["Follower"]

# A live subscription that nobody reads holds the reader of its relay back at this many events.
_LIVE_QUEUE = 1000


class Follower:
    """Keeps live subscriptions. `changed` is told how many there are whenever that changes."""

    def __init__(
        self,
        session: RelaySession,
        connection: Connection,
        publisher: Publisher,
        *,
        changed: Callable[[int], None],
    ) -> None:
        self._session = session
        self._connection = connection
        self._publisher = publisher
        self._changed = changed
        self._live: dict[str, asyncio.Queue[Event | Closed]] = {}

    @property
    def is_needed(self) -> bool:
        """Whether anybody follows."""
        return bool(self._live)

    def owns(self, subscription: str) -> bool:
        """Whether a subscription is one of these."""
        return subscription in self._live

    async def follow(self, filters: tuple[Filter, ...]) -> AsyncGenerator[Verified]:
        """Yield events until the relay closes the subscription or no connection is kept."""
        queue: asyncio.Queue[Event | Closed] = asyncio.Queue(_LIVE_QUEUE)
        name = self._listen(filters, queue)
        try:
            while True:
                item = await queue.get()
                if not isinstance(item, Closed):
                    with suppress(InvalidEvent):
                        yield verify(item)
                elif prefix_of(item.reason) == "auth-required" and (
                    await self._publisher.authenticated()
                ):
                    del self._live[name]
                    name = self._listen(filters, queue)
                else:
                    return
        finally:
            del self._live[name]
            self._changed(len(self._live))
            self._session.close(name)
            self._connection.flush()
            # The reader may be waiting for room in it.
            _drain(queue)

    async def heard(self, message: Delivered | Closed) -> None:
        """Hand a message to who follows; waits while too much waits to be read."""
        queue = self._live[message.subscription]
        await queue.put(message if isinstance(message, Closed) else message.event)

    def stopped(self) -> None:
        """End everything: there will be no connection any more."""
        for name, queue in self._live.items():
            _drain(queue)
            queue.put_nowait(Closed(name, STOPPED))

    def _listen(self, filters: tuple[Filter, ...], queue: asyncio.Queue[Event | Closed]) -> str:
        name = self._session.request(filters, live=True)
        self._live[name] = queue
        self._changed(len(self._live))
        self._connection.want()
        self._connection.flush()
        if self._connection.is_stopped:
            queue.put_nowait(Closed(name, STOPPED))
        return name


def _drain(queue: asyncio.Queue[Event | Closed]) -> None:
    while not queue.empty():
        queue.get_nowait()
