"""What was deleted or has expired is removed for good where that is the policy, and only there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.fleet import Fleet, queue_at
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.relayd import RelayServer
from nostr_threads.store.policy import Policy
from tests.app.worlds import BOB, NOW, opened
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    import nostr_threads as nt

TAG = ("t", "nostr")
GONE = BOB.event(1, "gone", NOW - 50, (TAG,))
REGRET = BOB.event(5, "", NOW - 40, (("e", GONE.id), TAG))
NOSTR = Source(SourceKind.HASHTAG, "nostr")
PAST = Source.parse(SourceKind.FILTER, f'{{"#t":["nostr"],"until":{int(NOW) - 500}}}')
HOUR = 3_600


def clock() -> float:
    return NOW


def regretted(nostr: nt.Nostr, policy: Policy) -> None:
    nostr.store.adopt(policy)
    nostr.store.add([GONE, REGRET], relay=None, now=int(NOW))


def is_there(nostr: nt.Nostr) -> bool:
    return nostr.store.event(GONE.id) is not None


@pytest.mark.parametrize("policy", Policy)
async def test_it_is_removed_at_the_end_of_a_run(policy: Policy) -> None:
    async with opened(":memory:", clock=clock) as nostr:
        regretted(nostr, policy)
        await nostr.mirror.run([])
        assert is_there(nostr) is (policy is not Policy.PURGE)


@pytest.mark.parametrize("policy", Policy)
async def test_it_is_removed_once_nothing_is_left_to_follow(policy: Policy) -> None:
    async with (
        RelayServer(stocked()) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        regretted(nostr, policy)
        await nostr.mirror.follow([PAST], pause=never)
        assert is_there(nostr) is (policy is not Policy.PURGE)


async def never(seconds: float) -> None:
    await asyncio.sleep(HOUR + seconds)  # cancelled before


async def test_it_is_removed_every_hour_from_when_somebody_says_so() -> None:
    """Another process may change the policy meanwhile."""
    there: list[bool] = []
    seen = asyncio.Event()

    async def pause(seconds: float) -> None:
        if seconds != HOUR:
            await never(seconds)
        there.append(is_there(nostr))
        if len(there) == 2:
            nostr.store.adopt(Policy.PURGE)
        if len(there) == 3:
            seen.set()
            await never(seconds)

    async with (
        RelayServer(stocked(), accept=lambda _: None) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        regretted(nostr, Policy.HIDE)
        following = asyncio.create_task(nostr.mirror.follow([NOSTR], pause=pause))
        async with asyncio.timeout(20):
            await seen.wait()
        following.cancel()
        await asyncio.wait([following])
    assert there == [True, True, False]


@pytest.mark.parametrize("policy", Policy)
async def test_a_worker_removes_it_when_its_turn_comes(postgres_url: str, policy: Policy) -> None:
    async with opened(postgres_url, clock=clock) as nostr, queue_at(postgres_url) as queue:
        regretted(nostr, policy)
        fleet = Fleet(
            queue, nostr.store, nostr.mirror.visits, every=600, dead=60, clock=lambda: int(NOW)
        )
        crons = {
            task.task.name: task.cron for task in queue.periodic_registry.periodic_tasks.values()
        }
        assert crons["tidy"] == "0 * * * *"
        await queue.configure_task("tidy").defer_async(timestamp=0)
        await queue.run_worker_async(wait=False, delete_jobs="successful")
        assert is_there(nostr) is (policy is not Policy.PURGE)
        nostr.store.adopt(Policy.PURGE)
        await fleet.work(for_ever=False)
        assert not is_there(nostr)
