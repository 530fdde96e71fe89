"""The relays between a client and a signer: when somebody listens, what is heard, and how often."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.app.wires import RelayWire
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Close, Publish
from nostr_threads.errors import BunkerError
from nostr_threads.net.pool import Pool
from nostr_threads.net.relay import Timeouts
from nostr_threads.testing import GARBAGE, START, Author, Faults, FaultyRelay
from tests.net.peers import scripted
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from websockets.asyncio.server import ServerConnection

    from nostr_threads.core.event import Verified

THEM = Author(b"them")
WANTED = Filter(kinds=(1,), authors=(THEM.pubkey,))
NOTHING = Filter(kinds=(7,))
DEAD = "ws://127.0.0.1:9"
SECONDS = 20.0
PATIENT = Timeouts(connect=SECONDS, idle=SECONDS, answer=SECONDS, ok=SECONDS)


def letter(text: str) -> Verified:
    return THEM.note(text, START)


FIRST, SECOND, THIRD = letter("first"), letter("second"), letter("third")


@dataclass
class Ear:
    """What was heard, and what else the wire has told."""

    pool: Pool
    heard: asyncio.Queue[Verified] = field(default_factory=asyncio.Queue)
    back: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    trouble: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def next(self) -> Verified:
        """Wait for what is heard next."""
        return await self.heard.get()

    async def again(self) -> None:
        await self.back.put(None)

    async def was_answered_by(self, relay: FaultyRelay | str) -> None:
        """Wait until a relay has done all that it was told so far, and we have heard of it."""
        url = relay if isinstance(relay, str) else relay.url
        await self.pool.relay(url).sample(NOTHING)

    async def has_sent(self, event: Verified, relay: FaultyRelay) -> None:
        """Wait until an event has come to a relay, and has been passed on."""
        while event.id not in sent_to(relay):
            await self.was_answered_by(relay)
        await self.was_answered_by(relay)


@asynccontextmanager
async def wiring(
    *relays: FaultyRelay | str, timeouts: Timeouts = PATIENT
) -> AsyncIterator[tuple[RelayWire, Ear]]:
    """Open a wire over relays; all in all it takes no longer than `SECONDS`."""
    urls = tuple(each if isinstance(each, str) else each.url for each in relays)
    async with asyncio.timeout(SECONDS), Pool(timeouts=timeouts) as pool:
        ear = Ear(pool)
        async with RelayWire(
            pool, urls, WANTED, ear.heard.put, ear.again, ear.trouble.put_nowait
        ) as wire:
            yield wire, ear


def a_relay(*stored: Verified, faults: Faults | None = None) -> FaultyRelay:
    """A relay that begins with what it has stored: then its subscription is open."""
    return FaultyRelay(stocked(stored), faults or Faults())


def sent_to(relay: FaultyRelay) -> list[str]:
    return [each.event.id for each in relay.received if isinstance(each, Publish)]


# What is heard


async def test_what_comes_from_two_relays_is_heard_once_and_what_comes_again_is_heard_again() -> (
    None
):
    here, there = letter("here"), letter("there")
    async with a_relay(here) as one, a_relay(there) as other, wiring(one, other) as (wire, ear):
        wire.listen()
        assert {await ear.next(), await ear.next()} == {here, there}
        one.broadcast(FIRST)
        assert await ear.next() == FIRST
        other.broadcast(FIRST)
        other.broadcast(SECOND)
        assert await ear.next() == SECOND
        one.broadcast(SECOND)
        one.broadcast(FIRST)  # by its sender, after a silence
        assert await ear.next() == FIRST
        await ear.was_answered_by(one)
        await ear.was_answered_by(other)
        assert ear.heard.empty()


async def test_only_so_much_is_remembered_of_what_was_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._MOST_IDS", 2)
    here, there = letter("here"), letter("there")
    async with a_relay(here) as one, a_relay(there) as other, wiring(one, other) as (wire, ear):
        wire.listen()
        assert {await ear.next(), await ear.next()} == {here, there}
        for event in (FIRST, SECOND, THIRD):
            one.broadcast(event)
            assert await ear.next() == event
        other.broadcast(THIRD)
        other.broadcast(FIRST)
        assert await ear.next() == FIRST
        assert len(wire._first_from) == 2


async def test_what_is_far_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._LARGEST", 2_000)
    async with a_relay(FIRST) as relay, wiring(relay) as (wire, ear):
        wire.listen()
        assert await ear.next() == FIRST
        relay.broadcast(letter("x" * 2_000))
        relay.broadcast(SECOND)
        assert await ear.next() == SECOND


async def test_nothing_is_dialled_before_it_is_wanted() -> None:
    async with a_relay(FIRST) as relay, wiring(relay) as (wire, ear):
        # Another connection to it comes and goes meanwhile.
        async with Pool() as pool:
            await pool.relay(relay.url).sample(NOTHING)
        assert relay.accepted_connections == 1
        wire.listen()
        assert await ear.next() == FIRST
        assert relay.accepted_connections == 2


# What is sent


async def test_what_is_sent_goes_to_all_relays() -> None:
    async with a_relay() as one, a_relay() as other, wiring(one, other) as (wire, ear):
        await wire.send(FIRST)
        assert await ear.next() == FIRST  # as both pass it on
        await ear.has_sent(FIRST, one)
        await ear.has_sent(FIRST, other)
        assert sent_to(one) == sent_to(other) == [FIRST.id]
        assert ear.heard.empty()


@dataclass
class Scribe:
    """A relay that answers only what its test wants."""

    said: list[str] = field(default_factory=list)
    asked: asyncio.Queue[tuple[ServerConnection, str]] = field(default_factory=asyncio.Queue)

    async def answer(self, socket: ServerConnection, message: list[Any]) -> None:
        match message:
            case ["REQ", name, {"kinds": [7]}]:
                await socket.send(json.dumps(["EOSE", name]))
            case ["REQ", name, *_]:
                self.said.append("REQ")
                await self.asked.put((socket, name))
            case ["EVENT", event]:
                self.said.append("EVENT")
                await socket.send(json.dumps(["OK", event["id"], True, ""]))


async def test_nothing_is_sent_before_the_relay_says_that_it_listens_for_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other end may answer at once, and relays keep no such events."""
    monkeypatch.setattr("nostr_threads.app.wires._UNTIL_LISTENING", SECONDS)
    scribe = Scribe()
    async with scripted(scribe.answer) as url, wiring(url) as (wire, ear):
        sending = asyncio.create_task(wire.send(FIRST))
        socket, name = await scribe.asked.get()
        await ear.was_answered_by(url)
        assert (scribe.said, sending.done()) == (["REQ"], False)
        await socket.send(json.dumps(["EOSE", name]))
        await sending
        await ear.was_answered_by(url)
        assert scribe.said == ["REQ", "EVENT"]


