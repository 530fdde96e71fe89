"""`mirror worker`: several on one PostgreSQL store, and one that dies in the middle."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import NegOpen
from nostr_threads.store.opening import open_store
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    import nostr_threads as nt
    from tests.cli.program import Home

TAGS = ("one", "two", "three")


def notes(tag: str) -> list[nt.Verified]:
    return [
        (ALICE if n % 2 else BOB).event(1, f"{tag} {n}", NOW - n * 90_000, (("t", tag),))
        for n in range(40)
    ]


HELD = {tag: notes(tag) for tag in TAGS}
EVERYTHING = [note for some in HELD.values() for note in some]


def held(url: str) -> list[str]:
    with open_store(url) as store:
        return sorted(event_id.hex() for _, event_id in store.items([Filter()], now=None))


def compared(relay: FaultyRelay) -> int:
    return sum(isinstance(message, NegOpen) for message in relay.received)


def lapse(url: str, relay: str) -> None:
    """Let the time pass after which sources are looked at again."""
    with open_store(url) as store:
        for tag in TAGS:
            sync = store.sources.syncs(f"hashtag {tag}")[relay]
            store.sources.note(f"hashtag {tag}", relay, replace(sync, ended_at=0))


async def named(home: Home, url: str, *relays: str) -> None:
    places = [part for relay in relays for part in ("--relay", relay)]
    for tag in TAGS:
        ran = await home.run("mirror", "add", "hashtag", tag, *places, "--store", url)
        assert ran.code == 0, ran.err


async def test_one_worker_does_what_is_due_and_no_more(home: Home, postgres_url: str) -> None:
    async with FaultyRelay(stocked(EVERYTHING)) as relay:
        await named(home, postgres_url, relay.url)
        line = ("mirror", "worker", "--once", "--store", postgres_url)
        ran = await home.run(*line, "--json")
        assert ran.code == 0, ran.err
        assert {each["source"] for each in ran.objects} == {f"hashtag {tag}" for tag in TAGS}
        assert held(postgres_url) == sorted(note.id for note in EVERYTHING)
        assert (await home.run(*line)).code == 0
        assert compared(relay) == 3
        lapse(postgres_url, relay.url)
        assert (await home.run(*line)).code == 0
        assert compared(relay) == 6
        status = await home.run("mirror", "status", "--store", postgres_url, "--json")
        assert status.code == 0
        assert status.objects[-1]["fleet"] == {
            "workers": 0,
            "working": [],
            "waiting": [],
            "failed": [],
        }
        assert all(each["complete"] for each in status.objects[:-1])


async def test_what_a_worker_was_at_that_was_killed_is_taken_over(
    home: Home, postgres_url: str
) -> None:
    paged = Faults(no_negentropy=True, slow=0.005)
    async with (
        FaultyRelay(stocked(EVERYTHING), paged) as one,
        FaultyRelay(stocked(EVERYTHING[::2]), Faults(slow=0.005)) as two,
    ):
        await named(home, postgres_url, one.url, two.url)
        line = ("mirror", "worker", "--store", postgres_url, "--dead", "2", "--at-once", "2")
        async with home.started(*line, "--json") as first, home.started(*line) as second:
            assert first.stdout is not None
            await first.stdout.readline()
            first.kill()
            async with asyncio.timeout(25):
                while not await is_whole(home, postgres_url):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.2)  # what is in a database
            assert held(postgres_url) == sorted(note.id for note in EVERYTHING)
            second.send_signal(signal.SIGTERM)
            _, talk = await second.communicate()
        assert b"Traceback" not in talk
    verified = await home.run("mirror", "verify", "--store", postgres_url)
    assert verified.code == 0, verified.err


async def test_a_worker_sets_and_obeys_the_policy(home: Home, postgres_url: str) -> None:
    gone = ALICE.event(1, "gone", NOW, (("t", "one"),))
    with open_store(postgres_url) as store:
        store.add([gone, ALICE.deletion(gone)], relay=None, now=NOW)
    line = ("mirror", "worker", "--once", "--store", postgres_url)
    kept = await home.run(*line, "--deleted", "keep")
    assert (kept.code, "from now on" in kept.err) == (0, True), kept.err
    assert gone.id in held(postgres_url)
    purged = await home.run(*line, "--deleted", "purge")
    assert purged.code == 0, purged.err
    assert gone.id not in held(postgres_url)
    assert "from now on" not in (await home.run(*line)).err


async def is_whole(home: Home, url: str) -> bool:
    status = await home.run("mirror", "status", "--store", url, "--json")
    *pairs, fleet = status.objects
    assert not fleet["fleet"]["failed"]
    return len(pairs) == 6 and all(each["complete"] for each in pairs)


async def test_a_relay_that_is_down_is_tried_again_and_told(home: Home, postgres_url: str) -> None:
    await named(home, postgres_url, "ws://127.0.0.1:9")
    line = ("mirror", "worker", "--once", "--store", postgres_url)
    assert (await home.run(*line)).code == 0
    status = await home.run("mirror", "status", "--store", postgres_url)
    assert "unreachable" in status.err
    assert "3 waiting" in status.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "PostgreSQL"), (("--store", "a.db"), "PostgreSQL"), (("--every", "x"), "moment")],
)
async def test_what_cannot_be_done_is_said(
    home: Home, arguments: tuple[str, ...], words: str
) -> None:
    ran = await home.run("mirror", "worker", *arguments)
    assert (ran.code, words in ran.err) == (2, True), ran.err
