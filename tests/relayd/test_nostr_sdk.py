"""rust-nostr's client against our relay: a peer that nobody here wrote."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nostr_threads.core.event import Event, verify
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import Author, thread
from tests.relayd.peers import SECONDS, dialled, stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

# It ships no types.
sdk: Any = import_module("nostr_sdk")

ALICE = Author(1)
WAIT = timedelta(seconds=SECONDS)


@asynccontextmanager
async def client_of(relay: RelayServer, *, author: Author | None = None) -> AsyncIterator[Any]:
    # Its callbacks come from Rust's threads, which have no event loop of their own.
    sdk.uniffi_set_event_loop(asyncio.get_running_loop())
    builder = sdk.ClientBuilder()
    if author is not None:
        keys = sdk.Keys.parse(author.secret_hex())
        builder = builder.authenticator(sdk.SignerAuthenticator(keys))
    client = builder.build()
    try:
        async with asyncio.timeout(2 * SECONDS):
            await client.add_relay(sdk.RelayUrl.parse(relay.url))
            await client.connect(WAIT)
        yield client
    finally:
        async with asyncio.timeout(SECONDS):
            await client.shutdown()
        sdk.uniffi_set_event_loop(None)


def written(author: Author, text: str, *, tags: list[list[str]] | None = None) -> Any:
    made = sdk.EventBuilder(sdk.Kind(1), text).tags([sdk.Tag.parse(tag) for tag in tags or []])
    return made.finalize(sdk.Keys.parse(author.secret_hex()))


async def fetch(client: Any, wanted: Any) -> list[str]:
    target = sdk.ReqTarget.auto([wanted])
    async with asyncio.timeout(2 * SECONDS):
        events = await client.fetch_events(target, WAIT)
    return [event.id().to_hex() for event in events]


async def heard(stream: Any, wanted: Callable[[Any], bool]) -> Any:
    while not wanted(seen := await stream.next()):
        assert seen is not None
    return seen


async def test_it_publishes_and_reads_back() -> None:
    event = written(ALICE, "from rust")
    async with RelayServer(stocked()) as relay, client_of(relay) as client:
        async with asyncio.timeout(SECONDS):
            sent = await client.send_event(event)
        assert [len(sent.success), sent.failed] == [1, {}]
        assert await fetch(client, sdk.Filter().id(event.id())) == [event.id().to_hex()]


async def test_it_reads_a_thread_that_we_signed() -> None:
    notes = thread(20, authors=3)
    async with RelayServer(stocked(notes)) as relay, client_of(relay) as client:
        replies = sdk.Filter().event(sdk.EventId.parse(notes[0].id))
        found = await fetch(client, replies)
    assert set(found) == {note.id for note in notes[1:]}


async def test_it_counts() -> None:
    async with (
        RelayServer(stocked(thread(7))) as relay,
        client_of(relay) as client,
        asyncio.timeout(SECONDS),
    ):
        connection = await client.relay(sdk.RelayUrl.parse(relay.url))
        assert connection is not None
        assert await connection.count_events(sdk.Filter().kind(sdk.Kind(1)), WAIT) == 7


async def test_its_live_subscription_gets_what_others_publish() -> None:
    note = ALICE.note("live", int(time.time()))
    async with (
        RelayServer(stocked()) as relay,
        client_of(relay) as client,
        asyncio.timeout(2 * SECONDS),
    ):
        stream = client.notifications()
        await client.subscribe(sdk.ReqTarget.auto([sdk.Filter().kind(sdk.Kind(1))]))
        await heard(stream, lambda seen: seen.is_message() and "EOSE" in seen.message.as_json())
        async with dialled(relay.url) as writer:
            await writer.publish(note)
        seen = await heard(stream, lambda seen: seen.is_new_event())
    assert seen.event.id().to_hex() == note.id


async def test_it_authenticates_where_that_is_required() -> None:
    event = written(ALICE, "members", tags=[["-"]])
    async with (
        RelayServer(stocked(), auth="required") as relay,
        client_of(relay, author=ALICE) as client,
    ):
        async with asyncio.timeout(2 * SECONDS):
            sent = await client.send_event(event)
        assert [len(sent.success), sent.failed] == [1, {}]
        assert await fetch(client, sdk.Filter().author(event.author())) == [event.id().to_hex()]


async def test_it_is_told_why_an_event_was_refused() -> None:
    async with (
        RelayServer(stocked(), accept=lambda _: "read only") as relay,
        client_of(relay) as client,
        asyncio.timeout(2 * SECONDS),
    ):
        sent = await client.send_event(written(ALICE, "no"))
    assert not sent.success
    assert [reason for reason in sent.failed.values() if "blocked: read only" in reason]


def test_both_sides_agree_on_what_was_signed() -> None:
    note = ALICE.note('quotes " \\ and \n lines, 😀', int(time.time()))
    assert sdk.Event.from_json(note.to_json()).verify()
    verify(Event.from_json(written(ALICE, "x").as_json()))