async def test_a_relay_that_never_says_so_is_taken_to_listen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._UNTIL_LISTENING", 0.05)
    scribe = Scribe()
    async with scripted(scribe.answer) as url, wiring(url) as (wire, ear):
        await wire.send(FIRST)
        await ear.was_answered_by(url)
        assert scribe.said == ["REQ", "EVENT"]


# Relays that do not do their part


@asynccontextmanager
async def hanging() -> AsyncIterator[str]:
    """Take connections, and say nothing ever."""

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1_000):
            pass
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def dead() -> AsyncIterator[str]:
    yield DEAD


def faulty(**faults: Any) -> Callable[[], Any]:
    @asynccontextmanager
    async def relay() -> AsyncIterator[str]:
        async with a_relay(faults=Faults(**faults)) as peer:
            yield peer.url

    return relay


async def _close_everything(socket: ServerConnection, message: list[Any]) -> None:
    if message[0] == "REQ":
        await socket.send(json.dumps(["CLOSED", message[1], "blocked: not here"]))


BAD: dict[str, Callable[[], Any]] = {
    "hangs": hanging,
    "is dead": dead,
    "refuses connections": faulty(refuse_connections=True),
    "hangs up": faulty(drop_connection_after=0),
    "says nothing": faulty(silent_eose=True, no_ok=True),
    "talks nonsense": faulty(garbage=GARBAGE),
    "rejects": faulty(reject_with="blocked: not here"),
    "closes": lambda: scripted(_close_everything),
}


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("habit", BAD)
async def test_a_bad_relay_takes_nothing_from_a_good_one(habit: str, is_first: bool) -> None:
    async with a_relay(FIRST) as good, BAD[habit]() as bad:
        urls = (bad, good.url) if is_first else (good.url, bad)
        async with wiring(*urls) as (wire, ear):
            await wire.send(SECOND)
            heard = [await ear.next(), await ear.next()]
            assert set(heard) == {FIRST, SECOND}
            await wire.send(THIRD)
            assert await ear.next() == THIRD
            await ear.has_sent(THIRD, good)
            assert set(sent_to(good)) == {SECOND.id, THIRD.id}


