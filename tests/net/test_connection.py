"""Connections that come and go at bad moments: nothing waits for ever, nothing is lost silently."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.delivery import Status
from nostr_threads.core.filters import Filter
from nostr_threads.net import question as question_module
from nostr_threads.net.connection import pause
from nostr_threads.net.relay import Relay, Timeouts
from nostr_threads.net.transport import MAX_MESSAGE, Disconnected, Unreachable
from nostr_threads.relayd.server import RelayServer
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, thread
from tests.net.peers import ALICE, BRIEF, SECONDS, event_text, faulty, kept, scripted

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from nostr_threads.net.transport import Transport

NOTES = Filter(kinds=(1,))
NOTE = ALICE.note("note")
ONE = Filter(ids=(NOTE.id,))


async def answer_all(socket: ServerConnection, message: list[Any]) -> None:
    """Give the note to whoever asks, and take whatever is published."""
    match message:
        case ["REQ", name, *_]:
            await socket.send(event_text(name, NOTE))
            await socket.send(f'["EOSE","{name}"]')
        case ["EVENT", event]:
            await socket.send(json.dumps(["OK", event["id"], True, ""]))


# Scripted servers


async def test_a_huge_message_ends_the_connection_and_no_more() -> None:
    huge = '["NOTICE","' + "x" * MAX_MESSAGE + '"]'

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            await socket.send(event_text(message[1], NOTE))
            await socket.send(huge)

    async with scripted(script) as url, kept(url) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.events) == (Finish.LOST, (NOTE,))


async def test_a_flood_of_events_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_module, "_MOST_EVENTS", 50)
    closed = asyncio.Event()

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            for _ in range(100):
                await socket.send(event_text(message[1], NOTE))
        if message[0] == "CLOSE":
            closed.set()

    async with scripted(script) as url, kept(url) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.events) == (Finish.LIMITED, (NOTE,))
        await closed.wait()
        assert relay.malformed == 0


async def test_a_flood_of_bytes_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_module, "_MOST_BYTES", 5000)

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            for number in range(20):
                note = ALICE.note("x" * 500, START + number)
                await socket.send(event_text(message[1], note))

    async with scripted(script) as url, kept(url) as relay:
        answer = await relay.fetch(NOTES)
        assert answer.finish is Finish.LIMITED
        assert len(answer.events) < 10


async def test_an_answer_that_drips_is_ended_by_its_own_deadline() -> None:
    """Every message restarts the wait for silence; the deadline of the whole answer stays."""

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            while True:
                await socket.send(event_text(message[1], NOTE))
                await asyncio.sleep(0.01)  # the fault itself: a relay that drips

    brief = Timeouts(connect=2.0, idle=1.0, answer=0.2, ok=0.2)
    async with scripted(script) as url, kept(url, timeouts=brief) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.events) == (Finish.TIMEOUT, (NOTE,))


async def test_notices_and_garbage_do_not_keep_a_question_alive() -> None:
    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            while True:
                await socket.send('["NOTICE","please wait"]')
                await asyncio.sleep(0.01)  # the fault itself: a relay that drips

    async with scripted(script) as url, kept(url, timeouts=BRIEF) as relay:
        assert (await relay.fetch(NOTES)).finish is Finish.TIMEOUT


@pytest.mark.parametrize("closing", ["close", "abort"])
async def test_an_idle_connection_closed_by_the_relay_is_opened_again(closing: str) -> None:
    sockets: list[ServerConnection] = []

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if socket not in sockets:
            sockets.append(socket)
        await answer_all(socket, message)

    async with scripted(script) as url, kept(url) as relay:
        for _ in range(3):
            assert (await relay.fetch(ONE)).events == (NOTE,)
            if closing == "close":
                await sockets[-1].close()
            else:
                sockets[-1].transport.abort()
            # At once, so that some of these find the connection still seeming open.
            assert (await relay.fetch(ONE)).finish is Finish.COMPLETE
            sockets[-1].transport.abort()
            assert (await relay.publish(NOTE))[0] is Status.ACCEPTED
        assert len(sockets) >= 6


async def test_a_relay_that_hangs_up_at_every_question_is_lost_and_not_asked_for_ever() -> None:
    asked = []

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        asked.append(message)
        socket.transport.abort()

    async with scripted(script) as url, kept(url) as relay:
        answers = await asyncio.gather(*(relay.fetch(ONE) for _ in range(5)))
        assert {answer.finish for answer in answers} == {Finish.LOST}
        assert len(asked) <= 10


async def test_following_survives_a_restart_on_the_same_port() -> None:
    """A question wakes it up; nothing is missed, and `since` is the same."""
    since = Filter(kinds=(1,), since=START)
    old, new = thread(1)[0], ALICE.note("after the restart", START + 50)
    with SqliteStore(":memory:") as store:
        store.add([old], relay=None, now=START)
        async with RelayServer(store) as server:
            port = int(server.url.rpartition(":")[2])
        async with kept(server.url) as relay, aclosing(relay.follow(since)) as events:
            async with RelayServer(store, port=port):
                while (await relay.fetch(NOTES)).finish is not Finish.COMPLETE:
                    pass
                assert await anext(events) == old
            assert (await relay.fetch(NOTES)).finish is not Finish.COMPLETE
            store.add([new], relay=None, now=START)
            async with RelayServer(store, port=port):
                while (await relay.fetch(NOTES)).finish is not Finish.COMPLETE:
                    pass
                assert {await anext(events), await anext(events)} == {old, new}


async def test_who_follows_is_told_on_each_connection_when_nothing_is_missed_any_more() -> None:
    told = asyncio.Queue[None]()

    async def follow(relay: Relay) -> None:
        async with aclosing(relay.follow(NOTES, listening=lambda: told.put_nowait(None))) as events:
            async for _ in events:
                raise AssertionError("there is nothing")

    with SqliteStore(":memory:") as store:
        async with RelayServer(store) as server:
            port = int(server.url.rpartition(":")[2])
        async with kept(server.url) as relay:
            following = asyncio.create_task(follow(relay))
            for _ in range(2):
                async with RelayServer(store, port=port), asyncio.timeout(10):
                    while not await relay.reach():
                        pass
                    await told.get()
                assert told.empty()
            assert not await relay.reach()
            following.cancel()
            await asyncio.wait([following])


# A transport in hand: moments that no socket gives reliably


class Wire:
    """One connection under the test's control."""

    clock_skew = None

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_close.set()

    async def send(self, text: str) -> None:
        await self.sent.put(json.loads(text))

    async def receive(self) -> bytes:
        data = await self.incoming.get()
        if data is None:
            raise Disconnected("gone")
        return data

    async def close(self) -> None:
        self.closing.set()
        await self.may_close.wait()

    def say(self, text: str) -> None:
        self.incoming.put_nowait(text.encode())

    def hang_up(self) -> None:
        self.incoming.put_nowait(None)


