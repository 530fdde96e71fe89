"""Page after page: the next is on its way while one is verified, and a wrong guess does no harm."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from nostr_threads.core.coverage import Finish
from nostr_threads.core.event import Verified
from nostr_threads.core.filters import Filter
from nostr_threads.net import paging, verifying
from nostr_threads.testing import START, Faults, forged, thread
from tests.net.peers import event_text, faulty, kept, pooled, scripted
from tests.net.test_verifying import never

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    import pytest
    from websockets.asyncio.server import ServerConnection

    from nostr_threads.core.event import Event

NOTES = Filter(kinds=(1,))
THREAD = thread(60, seed=9)
IDS = {event.id for event in THREAD}


def page_of(question: dict[str, Any], most: int) -> list[Verified]:
    """What a relay gives at once, newest first."""
    until = question.get("until", 2**40)
    return [event for event in reversed(THREAD) if event.created_at <= until][:most]


async def test_the_next_page_is_asked_before_the_last_is_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = asyncio.Semaphore(0)

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            asked.release()
            for event in page_of(message[2], 25):
                await socket.send(event_text(message[1], event))
            await socket.send(json.dumps(["EOSE", message[1]]))

    async def patient(
        events: Sequence[Event], known: MutableMapping[str, Verified]
    ) -> tuple[tuple[Verified, ...], int, bool]:
        # Only once one page more was asked for than were verified.
        if len(events) > 1:
            await asked.acquire()
        return await verifying.verified(events, known)

    monkeypatch.setattr(paging, "verified", patient)
    async with scripted(script) as url, kept(url) as relay:
        await_first = asyncio.ensure_future(asked.acquire())
        answer = await relay.fetch(NOTES)
        await await_first
        assert (answer.finish, {event.id for event in answer.events}) == (Finish.COMPLETE, IDS)


async def test_a_guess_that_a_forgery_led_astray_is_closed_and_the_right_page_asked() -> None:
    """The forged one is older than all that is left: to go on from there would miss the rest."""
    false = Verified(forged(thread(1, seed=1, created_at=START - 1000)[0], "signature"))
    talk: list[tuple[str, object]] = []

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        talk.append((message[0], message[2].get("until") if message[0] == "REQ" else message[1]))
        if message[0] == "REQ":
            for event in page_of(message[2], 25):
                await socket.send(event_text(message[1], event))
            if "until" not in message[2]:
                await socket.send(event_text(message[1], false))
            if message[2].get("until") != false.created_at:
                await socket.send(json.dumps(["EOSE", message[1]]))

    async with scripted(script) as url, kept(url) as relay:
        answer = await relay.fetch(NOTES)
        assert {event.id for event in answer.events} == IDS
        assert (answer.finish, answer.refused) == (Finish.LIMITED, 1)
        assert talk[1:5] == [
            ("CLOSE", "1"),
            ("REQ", false.created_at),
            ("CLOSE", "2"),
            ("REQ", THREAD[35].created_at),
        ]


async def test_a_relay_that_says_it_has_finished_is_asked_no_more() -> None:
    """NIP-67."""
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        await relay.fetch(NOTES)
        assert [type(message).__name__ for message in peer.received] == ["Request"]


async def test_without_trust_its_word_is_no_proof() -> None:
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES, trusting=False)
        assert (answer.finish, len(answer.events)) == (Finish.COMPLETE, len(THREAD))
        assert [type(message).__name__ for message in peer.received].count("Request") > 1


async def test_what_one_relay_gave_is_not_verified_again_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: dict[str, Verified] = {}
    async with faulty(events=THREAD) as one, faulty(events=THREAD) as other, pooled() as pool:
        first = await pool.relay(one.url).fetch(NOTES, known=known)
        monkeypatch.setattr(verifying, "verify", never)
        second = await pool.relay(other.url).fetch(NOTES, known=known)
        assert known.keys() == IDS
        assert [id(event) for event in second.events] == [id(event) for event in first.events]
        assert second.size == first.size > 0


async def test_forgeries_of_what_is_known_do_not_pass_for_the_real_thing() -> None:
    """Or a relay would be said to have what it forged."""
    known = {event.id: event for event in THREAD}
    faults = Faults(forge="content", forge_where="instead")
    async with faulty(faults, THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES, known=known)
        assert (answer.finish, answer.events, answer.refused) == (Finish.LIMITED, (), len(THREAD))


async def test_time_that_is_over_ends_the_paging_with_what_there_is() -> None:
    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ" and "until" not in message[2]:
            for event in page_of(message[2], 25):
                await socket.send(event_text(message[1], event))
            await socket.send(json.dumps(["EOSE", message[1]]))

    async with scripted(script) as url, kept(url) as relay:
        answer = await relay.fetch(NOTES, seconds=0.3)
        assert (answer.finish, len(answer.events)) == (Finish.TIMEOUT, 25)