@pytest.mark.parametrize("habit", ["hangs", "is dead", "refuses connections"])
async def test_where_no_relay_can_be_reached_it_is_said(habit: str) -> None:
    brief = Timeouts(connect=0.3)
    async with BAD[habit]() as bad, wiring(bad, DEAD, timeouts=brief) as (wire, ear):
        with pytest.raises(BunkerError, match="no relay of the bunker can be reached") as caught:
            await wire.send(FIRST)
        told = [await ear.trouble.get() for _ in dict.fromkeys((bad, DEAD))]
    assert caught.value.is_silence
    assert bad in str(caught.value)
    assert {each.split(" cannot be reached: ")[0] for each in told} == {bad, DEAD}


async def test_a_relay_that_takes_nothing_more_is_not_given_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._MOST_UNDER_WAY", 2)
    async with a_relay(faults=Faults(no_ok=True)) as stuck, a_relay() as good:
        async with wiring(stuck) as (wire, _):
            for event in (FIRST, SECOND):
                await wire.send(event)
            with pytest.raises(BunkerError, match="can be reached"):
                await wire.send(THIRD)
        async with wiring(stuck, good) as (wire, ear):
            for event in (FIRST, SECOND, THIRD):
                await wire.send(event)
                await ear.has_sent(event, good)
        assert sent_to(good) == [FIRST.id, SECOND.id, THIRD.id]


async def test_what_a_relay_has_taken_makes_room_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._MOST_UNDER_WAY", 1)
    async with a_relay() as relay, wiring(relay) as (wire, ear):
        for event in (FIRST, SECOND, THIRD):
            await wire.send(event)
            assert await ear.next() == event
            await ear.has_sent(event, relay)


async def test_a_relay_that_rejects_is_named_with_its_words_once() -> None:
    words = "blocked: not\nthis \x1bkind"
    async with a_relay(faults=Faults(reject_with=words)) as relay, wiring(relay) as (wire, ear):
        assert wire.refusal() == ""
        await wire.send(FIRST)
        told = await ear.trouble.get()
        assert told == wire.refusal() == f"{relay.url} says no: blocked: not this  kind"
        await wire.send(SECOND)
        await ear.has_sent(SECOND, relay)
        assert ear.trouble.empty()


# What comes back


async def test_after_a_lost_connection_somebody_is_told_that_it_is_back() -> None:
    async with a_relay(FIRST) as relay, wiring(relay) as (wire, ear):
        wire.listen()
        assert await ear.next() == FIRST
        await ear.was_answered_by(relay)
        assert ear.back.empty()
        for count in (2, 3):
            relay.drop_connections()
            assert await ear.next() == FIRST  # as it is stored there
            await ear.back.get()
            assert relay.accepted_connections == count
            relay.broadcast(SECOND)
            assert await ear.next() == SECOND
        assert ear.back.empty()