class Wires:
    """Hands out one connection after the other; where there is none, nobody is reachable."""

    def __init__(self, *wires: Wire) -> None:
        self.left = list(wires)
        self.dialled: list[tuple[str, float, str]] = []

    async def connect(self, url: str, seconds: float, proxy: str) -> Transport:
        self.dialled.append((url, seconds, proxy))
        if not self.left:
            raise Unreachable("nobody there")
        return self.left.pop(0)


URL = "wss://relay.example"


async def test_a_question_asked_while_the_connection_is_being_closed_is_not_forgotten() -> None:
    first, second = Wire(), Wire()
    first.may_close.clear()
    wires = Wires(first, second)
    async with kept(URL, connect=wires.connect) as relay:
        lost = asyncio.ensure_future(relay.fetch(NOTES))
        await first.sent.get()
        first.hang_up()
        await first.closing.wait()
        assert (await lost).finish is Finish.LOST
        asked = asyncio.ensure_future(relay.fetch(NOTES))
        await asyncio.sleep(0)  # one turn of the loop: it asks while the old wire is closing
        first.may_close.set()
        _, name, _ = await second.sent.get()
        second.say(f'["EOSE","{name}",["finish"]]')
        assert (await asked).finish is Finish.COMPLETE


async def test_a_connection_that_ends_before_the_question_was_sent_is_not_waited_for() -> None:
    wires = [Wire() for _ in range(3)]
    for wire in wires:
        wire.hang_up()
    async with kept(URL, connect=Wires(*wires).connect) as relay:
        for _ in wires:
            answer = await relay.fetch(NOTES)
            assert answer.finish in (Finish.LOST, Finish.UNREACHABLE)


async def test_an_event_whose_connection_had_ended_unnoticed_is_sent_again() -> None:
    first, second = Wire(), Wire()
    async with kept(URL, connect=Wires(first, second).connect) as relay:
        fetched = asyncio.ensure_future(relay.fetch(NOTES))
        _, name, _ = await first.sent.get()
        first.say(f'["EOSE","{name}"]')
        await fetched
        published = asyncio.ensure_future(relay.publish(NOTE))
        first.hang_up()
        assert (await second.sent.get())[0] == "EVENT"
        second.say(f'["OK","{NOTE.id}",true]')
        assert (await published)[0] is Status.ACCEPTED


async def test_nothing_is_dialled_before_it_is_needed() -> None:
    wires = Wires()
    async with kept(URL, connect=wires.connect, timeouts=BRIEF) as relay:
        await asyncio.sleep(0)  # one turn of the loop: `run` has begun
        assert wires.dialled == []
        assert (await relay.fetch(NOTES)).reason == "nobody there"
        assert wires.dialled == [(URL, BRIEF.connect, "")]


async def test_an_old_failure_is_not_the_answer_to_a_new_question() -> None:
    wire = Wire()
    wires = Wires()
    async with kept(URL, connect=wires.connect) as relay:
        assert (await relay.fetch(NOTES)).finish is Finish.UNREACHABLE
        wires.left.append(wire)
        asked = asyncio.ensure_future(relay.fetch(NOTES))
        _, name, _ = await wire.sent.get()
        wire.say(f'["EOSE","{name}"]')
        assert (await asked).finish is Finish.COMPLETE


@pytest.mark.parametrize("failures", [0, 1, 5, 50])
def test_the_pause_between_tries_grows_and_stays_bounded(failures: int) -> None:
    low = pause(failures, 0.0)
    high = pause(failures, 1.0)
    assert 0 < low < high <= 60
    assert high == 2 * low


async def test_when_it_is_no_longer_run_nobody_waits_for_it() -> None:
    async with faulty() as peer:
        async with asyncio.timeout(SECONDS), kept(peer.url) as relay:
            waiting = asyncio.ensure_future(anext(relay.follow(NOTES)))
            assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE
        async with asyncio.timeout(SECONDS):
            with pytest.raises(StopAsyncIteration):
                await waiting
            assert (await relay.fetch(NOTES)).finish is Finish.UNREACHABLE
            assert await relay.count(NOTES) is None
            assert (await relay.publish(NOTE))[0] is Status.UNREACHABLE
            assert [event async for event in relay.follow(NOTES)] == []


async def test_a_question_that_is_under_way_when_it_stops_is_lost() -> None:
    wire = Wire()
    async with kept(URL, connect=Wires(wire).connect) as relay:
        asked = asyncio.ensure_future(relay.fetch(NOTES))
        await wire.sent.get()
    async with asyncio.timeout(SECONDS):
        assert (await asked).finish is Finish.LOST
