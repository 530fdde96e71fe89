"""What tests of connections need: relays of other makers, scripted ones, a bound on time."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import serve

from nostr_threads.net.pool import Pool
from nostr_threads.net.relay import Relay, RelayOptions, Timeouts
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Author, Faults, FaultyRelay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from websockets.asyncio.server import ServerConnection

    from nostr_threads.core.event import Verified
    from nostr_threads.net.relay import Authenticate, LimitsOf
    from nostr_threads.net.transport import Connect
    from nostr_threads.relayd.limits import Limits

sdk: Any = import_module("nostr_sdk")

SECONDS = 20.0
"""No test of connections takes longer."""

PATIENT = Timeouts(connect=5.0, idle=5.0, answer=10.0, ok=5.0)
BRIEF = Timeouts(connect=2.0, idle=0.2, answer=1.0, ok=0.2)
"""For tests that wait for a deadline."""

ALICE = Author(1)


@asynccontextmanager
async def kept(
    url: str,
    *,
    timeouts: Timeouts = PATIENT,
    options: RelayOptions | None = None,
    authenticate: Authenticate | None = None,
    limits_of: LimitsOf | None = None,
    connect: Connect | None = None,
    jitter: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[Relay]:
    """Run one relay, and see to it that nothing is left of it."""
    given: dict[str, Any] = {} if connect is None else {"connect": connect}
    relay = Relay(
        url,
        options=options,
        timeouts=timeouts,
        authenticate=authenticate,
        limits_of=limits_of,
        jitter=jitter,
        **given,
    )
    async with asyncio.timeout(SECONDS):
        running = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def pooled(timeouts: Timeouts = PATIENT) -> AsyncIterator[Pool]:
    """Run a pool."""
    async with asyncio.timeout(SECONDS), Pool(timeouts=timeouts) as pool:
        yield pool


@asynccontextmanager
async def faulty(
    faults: Faults | None = None,
    events: Iterable[Verified] = (),
    *,
    limits: Limits | None = None,
) -> AsyncIterator[FaultyRelay]:
    """Run our own relay with faults, over `events`."""
    given: dict[str, Any] = {} if limits is None else {"limits": limits}
    with SqliteStore(":memory:") as store:
        store.add(events, relay=None, now=int(time.time()))
        async with FaultyRelay(store, faults or Faults(), **given) as relay:
            yield relay


@asynccontextmanager
async def local_relay(build: Callable[[Any], Any] = lambda builder: builder) -> AsyncIterator[str]:
    """Run nostr-sdk's relay, built as `build` says; its URL."""
    relay = build(sdk.LocalRelayBuilder()).build()
    await relay.run()
    try:
        yield str(await relay.url()).rstrip("/")
    finally:
        relay.shutdown()


@asynccontextmanager
async def scripted(
    answer: Callable[[ServerConnection, list[Any]], Awaitable[None]],
) -> AsyncIterator[str]:
    """Run a websocket server that calls `answer` for each message, given as JSON; its URL."""

    async def handle(socket: ServerConnection) -> None:
        async for text in socket:
            await answer(socket, json.loads(text))

    async with serve(handle, "127.0.0.1", 0, compression=None, close_timeout=0.2) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def sign_in(url: str, challenge: str) -> Verified | None:
    """Authenticate as Alice (NIP-42)."""
    return ALICE.authentication(url, challenge, int(time.time()))


def event_text(name: str, event: Verified) -> str:
    """The message that delivers an event."""
    return f'["EVENT","{name}",{event.to_json()}]'
