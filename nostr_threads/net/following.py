"""What is stored and what comes in, from one relay, over any number of connections.

Knows who reads and how much waits for them. Knows nothing of questions that end.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.event import verify
from nostr_threads.core.messages import Closed, Delivered, Eose
from nostr_threads.core.wire import prefix_of
from nostr_threads.errors import InvalidEvent
from nostr_threads.net.connection import STOPPED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.session import RelaySession
    from nostr_threads.net.connection import Connection
    from nostr_threads.net.publishing import Publisher

__all__ = ["Follower"]

# A live subscription that nobody reads holds the reader of its relay back at this many events, or
# bytes of them: what is decoded takes some times as much.
_LIVE_QUEUE = 1000
_LIVE_BYTES = 8 * 2**20
# Times that a relay may want to know who is there before it is taken at its word that it says no.
_MOST_SIGN_INS = 3


@dataclass(slots=True, eq=False)
class _Following:
    """A live subscription, and what waits to be read of it."""

    filters: tuple[Filter, ...]
    listening: Callable[[], None]
    closed: Callable[[str], None]
    largest: int
    queue: asyncio.Queue[tuple[Event | Closed, int]] = field(
        default_factory=lambda: asyncio.Queue(_LIVE_QUEUE)
    )
    size: int = 0
    has_room: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, item: Event | Closed, size: int) -> None:
        """Add something of `size` bytes; waits while too much waits to be read."""
        while self.size >= _LIVE_BYTES:
            self.has_room.clear()
            await self.has_room.wait()
        self.size += size
        await self.queue.put((item, size))

    async def get(self) -> Event | Closed:
        item, size = await self.queue.get()
        self.size -= size
        self.has_room.set()
        return item

    def end(self, name: str) -> None:
        """Say that nothing more comes, instead of all that waits."""
        self.drain()
        self.queue.put_nowait((Closed(name, STOPPED), 0))

    def drain(self) -> None:
        """Forget what waits: a reader may be waiting for room."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.size = 0
        self.has_room.set()


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
        self,
        filters: tuple[Filter, ...],
        listening: Callable[[], None],
        closed: Callable[[str], None],
        largest: int,
    ) -> AsyncGenerator[Verified]:
        """Yield events until the relay closes the subscription or no connection is kept.

        `listening` is called on each connection, once all that is stored was sent; `closed` is told
        in the relay's words why it is over. Messages of more than `largest` bytes are passed over.
        """
        following = _Following(filters, listening, closed, largest)
        name = self._listen(following)
        sign_ins = 0
        try:
            while True:
                item = await following.get()
                if not isinstance(item, Closed):
                    with suppress(InvalidEvent):
                        yield verify(item)
                elif self._asks_who(item) and sign_ins < _MOST_SIGN_INS and await self._signed_in():
                    sign_ins += 1
                    del self._live[name]
                    name = self._listen(following)
                else:
                    closed(item.reason)
                    return
        finally:
            del self._live[name]
            self._changed(len(self._live))
            self._session.close(name)
            self._connection.flush()
            # The reader may be waiting for room in it.
            following.drain()

    async def heard(self, message: Delivered | Eose | Closed, size: int) -> None:
        """Hand a message of `size` bytes to who follows."""
        following = self._live[message.subscription]
        match message:
            case Eose():
                following.listening()
            case Closed():
                await following.put(message, 0)
            case Delivered() if size <= following.largest:
                await following.put(message.event, size)

    def stopped(self) -> None:
        """End everything: there will be no connection any more."""
        for name, following in self._live.items():
            following.end(name)

    @staticmethod
    def _asks_who(closed: Closed) -> bool:
        return prefix_of(closed.reason) == "auth-required"

    async def _signed_in(self) -> bool:
        return await self._publisher.authenticated()

    def _listen(self, following: _Following) -> str:
        name = self._session.request(following.filters, live=True)
        self._live[name] = following
        self._changed(len(self._live))
        self._connection.want()
        self._connection.flush()
        if self._connection.is_stopped:
            following.end(name)
        return name
