"""What the tests of relays need: a store, a conversation without a socket, and one with."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection as Socket
from websockets.asyncio.client import connect

from nostr_threads.core.messages import Closed, Delivered, Eose, Malformed, Ok, Publish, Request
from nostr_threads.core.wire import decode_relay_message, encode
from nostr_threads.relayd.limits import Limits
from nostr_threads.relayd.protocol import ClientConnection, RelayProtocol
from nostr_threads.relayd.readers import Readers
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.messages import ClientMessage, RelayMessage
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.relayd.limits import AuthPolicy
    from nostr_threads.store.base import Store

NOW = START + 1_000_000
CHALLENGE = "challenge"
URL = "ws://relay.example"
SECONDS = 30.0


STOCKED: list[Store] = []
"""The stores that `stocked` made and that are open still."""


def stocked(events: Iterable[Verified] = ()) -> Store:
    """Return a store in memory that holds `events`; it is closed when the test is over."""
    store: Store = SqliteStore(":memory:")
    STOCKED.append(store)
    store.add(events, relay=None, now=NOW)
    return store


def connected(
    events: Iterable[Verified] = (),
    *,
    limits: Limits | None = None,
    accept: Accept | None = None,
    auth: AuthPolicy = "off",
    members: frozenset[str] | None = None,
    searches: bool = False,
    store: Store | None = None,
) -> ClientConnection:
    """Return one client's conversation with a relay at `URL`."""
    opened = store or stocked(events)
    relay = RelayProtocol(
        opened,
        Readers([opened]),
        limits or Limits(),
        accept,
        auth,
        members,
        frozenset((URL,)),
        lambda: searches,
    )
    return relay.connect(CHALLENGE)


def say(client: ClientConnection, message: ClientMessage, now: float = NOW) -> list[RelayMessage]:
    """Send one message into a conversation."""
    return [*client.receive(encode(message), now)]


def published(client: ClientConnection, event: Event, now: float = NOW) -> Ok:
    """Publish into a conversation; return the OK."""
    (ok,) = say(client, Publish(event), now)
    assert isinstance(ok, Ok)
    assert ok.event_id == event.id
    return ok


def asked(
    client: ClientConnection, *filters: Filter, now: float = NOW
) -> tuple[list[str], Eose | Closed]:
    """Ask in a conversation; return the ids of the events, in order, and the ending."""
    return split(say(client, Request("sub", filters), now))


def split(messages: Sequence[RelayMessage]) -> tuple[list[str], Eose | Closed]:
    """Return an answer's ids, in order, and its ending."""
    *events, ending = messages
    assert isinstance(ending, Eose | Closed)
    assert all(isinstance(each, Delivered) for each in events)
    return [each.event.id for each in events if isinstance(each, Delivered)], ending


class Peer:
    """A client on a socket that says and hears one message at a time."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def say(self, message: ClientMessage | str | bytes) -> None:
        """Send a message, or raw text or bytes."""
        raw = message if isinstance(message, str | bytes) else encode(message)
        async with asyncio.timeout(SECONDS):
            await self.socket.send(raw)

    async def hear_raw(self) -> str | bytes:
        """Wait for the next message, as it came."""
        async with asyncio.timeout(SECONDS):
            return await self.socket.recv()

    async def hear(self) -> RelayMessage:
        """Wait for the next message; it must be one."""
        message = decode_relay_message(await self.hear_raw())
        assert not isinstance(message, Malformed), message
        return message

    async def publish(self, event: Event) -> RelayMessage:
        """Publish and return what comes next."""
        await self.say(Publish(event))
        return await self.hear()

    async def ask(self, *filters: Filter, name: str = "sub") -> tuple[list[Event], RelayMessage]:
        """Ask and return the events and the ending."""
        await self.say(Request(name, filters))
        events: list[Event] = []
        while isinstance(message := await self.hear(), Delivered):
            events.append(message.event)
        return events, message


@asynccontextmanager
async def dialled(url: str) -> AsyncIterator[Peer]:
    """Connect to a relay."""
    async with connect(url, compression=None, open_timeout=SECONDS, close_timeout=1) as socket:
        yield Peer(socket)