async def test_a_relay_that_closes_the_subscription_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._PAUSE", 0.01)
    scribe = Scribe()
    async with scripted(scribe.answer) as url, wiring(url) as (wire, ear):
        wire.listen()
        names = []
        for _ in range(3):
            socket, name = await scribe.asked.get()
            names.append(name)
            await socket.send(json.dumps(["EOSE", name]))
            await socket.send(json.dumps(["CLOSED", name, "error: too many subscriptions"]))
        socket, name = await scribe.asked.get()
        await socket.send(f'["EVENT","{name}",{FIRST.to_json()}]')
        assert await ear.next() == FIRST
        assert name not in names
        assert wire.refusal() == f"{url} says no: error: too many subscriptions"


async def test_after_a_relay_has_closed_nothing_is_sent_before_it_listens_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nostr_threads.app.wires._UNTIL_LISTENING", SECONDS)
    monkeypatch.setattr("nostr_threads.app.wires._PAUSE", 0.01)
    scribe = Scribe()
    async with scripted(scribe.answer) as url, wiring(url) as (wire, ear):
        wire.listen()
        socket, name = await scribe.asked.get()
        await socket.send(json.dumps(["EOSE", name]))
        await socket.send(json.dumps(["CLOSED", name, "error: a restart"]))
        await ear.trouble.get()
        sending = asyncio.create_task(wire.send(FIRST))
        socket, name = await scribe.asked.get()
        await ear.was_answered_by(url)
        assert (scribe.said, sending.done()) == (["REQ", "REQ"], False)
        await socket.send(json.dumps(["EOSE", name]))
        await sending


async def test_what_comes_after_a_relay_has_closed_is_not_heard_and_it_is_left_in_peace() -> None:
    """Not asked again at once: it would close that one, too."""
    scribe = Scribe()
    async with (
        scripted(scribe.answer) as url,
        a_relay(FIRST) as good,
        wiring(url, good) as (wire, ear),
    ):
        wire.listen()
        assert await ear.next() == FIRST
        socket, name = await scribe.asked.get()
        await socket.send(json.dumps(["CLOSED", name, "error: no"]))
        await socket.send(f'["EVENT","{name}",{SECOND.to_json()}]')
        await ear.was_answered_by(url)
        good.broadcast(THIRD)
        assert await ear.next() == THIRD
        await ear.was_answered_by(url)
        assert (scribe.said, ear.heard.empty()) == (["REQ"], True)


async def test_it_goes_on_where_it_is_sent_and_nowhere_else() -> None:
    """NIP-46, "Switching relays"."""
    here, there = letter("here"), letter("there")
    async with a_relay(here) as old, a_relay(there) as new, wiring(old) as (wire, ear):
        wire.listen()
        assert await ear.next() == here
        wire.move((new.url,))
        assert await ear.next() == there
        await ear.was_answered_by(old)
        assert any(isinstance(each, Close) for each in old.received)
        await wire.send(FIRST)
        assert await ear.next() == FIRST
        old.broadcast(SECOND)
        await ear.was_answered_by(old)
        assert ear.heard.empty()
        assert (sent_to(old), sent_to(new)) == ([], [FIRST.id])
        wire.move((old.url, new.url))
        while await ear.next() != here:
            pass  # what the new one has stored


# The end


async def test_what_goes_wrong_in_between_is_raised_as_it_is() -> None:
    async def go_wrong(relay: FaultyRelay) -> None:
        async with wiring(relay, DEAD) as (wire, ear):
            wire.listen()
            await ear.next()
            raise ValueError("mine")

    async with a_relay(FIRST) as relay:
        with pytest.raises(ValueError, match="mine"):
            await go_wrong(relay)


@pytest.mark.parametrize("habit", ["hangs", "says nothing"])
async def test_it_ends_at_once_whatever_is_under_way(habit: str) -> None:
    async with BAD[habit]() as bad:
        async with asyncio.timeout(SECONDS / 2), wiring(bad) as (wire, _):
            sending = asyncio.create_task(wire.send(FIRST))
            # Not even then: a turn of the loop for it to begin.
            await asyncio.wait([sending], timeout=0.05)
        await asyncio.wait([sending])
        assert sending.cancelled()
