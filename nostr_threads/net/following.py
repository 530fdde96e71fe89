"""What is stored and what comes in, from one relay, over any number of connections.

Knows who reads and how much waits for them. Knows nothing of questions that end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.event import verify
from nostr_threads.core.wire import Closed, Eose, prefix_of
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


@dataclass(frozen=True, slots=True)
class _Following:
    filters: tuple[Filter, ...]
    queue: asyncio.Queue[Event | Closed]
    listening: Callable[[], None]


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
        self._live: dict[str, _Following] = {}

    @property
    def is_needed(self) -> bool:
        """Whether anybody follows."""
        return bool(self._live)

    def owns(self, subscription: str) -> bool:
        """Whether a subscription is one of these."""
        return subscription in self._live

    async def follow(
        self, filters: tuple[Filter, ...], listening: Callable[[], None]
    ) -> AsyncGenerator[Verified]:
        """Yield events until the relay closes the subscription or no connection is kept.

        `listening` is called on each connection, once all that is stored was sent.
        """
        queue: asyncio.Queue[Event | Closed] = asyncio.Queue(_LIVE_QUEUE)
        following = _Following(filters, queue, listening)
        name = self._listen(following)
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
                    name = self._listen(following)
                else:
                    return
        finally:
            del self._live[name]
            self._changed(len(self._live))
            self._session.close(name)
            self._connection.flush()
            # The reader may be waiting for room in it.
            _drain(queue)

    async def heard(self, message: Delivered | Eose | Closed) -> None:
        """Hand a message to who follows; waits while too much waits to be read."""
        following = self._live[message.subscription]
        if isinstance(message, Eose):
            following.listening()
        else:
            await following.queue.put(message if isinstance(message, Closed) else message.event)

    def stopped(self) -> None:
        """End everything: there will be no connection any more."""
        for name, following in self._live.items():
            _drain(following.queue)
            following.queue.put_nowait(Closed(name, STOPPED))

    def _listen(self, following: _Following) -> str:
        name = self._session.request(following.filters, live=True)
        self._live[name] = following
        self._changed(len(self._live))
        self._connection.want()
        self._connection.flush()
        if self._connection.is_stopped:
            following.queue.put_nowait(Closed(name, STOPPED))
        return name


def _drain(queue: asyncio.Queue[Event | Closed]) -> None:
    while not queue.empty():
        queue.get_nowait()
