"""The relay on a real socket: streaming, slow readers, failures, shutdown, NIP-11 over HTTP."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Auth,
    AuthChallenge,
    Closed,
    Count,
    CountResult,
    Delivered,
    Eose,
    Notice,
    Ok,
    Publish,
    Request,
    Tally,
)
from nostr_threads.relayd import Limits, RelayServer
from nostr_threads.relayd.conversation import Hooks
from nostr_threads.testing import START, Author, ManualClock, thread
from tests.relayd.peers import NOW, SECONDS, Peer, dialled, stocked

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.relayd.protocol import ClientConnection

ALICE = Author(1)
ALL = Filter(kinds=(1,))
DOCUMENT = {"Accept": "application/nostr+json"}


def clock() -> float:
    return float(NOW)


async def test_what_one_client_publishes_another_reads_and_sees_live() -> None:
    notes = thread(3)
    async with (
        RelayServer(stocked(), clock=clock) as relay,
        dialled(relay.url) as writer,
        dialled(relay.url) as reader,
    ):
        assert await writer.publish(notes[0]) == Ok(notes[0].id, True, "")
        assert await reader.ask(ALL) == ([notes[0]], Eose("sub", ("finish",)))
        assert await writer.publish(notes[1]) == Ok(notes[1].id, True, "")
        assert await reader.hear() == Delivered("sub", notes[1])
        await reader.say(Count("c", (ALL,)))
        assert await reader.hear() == CountResult("c", Tally(2))


async def test_an_event_published_by_a_client_that_leaves_at_once_still_goes_live() -> None:
    note = ALICE.note("bye")
    async with RelayServer(stocked(), clock=clock) as relay, dialled(relay.url) as reader:
        await reader.ask(ALL)
        async with dialled(relay.url) as writer:
            await writer.say(Publish(note))
        assert await reader.hear() == Delivered("sub", note)


async def test_the_program_itself_may_broadcast() -> None:
    note = ALICE.note("from the store")
    async with RelayServer(stocked(), clock=clock) as relay, dialled(relay.url) as reader:
        await reader.ask(ALL)
        relay.broadcast(note)
        assert await reader.hear() == Delivered("sub", note)


async def test_what_is_accepted_goes_live_once_and_at_once_where_the_store_is_followed() -> None:
    note, passing = ALICE.note("kept"), ALICE.event(20_001, "passing")
    async with (
        RelayServer(stocked(), clock=clock, follow=3600) as relay,
        dialled(relay.url) as writer,
        dialled(relay.url) as reader,
    ):
        await reader.ask(Filter(authors=(ALICE.pubkey,)))
        for event in (note, passing):
            assert await writer.publish(event) == Ok(event.id, True, "")
            assert await reader.hear() == Delivered("sub", event)
        assert (await reader.ask(Filter(limit=0), name="other"))[1] == Eose("other", ("more",))


async def test_what_others_store_goes_live_in_the_order_of_storing() -> None:
    store = stocked(thread(3))
    notes = [ALICE.note(f"{number}", START - number) for number in range(250)]
    async with (
        RelayServer(store, clock=clock, follow=0.01) as relay,
        dialled(relay.url) as reader,
    ):
        await reader.ask(Filter(authors=(ALICE.pubkey,), limit=0))
        await asyncio.to_thread(store.add, notes, relay=None, now=NOW)
        assert [await reader.hear() for _ in notes] == [Delivered("sub", note) for note in notes]


async def test_a_long_answer_arrives_whole_and_in_order() -> None:
    notes = [ALICE.note(f"{number}", START + number) for number in range(1500)]
    async with RelayServer(stocked(notes), clock=clock) as relay, dialled(relay.url) as reader:
        events, ending = await reader.ask(Filter(kinds=(1,), limit=5000))
    assert [event.id for event in events] == [note.id for note in reversed(notes)]
    assert ending == Eose("sub", ("finish",))


async def test_the_clock_decides_what_is_too_far_in_the_future() -> None:
    time = ManualClock(START)
    note = ALICE.note("soon", START + 1000)
    async with RelayServer(stocked(), clock=time) as relay, dialled(relay.url) as writer:
        refused = await writer.publish(note)
        assert isinstance(refused, Ok)
        assert not refused.accepted
        time.advance(100)
        assert await writer.publish(note) == Ok(note.id, True, "")


async def test_each_connection_has_its_own_challenge_and_authentication() -> None:
    async with (
        RelayServer(stocked(), auth="required", clock=clock) as relay,
        dialled(relay.url) as known,
        dialled(relay.url) as stranger,
    ):
        hello, other = await known.hear(), await stranger.hear()
        assert isinstance(hello, AuthChallenge)
        assert isinstance(other, AuthChallenge)
        assert hello.challenge != other.challenge
        proof = ALICE.authentication(relay.url, hello.challenge, NOW)
        await known.say(Auth(proof))
        assert await known.hear() == Ok(proof.id, True, "")
        assert (await known.ask(ALL))[1] == Eose("sub", ("finish",))
        assert isinstance((await stranger.ask(ALL))[1], Closed)


async def test_a_relay_behind_a_proxy_is_known_by_its_public_url() -> None:
    public = "wss://relay.example"
    server = RelayServer(stocked(), auth="offered", public_url=public, clock=clock)
    async with server as relay, dialled(relay.url) as client:
        hello = await client.hear()
        assert isinstance(hello, AuthChallenge)
        proof = ALICE.authentication(public, hello.challenge, NOW)
        await client.say(Auth(proof))
        assert await client.hear() == Ok(proof.id, True, "")


async def test_the_connection_outlives_what_cannot_be_read() -> None:
    limits = Limits(max_message_length=1000)
    server = RelayServer(stocked(), limits=limits, clock=clock)
    async with server as relay, dialled(relay.url) as client:
        for junk in ("nonsense", b"\x00\xff", "[" * 999, "x" * 1500):
            await client.say(junk)
            assert isinstance(await client.hear(), Notice)
        assert (await client.ask(ALL))[1] == Eose("sub", ("finish",))


async def test_a_message_far_over_the_limit_is_not_even_read() -> None:
    limits = Limits(max_message_length=1000)
    server = RelayServer(stocked(), limits=limits, clock=clock)
    async with server as relay, dialled(relay.url) as client:
        await client.say("x" * 10_000)
        with pytest.raises(ConnectionClosed) as caught:
            await client.hear()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


async def test_a_reader_that_stops_reading_is_cut_off_and_the_others_are_not() -> None:
    """Live events that nobody fetches may not pile up."""
    big = [ALICE.event(20_001, "x" * 200_000 + str(number)) for number in range(10)]
    last = ALICE.event(20_001, "last")
    async with (
        RelayServer(stocked(), clock=clock) as relay,
        dialled(relay.url) as deaf,
        dialled(relay.url) as good,
    ):
        for peer in (deaf, good):
            await peer.ask(Filter(kinds=(20_001,)))
        # From here on nothing more is taken from the socket.
        deaf.socket.transport.pause_reading()
        for number in range(2000):
            relay.broadcast(big[number % 10])
            if number % 10 == 9:
                for event in big:
                    assert await good.hear() == Delivered("sub", event)
            if relay.connections == 1:
                break
        assert relay.connections == 1
        await _drain(good, number % 10 + 1 if number % 10 != 9 else 0)
        relay.broadcast(last)
        assert await good.hear() == Delivered("sub", last)
        deaf.socket.transport.abort()


async def _drain(peer: Peer, count: int) -> None:
    for _ in range(count):
        await peer.hear()


async def test_answers_wait_for_a_slow_reader_without_growing() -> None:
    """Asking more before having read does not make the relay hold more."""
    sent: list[int] = []
    outgoing = asyncio.Event()

    async def pace() -> None:
        sent.append(1)
        await outgoing.wait()

    notes = [ALICE.note(f"{number}", START + number) for number in range(300)]
    heard: list[bytes | str] = []

    class Spy:
        def __init__(self, honest: ClientConnection) -> None:
            self._honest = honest
            self.greet = honest.greet
            self.events_accepted = honest.events_accepted
            self.broadcast = honest.broadcast

        def receive(self, data: str | bytes, now: float) -> object:
            heard.append(data)
            return self._honest.receive(data, now)

    hooks = Hooks(pace=pace, converse=Spy)  # type: ignore[arg-type]
    async with (
        RelayServer(stocked(notes), clock=clock, hooks=hooks) as relay,
        dialled(relay.url) as client,
    ):
        for number in range(5):
            await client.say(Request(str(number), (ALL,)))
        async with asyncio.timeout(SECONDS):
            while not sent:  # noqa: ASYNC110 - the hook cannot be awaited from here
                await asyncio.sleep(0.001)
        assert len(heard) == 1
        outgoing.set()
        endings = 0
        while endings < 5:
            endings += isinstance(await client.hear(), Eose)
    assert len(heard) == 5


async def test_the_failure_of_one_connection_is_logged_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def policy(event: Verified) -> str | None:
        raise RuntimeError(event.content)

    note = ALICE.note("private words")
    with caplog.at_level(logging.INFO):
        async with (
            RelayServer(stocked(), accept=policy, clock=clock) as relay,
            dialled(relay.url) as other,
        ):
            async with dialled(relay.url) as client:
                await client.say(Publish(note))
                with pytest.raises(ConnectionClosed):
                    await client.hear()
            assert (await other.ask(ALL))[1] == Eose("sub", ("finish",))
    assert "RuntimeError" in caplog.text
    assert "private words" not in caplog.text


async def test_leaving_ends_every_connection_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with RelayServer(stocked(thread(5)), clock=clock) as relay:
        url = relay.url
        async with asyncio.timeout(SECONDS):
            peers = [await dialled_open(url) for _ in range(3)]
        for peer in peers:
            await peer.ask(ALL)
        assert relay.connections == 3
    assert relay.connections == 0
    for peer in peers:
        with pytest.raises(ConnectionClosed):
            await peer.hear()
        await peer.socket.close()
    assert asyncio.all_tasks() == before
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await dialled_open(url)


async def dialled_open(url: str) -> Peer:
    from websockets.asyncio.client import connect

    return Peer(await connect(url, compression=None, open_timeout=SECONDS, close_timeout=1))


async def test_leaving_does_not_wait_for_a_client_that_does_not_read() -> None:
    notes = [ALICE.note("x" * 100_000 + str(number)) for number in range(100)]
    async with asyncio.timeout(SECONDS):
        async with RelayServer(stocked(notes), clock=clock) as relay:
            peer = await dialled_open(relay.url)
            await peer.say(Request("sub", (ALL,)))
            await peer.hear()
            peer.socket.transport.pause_reading()
        peer.socket.transport.abort()
        await peer.socket.wait_closed()


async def test_a_full_relay_refuses_further_connections() -> None:
    async with (
        RelayServer(stocked(), max_connections=1, clock=clock) as relay,
        dialled(relay.url) as first,
    ):
        await first.ask(ALL)
        with pytest.raises(InvalidStatus) as caught:
            await dialled_open(relay.url)
        assert caught.value.response.status_code == 503


async def test_nip_11_is_told_to_whoever_asks_for_it() -> None:
    limits = Limits(max_limit=77)
    server = RelayServer(
        stocked(), limits=limits, name="mine", auth="required", accept=lambda _: "no"
    )
    async with server as relay, httpx.AsyncClient(timeout=SECONDS) as web:
        answer = await web.get(relay.url.replace("ws", "http", 1), headers=DOCUMENT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/nostr+json"
    told = answer.json()
    assert told["name"] == "mine"
    assert told["supported_nips"] == [1, 9, 11, 40, 42, 45, 67, 70, 77]
    limitation = told["limitation"]
    assert limitation["max_limit"] == 77
    assert limitation["max_message_length"] == 2**20
    assert limitation["auth_required"] is True
    assert limitation["restricted_writes"] is True
    assert limitation["payment_required"] is False


async def test_a_relay_that_never_asks_does_not_claim_nip_42() -> None:
    async with RelayServer(stocked()) as relay, httpx.AsyncClient(timeout=SECONDS) as web:
        told = (await web.get(relay.url.replace("ws", "http", 1), headers=DOCUMENT)).json()
    assert 42 not in told["supported_nips"]
    assert told["limitation"]["restricted_writes"] is False


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_every_origin_may_ask(method: str) -> None:
    """NIP-11: relays MUST accept CORS requests by sending these headers."""
    async with RelayServer(stocked()) as relay, httpx.AsyncClient(timeout=SECONDS) as web:
        answer = await web.request(method, relay.url.replace("ws", "http", 1), headers=DOCUMENT)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-headers" in answer.headers
    assert "GET" in answer.headers["access-control-allow-methods"]


async def test_a_browser_gets_a_page_and_other_paths_nothing() -> None:
    """NIP-01: only accept connections to a single endpoint."""
    async with RelayServer(stocked()) as relay, httpx.AsyncClient(timeout=SECONDS) as web:
        address = relay.url.replace("ws", "http", 1)
        page = await web.get(address)
        assert (page.status_code, page.headers["content-type"][:10]) == (200, "text/plain")
        assert "Nostr relay" in page.text
        assert (await web.get(f"{address}/other")).status_code == 404
        with pytest.raises(InvalidStatus):
            await dialled_open(f"{relay.url}/other")
        async with dialled(f"{relay.url}/?from=test") as client:
            assert (await client.ask(ALL))[1] == Eose("sub", ("finish",))


async def test_it_listens_on_the_loopback_unless_told_otherwise() -> None:
    async with RelayServer(stocked()) as relay:
        assert relay.url.startswith("ws://127.0.0.1:")
        assert not relay.url.endswith(":0")


async def test_no_web_page_reads_along_unless_it_is_named() -> None:
    """A browser tells whose script is connecting; any page open here could ask otherwise."""
    page = "https://client.example"
    async with RelayServer(stocked(), origins=[page]) as relay:
        with pytest.raises(InvalidStatus, match="403"):
            async with connect(relay.url, origin=Origin("https://evil.example")):
                pass
        async with connect(relay.url, origin=Origin(page)):
            assert relay.connections == 1
