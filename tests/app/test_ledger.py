"""Who may send what, and who waits for whom: couriers without relays, in any order of events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.app.ledger import Ledger
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.errors import StoreError
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

NOW = int(START)
ALICE = Author(b"alice")
NOTES = tuple(ALICE.note(f"part {n}", NOW + n) for n in range(1, 6))
VERDICTS = st.sampled_from((Status.ACCEPTED, Status.REJECTED, Status.UNREACHABLE))
KNOWN = st.sampled_from((Status.QUEUED, Status.STORED, Status.REJECTED, Status.LOST))

Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Case:
    """A posting with what is known of it, what each relay will say, and how long each takes."""

    posting: Posting
    verdicts: dict[Place, Status]
    steps: dict[Place, int]


@st.composite
def cases(draw: DrawFn) -> Case:
    parts = draw(st.integers(1, len(NOTES)))
    urls = tuple(f"wss://{n}.example" for n in range(draw(st.integers(1, 4))))
    places = [(part, url) for part in range(1, parts + 1) for url in urls]
    own = draw(st.integers(1, len(urls)))
    known = tuple(Delivery(part, url, draw(KNOWN)) for part, url in places)
    quorum = draw(st.integers(1, own))
    courtesy = frozenset(urls[own:])
    posting = Posting(NOTES[:parts], urls, quorum, NOW, known, courtesy)
    return Case(
        posting,
        {place: draw(VERDICTS) for place in places},
        {place: draw(st.integers(0, 3)) for place in places},
    )


async def delivered(case: Case) -> list[Place]:
    """Let one courier for each relay do its work; return what was sent, in that order."""
    sent: list[Place] = []
    with SqliteStore(":memory:") as outbox:
        ledger = Ledger(case.posting, outbox, lambda: NOW, lambda _: None)

        async def bring(url: str) -> None:
            for delivery in ledger.at_relay(url):
                place = delivery.part, url
                if delivery.status.taken or not await ledger.allowed(*place):
                    continue
                assert ledger.may_have(*place)
                sent.append(place)
                for _ in range(case.steps[place]):
                    await asyncio.sleep(0)  # others get their turns while this one sends
                ledger.record(replace(delivery, status=case.verdicts[place]))
            ledger.leave()

        ledger.enter(len(case.posting.relays))
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            for url in case.posting.relays:
                tasks.create_task(bring(url))
    return sent


def reachable(case: Case) -> set[Place]:
    """What can be sent at all, found by trying again until nothing changes."""
    posting = case.posting
    taken = {(each.part, each.relay) for each in posting.deliveries if each.status.taken}
    there = frozenset(taken)
    sent: set[Place] = set()
    before = -1
    while before != len(sent):
        before = len(sent)
        for part, url in case.verdicts:
            count = sum((part - 1, own) in taken for own in posting.own)
            may_go = part == 1 or (part - 1, url) in taken or count >= posting.quorum
            if may_go and (part, url) not in there:
                sent.add((part, url))
                if case.verdicts[part, url].taken:
                    taken.add((part, url))
    return sent


@settings(max_examples=150, deadline=None)
@given(cases())
def test_all_that_may_go_in_the_end_goes_once_in_order_and_it_always_ends(case: Case) -> None:
    sent = asyncio.run(delivered(case))
    assert len(sent) == len(set(sent))
    assert set(sent) == reachable(case)
    for url in case.posting.relays:
        parts = [part for part, where in sent if where == url]
        assert all(one < other for one, other in pairwise(parts))


POSTING = Posting(NOTES[:2], ("wss://a.example", "wss://b.example"), 1, NOW)


async def test_one_who_is_cancelled_while_waiting_does_not_disturb_the_others() -> None:
    with SqliteStore(":memory:") as outbox:
        ledger = Ledger(POSTING, outbox, lambda: NOW, lambda _: None)
        ledger.enter(2)
        waiting = asyncio.create_task(ledger.allowed(2, "wss://a.example"))
        await asyncio.sleep(0)  # one turn of the loop: it waits
        waiting.cancel()
        await asyncio.wait([waiting])
        ledger.record(Delivery(1, "wss://b.example", Status.ACCEPTED))
        assert await ledger.allowed(2, "wss://b.example")


class Fault(Exception):
    pass


async def learn(ledger: Ledger, *statuses: Status) -> None:
    """Learn one after the other, and fail."""
    async with ledger.kept():
        for status in statuses:
            ledger.record(Delivery(1, "wss://a.example", status))
            await asyncio.sleep(0)  # a turn for the writing
        raise Fault


async def test_what_was_learned_last_is_in_the_outbox_however_the_work_ends() -> None:
    with SqliteStore(":memory:") as outbox:
        outbox.enqueue(POSTING)
        ledger = Ledger(POSTING, outbox, lambda: NOW, lambda _: None)
        with pytest.raises(ExceptionGroup) as caught:
            await learn(ledger, Status.ACCEPTED, Status.LOST, Status.STORED)
        kept = outbox.posting(POSTING.id)
    assert caught.group_contains(Fault)
    assert kept is not None
    assert kept.deliveries == ledger.settled.deliveries
    assert ledger.at(1, "wss://a.example").status is Status.STORED


async def work(ledger: Ledger) -> None:
    """Learn something, and go on without end."""
    async with asyncio.timeout(10), ledger.kept():
        ledger.record(Delivery(1, "wss://a.example", Status.ACCEPTED))
        await asyncio.Event().wait()


async def test_an_outbox_that_cannot_be_written_ends_the_work() -> None:
    """As one does that knows of no such posting."""
    with SqliteStore(":memory:") as outbox:
        ledger = Ledger(POSTING, outbox, lambda: NOW, lambda _: None)
        with pytest.raises(ExceptionGroup) as caught:
            await work(ledger)
    assert caught.group_contains(StoreError)
