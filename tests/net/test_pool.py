"""Many relays at once, each answer its own, and nothing left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.errors import NotFound
from nostr_threads.net.pool import Pool
from nostr_threads.net.relay import RelayOptions
from nostr_threads.testing import Faults, thread
from tests.net.peers import BRIEF, PATIENT, SECONDS, faulty, pooled, scripted

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

NOTES = Filter(kinds=(1,))
THREAD = thread(6)
NOBODY = "ws://127.0.0.1:9"


async def test_each_relay_ends_its_own_question_in_its_own_way() -> None:
    async with (
        faulty(events=THREAD) as good,
        faulty(Faults(silent_eose=True), THREAD[:3]) as silent,
        faulty(Faults(drop_connection_after=2), THREAD) as dropping,
        pooled(BRIEF) as pool,
    ):
        urls = [good.url, silent.url, dropping.url, NOBODY]
        answers = await pool.fetch([(url, NOTES) for url in urls])
        assert [answer.relay for answer in answers] == urls
        assert [answer.finish for answer in answers] == [
            Finish.COMPLETE,
            Finish.TIMEOUT,
            Finish.LOST,
            Finish.UNREACHABLE,
        ]
        assert [len(answer.events) for answer in answers] == [6, 3, 2, 0]


async def test_many_questions_to_one_relay_go_over_one_connection() -> None:
    async with faulty(events=THREAD) as peer, pooled() as pool:
        questions = [(peer.url, Filter(ids=(event.id,))) for event in THREAD]
        answers = await pool.fetch(questions)
        assert [answer.events for answer in answers] == [(event,) for event in THREAD]
        assert peer.accepted_connections == 1
        assert pool.relay(peer.url) is pool.relay(peer.url)


async def test_nothing_is_left_behind() -> None:
    before = asyncio.all_tasks()
    async with faulty(events=THREAD) as peer, faulty() as other:
        both = asyncio.all_tasks()
        async with pooled() as pool:
            await pool.fetch([(peer.url, NOTES), (other.url, NOTES), (NOBODY, NOTES)])
            follower = asyncio.create_task(anext(pool.relay(peer.url).follow(NOTES)))
            await follower
            assert asyncio.all_tasks() > both
        assert not {task for task in asyncio.all_tasks() - both if "relay.py" in repr(task)}
    assert asyncio.all_tasks() == before


async def test_what_the_body_raises_comes_out_as_it_is() -> None:
    async def seek() -> None:
        async with Pool() as pool:
            pool.relay(NOBODY)
            raise NotFound("it is not there")

    with pytest.raises(NotFound):
        await seek()


async def test_cancelling_the_body_ends_the_pool() -> None:
    async with faulty(Faults(silent_eose=True)) as peer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), Pool(timeouts=PATIENT) as pool:
                await pool.fetch([(peer.url, NOTES)])


async def test_a_question_of_another_task_ends_with_the_pool() -> None:
    arrived = asyncio.Event()

    async def silence(_: ServerConnection, __: list[Any]) -> None:
        arrived.set()

    async with asyncio.timeout(SECONDS), scripted(silence) as url:
        async with Pool(timeouts=PATIENT) as pool:
            waiting = asyncio.create_task(pool.relay(url).fetch(NOTES))
            await arrived.wait()
        assert (await waiting).finish is Finish.LOST


async def test_each_relay_gets_its_own_options_as_they_are_when_it_is_asked() -> None:
    """A relay that only a code named may be named by hand later, and may then know who we are."""
    policy: dict[str, RelayOptions] = {NOBODY: RelayOptions(auth="never")}

    async with Pool(options=policy.__getitem__) as pool:
        relay = pool.relay(NOBODY)
        assert relay.options == RelayOptions(auth="never")
        policy[NOBODY] = RelayOptions(auth="ask")
        assert relay is pool.relay(NOBODY)
        assert (relay.url, relay.options) == (NOBODY, RelayOptions(auth="ask"))
