"""rust-nostr's relay and client (nostr-sdk), ready for a test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

# It ships no types.
sdk: Any = import_module("nostr_sdk.nostr_sdk")

SECONDS = 30.0
WAIT = timedelta(seconds=SECONDS)


@contextmanager
def rust_loop() -> Iterator[None]:
    """Its callbacks come from Rust's threads, which have no event loop of their own."""
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    try:
        yield
    finally:
        sdk.uniffi_set_event_loop(None)


@asynccontextmanager
async def local_relay(*, most_in_an_answer: int | None = None) -> AsyncIterator[tuple[Any, str]]:
    """Run nostr-sdk's `LocalRelay` on a free port; give it and its URL.

    Its usual 60 notes a minute, which is no fault of a test's, are lifted.
    """
    builder = sdk.LocalRelayBuilder()
    builder = builder.rate_limit(sdk.RateLimit(max_reqs=10_000, notes_per_minute=100_000))
    if most_in_an_answer is not None:
        builder = builder.max_filter_limit(most_in_an_answer)
    relay = builder.build()
    with rust_loop():
        async with asyncio.timeout(SECONDS):
            await relay.run()
            url = str(await relay.url())
        try:
            yield relay, url
        finally:
            relay.shutdown()


class Shelf(sdk.NostrDatabase):  # type: ignore[misc]
    """A database for nostr-sdk's client, which comes with none that keeps events."""

    def __init__(self, events: Iterable[Any] = ()) -> None:
        self.events = {event.id().to_hex(): event for event in events}

    async def save_event(self, event: Any) -> Any:
        self.events[event.id().to_hex()] = event
        return sdk.SaveEventStatus.success()

    async def check_id(self, event_id: Any) -> Any:
        status = sdk.DatabaseEventStatus
        return status.SAVED if event_id.to_hex() in self.events else status.NOT_EXISTENT

    async def event_by_id(self, event_id: Any) -> Any:
        return self.events.get(event_id.to_hex())

    async def query(self, wanted: Any) -> list[Any]:
        return [event for event in self.events.values() if wanted.match_event(event)]


@asynccontextmanager
async def rust_client(
    *urls: str, options: Any = None, database: Shelf | None = None, keys: Any = None
) -> AsyncIterator[Any]:
    """Connect nostr-sdk's `Client` to these relays, with its `RelayOptions` and this database.

    With `keys` it says who it is where it is asked (NIP-42).
    """
    with rust_loop():
        builder = sdk.ClientBuilder()
        if keys is not None:
            builder = builder.authenticator(sdk.SignerAuthenticator(keys))
        client = (builder if database is None else builder.database(database)).build()
        try:
            async with asyncio.timeout(2 * SECONDS):
                for url in urls:
                    await client.add_relay(sdk.RelayUrl.parse(url), opts=options)
                await client.connect(WAIT)
            yield client
        finally:
            async with asyncio.timeout(SECONDS):
                await client.shutdown()


def written(
    keys: Any, text: str, *, tags: Sequence[Sequence[str]] = (), created_at: int, kind: int = 1
) -> Any:
    """Build and sign an event with nostr-sdk alone."""
    builder = sdk.EventBuilder(sdk.Kind(kind), text)
    builder = builder.tags([sdk.Tag.parse(list(tag)) for tag in tags])
    return builder.custom_created_at(sdk.Timestamp.from_secs(created_at)).finalize(keys)


async def send_all(url: str, events: Sequence[Any]) -> None:
    """Publish with nostr-sdk's client; every event must be taken."""
    async with rust_client(url) as client, asyncio.timeout(6 * SECONDS):
        for event in events:
            sent = await client.send_event(event)
            assert [len(sent.success), sent.failed] == [1, {}]


async def read_all(url: str, wanted: Any) -> list[Any]:
    """Fetch with nostr-sdk's client."""
    async with rust_client(url) as client, asyncio.timeout(2 * SECONDS):
        found: list[Any] = await client.fetch_events(sdk.ReqTarget.auto([wanted]), WAIT)
    return found
