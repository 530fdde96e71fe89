"""Against nostr-sdk's relay and client: another program on the other side of the socket."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.delivery import Status
from nostr_threads.core.filters import Filter
from nostr_threads.net.relay import Relay, RelayOptions
from nostr_threads.testing import START, Author, thread
from tests.net.peers import ALICE, kept, local_relay, sdk, sign_in

NOTES = Filter(kinds=(1,))
THREAD = thread(40, seed=1)
IDS = {event.id for event in THREAD}


async def stock(relay: Relay, count: int = 40) -> None:
    for event in THREAD[:count]:
        assert (await relay.publish(event))[0] is Status.ACCEPTED


def nip42(mode: str) -> Any:
    options = sdk.LocalRelayBuilderNip42(mode=sdk.LocalRelayBuilderNip42Mode[mode])
    return lambda builder: builder.nip42(options)


async def test_what_was_published_is_fetched() -> None:
    async with local_relay() as url, kept(url) as relay:
        await stock(relay)
        answer = await relay.fetch(NOTES)
        assert (answer.relay, answer.finish, answer.refused) == (url, Finish.COMPLETE, 0)
        assert {event.id for event in answer.events} == IDS
        assert relay.malformed == 0


async def test_paging_goes_beyond_the_relays_limit() -> None:
    async with local_relay(lambda b: b.max_filter_limit(25)) as url, kept(url) as relay:
        await stock(relay)
        answer = await relay.fetch(NOTES)
        assert answer.finish is Finish.COMPLETE
        assert {event.id for event in answer.events} == IDS


async def test_a_second_fuller_than_the_relays_limit_is_limited() -> None:
    crowd = [Author(number).note("at once", START) for number in range(30)]
    async with local_relay(lambda b: b.max_filter_limit(25)) as url, kept(url) as relay:
        for event in crowd:
            await relay.publish(event)
        answer = await relay.fetch(NOTES)
        assert (answer.finish, len(answer.events)) == (Finish.LIMITED, 25)


async def test_what_its_client_publishes_is_read_by_us_and_what_we_publish_by_it() -> None:
    async with local_relay() as url, kept(url) as relay:
        client = sdk.ClientBuilder().build()
        await client.add_relay(sdk.RelayUrl.parse(url))
        await client.connect()
        keys = sdk.Keys.generate()
        theirs = sdk.EventBuilder(sdk.Kind(1), "from nostr-sdk").finalize(keys)
        await client.send_event(theirs)
        assert [event.content for event in (await relay.fetch(NOTES)).events] == ["from nostr-sdk"]
        await relay.publish(THREAD[0])
        ours = sdk.Filter().id(sdk.EventId.parse(THREAD[0].id))
        got = await client.fetch_events(sdk.ReqTarget.auto([ours]))
        assert [event.id().to_hex() for event in got] == [THREAD[0].id]
        await client.shutdown()


async def test_the_second_time_is_a_duplicate() -> None:
    async with local_relay() as url, kept(url) as relay:
        await stock(relay, 1)
        assert (await relay.publish(THREAD[0]))[0] is Status.DUPLICATE


async def test_a_rejection_brings_the_relays_words() -> None:
    async with local_relay(lambda b: b.min_pow(60)) as url, kept(url) as relay:
        status, reason = await relay.publish(THREAD[0])
        assert status is Status.REJECTED
        assert reason.startswith("pow:")


async def test_events_are_counted() -> None:
    """NIP-45."""
    async with local_relay() as url, kept(url) as relay:
        await stock(relay, 7)
        assert await relay.count(NOTES) == 7
        assert await relay.count(Filter(kinds=(1111,))) == 0


async def test_following_brings_what_is_stored_and_then_what_comes_in() -> None:
    async with local_relay() as url, kept(url) as relay, kept(url) as publisher:
        await stock(publisher, 3)
        seen = []
        async with aclosing(relay.follow(NOTES)) as events:
            async for event in events:
                seen.append(event.id)
                if len(seen) == 3:
                    await publisher.publish(THREAD[3])
                if len(seen) == 4:
                    break
        assert seen[3] == THREAD[3].id
        assert set(seen) == {event.id for event in THREAD[:4]}


@pytest.mark.parametrize("mode", ["READ", "WRITE", "BOTH"])
@pytest.mark.parametrize("when", ["ask", "always"])
async def test_it_says_who_it_is_when_the_relay_wants_to_know(mode: str, when: str) -> None:
    """NIP-42, for REQ and for EVENT."""
    options = RelayOptions(auth=when)  # type: ignore[arg-type]  # one of the words it takes
    async with (
        local_relay(nip42(mode)) as url,
        kept(url, options=options, authenticate=sign_in) as relay,
    ):
        own = ALICE.note("mine")
        assert (await relay.publish(own))[0] is Status.ACCEPTED
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.events) == (Finish.COMPLETE, (own,))


async def test_without_a_signer_it_is_refused() -> None:
    async with local_relay(nip42("BOTH")) as url, kept(url) as relay:
        status, reason = await relay.publish(THREAD[0])
        assert (status, reason.partition(":")[0]) == (Status.REJECTED, "auth-required")
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.reason.partition(":")[0]) == (
            Finish.REFUSED,
            "auth-required",
        )


async def test_never_means_that_the_signer_is_not_asked() -> None:
    asked = []

    async def sign(url: str, challenge: str) -> None:
        asked.append((url, challenge))

    never = RelayOptions(auth="never")
    async with (
        local_relay(nip42("BOTH")) as url,
        kept(url, options=never, authenticate=sign) as relay,
    ):
        assert (await relay.fetch(NOTES)).finish is Finish.REFUSED
        assert asked == []


async def test_a_signer_that_declines_is_asked_once_a_challenge() -> None:
    asked = []

    async def sign(url: str, challenge: str) -> None:
        asked.append((url, challenge))

    async with local_relay(nip42("BOTH")) as url, kept(url, authenticate=sign) as relay:
        for _ in range(3):
            assert (await relay.fetch(NOTES)).finish is Finish.REFUSED
        assert len(asked) == len(set(asked))
        assert {place for place, _ in asked} == {url}


async def test_where_there_is_no_relay_it_is_unreachable() -> None:
    async with kept("ws://127.0.0.1:9") as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.events) == (Finish.UNREACHABLE, ())
        assert answer.reason
        assert (await relay.publish(THREAD[0]))[0] is Status.UNREACHABLE
        assert await relay.count(NOTES) is None
