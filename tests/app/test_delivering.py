"""A signed answer on its way to relays with faults: the exact report, each time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app import leasing
from nostr_threads.app.publish import Report, check, deliver
from nostr_threads.app.writing import Style
from nostr_threads.cli.reports import INCOMPLETE, NOTHING_ACCEPTED, QUORUM_MISSED, exit_code
from nostr_threads.cli.reports import UNREACHABLE as UNREACHED
from nostr_threads.core.delivery import GIVE_UP_AFTER, Delivery, Status
from nostr_threads.core.filters import Filter
from nostr_threads.core.join import join
from nostr_threads.core.messages import Publish, Request
from nostr_threads.core.thread import Thread
from nostr_threads.errors import StoreError
from nostr_threads.net.options import Timeouts
from nostr_threads.net.pool import Pool
from nostr_threads.relayd.limits import Limits
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author, Faults, FaultyRelay
from tests.app.worlds import BOB, LIMIT, LONG, opened
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.pacing import Pace

ALICE = Author(b"alice")
NOW = int(START)
DEAD = "ws://127.0.0.1:9"
STORED, ACCEPTED, QUEUED = Status.STORED, Status.ACCEPTED, Status.QUEUED
REJECTED, LOST, NO_ANSWER = Status.REJECTED, Status.LOST, Status.NO_ANSWER
UNREACHABLE = Status.UNREACHABLE
MUTE_AND_EMPTY = Faults(no_ok=True, ok_but_not_stored=True)
SLOW_DOWN = Faults(reject_with="rate-limited: slow down", accept_first=1)


def clock() -> float:
    return START


def chain(count: int = 3) -> tuple[Verified, ...]:
    """The parts of an answer, each of 400 characters and under the one before."""
    parts = [ALICE.note("x" * 400, NOW)]
    while len(parts) < count:
        parts.append(ALICE.reply(parts[-1], "x" * 400))
    return tuple(parts)


PARTS = chain()


@dataclass
class Office:
    """Whoever delivers: an outbox, connections, a clock, and pauses that take no time."""

    outbox: SqliteStore
    pool: Pool
    now: int = NOW
    pauses: list[float] = field(default_factory=list)
    paces: dict[str, Pace] = field(default_factory=dict)

    def keep(self, *urls: str, quorum: int = 1, courtesy: tuple[str, ...] = ()) -> Posting:
        """Put the answer in the outbox."""
        posting = Posting(PARTS, urls, quorum, NOW, courtesy=frozenset(courtesy))
        self.outbox.enqueue(posting)
        return posting

    async def deliver(self, posting: Posting, **options: Any) -> Report:
        given: dict[str, Any] = {"sleep": self.pause, "paces": self.paces, **options}
        return await deliver(
            posting, pool=self.pool, outbox=self.outbox, clock=lambda: self.now, **given
        )

    async def check(self, posting: Posting) -> Report:
        return await check(posting, pool=self.pool, outbox=self.outbox, clock=lambda: self.now)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def kept(self) -> Posting:
        posting = self.outbox.posting(PARTS[0].id)
        assert posting is not None
        return posting

    def is_free(self) -> bool:
        """Whether nobody holds the right to send."""
        free = self.outbox.lease(PARTS[0].id, "somebody else", now=self.now, until=self.now + 9)
        self.outbox.release(PARTS[0].id, "somebody else")
        return free


@asynccontextmanager
async def office(*, quick: float = 5.0, authenticates: bool = False) -> AsyncIterator[Office]:
    async def authenticate(url: str, challenge: str) -> Verified:
        return ALICE.authentication(url, challenge)

    timeouts = Timeouts(quick, quick, 2 * quick, quick)
    who = authenticate if authenticates else None
    with SqliteStore(":memory:") as outbox:
        async with Pool(timeouts=timeouts, authenticate=who) as pool:
            yield Office(outbox, pool)


def relay(faults: Faults = Faults(), **limits: int) -> FaultyRelay:  # noqa: B008 - frozen
    return FaultyRelay(stocked(), faults, limits=Limits(**limits), clock=clock)


def sent(there: FaultyRelay) -> list[Event]:
    return [message.event for message in there.received if isinstance(message, Publish)]


def at(report: Report | Posting, there: FaultyRelay | str) -> list[Delivery]:
    url = there if isinstance(there, str) else there.url
    return [each for each in report.deliveries if each.relay == url]


def outcomes(report: Report | Posting, there: FaultyRelay | str) -> list[tuple[Status, str]]:
    """What became of each part, and why."""
    return [(each.status, each.reason) for each in at(report, there)]


ARRIVED = [(STORED, "")] * 3
UNANSWERED = [(NO_ANSWER, "no OK came"), *[(QUEUED, "not sent: part 1 got no answer")] * 2]
AUTH = "auth-required: say who you are before you write here"
TOO_LONG = "invalid: content has more than 300 characters"


@pytest.mark.parametrize(
    ("faults", "limits", "expected", "sendings", "is_open"),
    [
        (Faults(), {"max_content_length": 10_000}, ARRIVED, 3, False),
        (Faults(ok_but_not_stored=True), {}, [(LOST, "not read back")] * 3, 6, True),
        (Faults(ok_for_other_id=True), {}, ARRIVED, 3, False),
        (Faults(no_ok=True), {}, ARRIVED, 3, False),
        (MUTE_AND_EMPTY, {}, UNANSWERED, 1, True),
        (Faults(auth_required=True), {}, [(REJECTED, AUTH)] * 3, 3, True),
        (Faults(), {"max_content_length": 300}, [(REJECTED, TOO_LONG)] * 3, 3, False),
        (replace(SLOW_DOWN, reject_first=2), {}, ARRIVED, 5, False),
    ],
)
async def test_beside_an_honest_relay_a_faulty_one_is_reported_exactly(
    faults: Faults,
    limits: dict[str, int],
    expected: list[tuple[Status, str]],
    sendings: int,
    *,
    is_open: bool,
) -> None:
    async with relay() as honest, relay(faults, **limits) as faulty, office(quick=0.3) as here:
        report = await here.deliver(here.keep(honest.url, faulty.url))
        assert outcomes(report, honest) == ARRIVED
        assert outcomes(report, faulty) == expected
        assert (report.accepted, report.reached) == (True, True)
        assert report.complete is (expected == ARRIVED)
        assert bool(report.open) is is_open
        assert len(sent(faulty)) == sendings
        assert here.kept().deliveries == report.deliveries
        assert here.is_free()


@pytest.mark.parametrize(
    ("faults", "limits", "statuses", "code"),
    [
        (Faults(), {}, [STORED] * 3, 0),
        (Faults(no_ok=True), {}, [STORED] * 3, 0),
        (Faults(silent_eose=True, ok_but_not_stored=True), {}, [ACCEPTED] * 3, INCOMPLETE),
        (Faults(ok_but_not_stored=True), {}, [LOST] * 3, NOTHING_ACCEPTED),
        (MUTE_AND_EMPTY, {}, [NO_ANSWER, QUEUED, QUEUED], NOTHING_ACCEPTED),
        (Faults(auth_required=True), {}, [REJECTED, QUEUED, QUEUED], NOTHING_ACCEPTED),
        (Faults(), {"min_pow_difficulty": 12}, [REJECTED] * 3, NOTHING_ACCEPTED),
        (Faults(), {"max_content_length": 300}, [REJECTED] * 3, NOTHING_ACCEPTED),
        (SLOW_DOWN, {}, [STORED, REJECTED, QUEUED], QUORUM_MISSED),
        (Faults(refuse_connections=True), {}, [UNREACHABLE, QUEUED, QUEUED], UNREACHED),
    ],
)
async def test_a_faulty_relay_alone_ends_with_its_exit_code(
    faults: Faults, limits: dict[str, int], statuses: list[Status], code: int
) -> None:
    async with relay(faults, **limits) as faulty, office(quick=0.3) as here:
        report = await here.deliver(here.keep(faulty.url))
    assert [each.status for each in at(report, faulty)] == statuses
    assert exit_code(report) == code
    waiting = [each for each in report.deliveries if not each.final]
    assert report.open == len(waiting)
    assert report.retry_at == min((each.retry_at for each in waiting), default=None)
    assert all(each.retry_at > NOW for each in waiting if each.status is not ACCEPTED)


async def test_a_relay_that_wants_work_refuses_each_part_for_good() -> None:
    async with relay() as honest, relay(min_pow_difficulty=12) as strict, office() as here:
        report = await here.deliver(here.keep(honest.url, strict.url))
    assert {each.status for each in at(report, strict)} == {REJECTED}
    assert all(each.reason.startswith("pow: difficulty") for each in at(report, strict))
    assert (report.accepted, report.complete, report.open) == (True, False, 0)


async def test_a_relay_that_asks_who_it_is_and_is_told_takes_everything() -> None:
    async with relay(Faults(auth_required=True)) as asking, office(authenticates=True) as here:
        report = await here.deliver(here.keep(asking.url))
    assert outcomes(report, asking) == ARRIVED


async def test_a_relay_that_closes_after_the_first_part_gets_the_others_all_the_same() -> None:
    async with relay(Faults(drop_connection_after=1)) as closing, office() as here:

        def mend(_: Delivery) -> None:
            closing.faults = Faults()

        report = await here.deliver(here.keep(closing.url), progress=mend)
        assert outcomes(report, closing) == ARRIVED
        assert list(dict.fromkeys(sent(closing))) == list(PARTS)


# Pace


async def test_a_relay_that_wants_it_slower_is_waited_for_longer_and_longer() -> None:
    async with relay(replace(SLOW_DOWN, reject_first=3)) as busy, office() as here:
        report = await here.deliver(here.keep(busy.url))
        assert here.pauses == pytest.approx([1, 2, 4, 4 * 0.8], abs=0.5)
        assert here.paces[busy.url].gap == pytest.approx(4 * 0.8 * 0.8)
        assert sent(busy) == [PARTS[0], *[PARTS[1]] * 4, PARTS[2]]
    assert outcomes(report, busy) == ARRIVED


async def test_a_relay_of_a_known_kind_is_waited_for_as_its_kind_wants_it() -> None:
    async def usual(_: str) -> float:
        return 90.0

    async with relay(replace(SLOW_DOWN, reject_first=1)) as busy, office() as here:
        report = await here.deliver(here.keep(busy.url), usual=usual, patience=200)
        assert here.pauses == pytest.approx([90, 90 * 0.8], abs=0.5)
        assert sent(busy) == [PARTS[0], *[PARTS[1]] * 2, PARTS[2]]
    assert outcomes(report, busy) == ARRIVED


async def test_once_patience_is_at_an_end_the_rest_stays_for_later_and_is_not_even_sent() -> None:
    async with relay() as honest, relay(SLOW_DOWN) as busy, office() as here:
        report = await here.deliver(here.keep(honest.url, busy.url), patience=10)
        assert len(here.pauses) == 3
        assert sent(busy) == [PARTS[0], *[PARTS[1]] * 4]
        assert outcomes(report, busy) == [
            (STORED, ""),
            (REJECTED, "rate-limited: slow down"),
            (QUEUED, "not sent: part 2 came too fast"),
        ]
        assert all(each.retry_at > NOW for each in at(report, busy)[1:])
    assert (report.accepted, report.open) == (True, 2)


async def test_what_one_answer_taught_of_a_relay_holds_for_the_next() -> None:
    async with relay(replace(SLOW_DOWN, reject_first=1)) as busy, office() as here:
        await here.deliver(here.keep(busy.url))
        learned = here.paces[busy.url].gap
        here.pauses.clear()
        second = Posting(tuple(ALICE.note(f"{n}", NOW) for n in range(2)), (busy.url,), 1, NOW)
        here.outbox.enqueue(second)
        await here.deliver(second)
        assert here.pauses == pytest.approx([learned, learned * 0.8], abs=0.3)


async def test_a_relay_that_is_waited_for_holds_no_other_up() -> None:
    arrived = asyncio.Event()
    told: list[Delivery] = []

    def look(delivery: Delivery) -> None:
        told.append(delivery)
        if sum(each.status is STORED for each in told) == len(PARTS):
            arrived.set()

    async def pause(_: float) -> None:
        """Over only once the other relay has everything."""
        await arrived.wait()

    async with (
        relay() as quick,
        relay(replace(SLOW_DOWN, accept_first=0, reject_first=1)) as busy,
        office() as here,
    ):
        async with asyncio.timeout(10):
            report = await here.deliver(here.keep(quick.url, busy.url), progress=look, sleep=pause)
        assert report.complete


# Proof


async def test_what_was_lost_is_sent_again_in_the_same_run_and_proved() -> None:
    async with relay(Faults(ok_but_not_stored=True)) as forgetful, office() as here:
        told: list[Delivery] = []

        def mend(delivery: Delivery) -> None:
            told.append(delivery)
            if delivery.status is LOST:
                forgetful.faults = Faults()

        report = await here.deliver(here.keep(forgetful.url), progress=mend)
        assert sent(forgetful) == [*PARTS, *PARTS]
    assert outcomes(report, forgetful) == ARRIVED
    assert [each.status for each in told if each.part == 1] == [ACCEPTED, LOST, ACCEPTED, STORED]


async def test_what_is_lost_stays_behind_what_is_lost_before_it() -> None:
    """Sent again in order, too: where the first part gets no answer the second is not sent."""
    async with relay(Faults(ok_but_not_stored=True)) as liar, office(quick=0.3) as here:

        def silence(delivery: Delivery) -> None:
            if delivery.status is LOST:
                liar.faults = MUTE_AND_EMPTY

        report = await here.deliver(here.keep(liar.url), progress=silence)
        assert sent(liar) == [*PARTS, PARTS[0]]
    assert [each.status for each in at(report, liar)] == [NO_ANSWER, LOST, LOST]
    assert all(each.retry_at > NOW for each in report.deliveries)


async def test_a_relay_that_lies_again_and_again_is_asked_less_and_less() -> None:
    waits = []
    async with relay(Faults(ok_but_not_stored=True)) as liar, office() as here:
        posting = here.keep(liar.url)
        for tries in (1, 2, 3):
            report = await here.deliver(posting)
            assert {each.tries for each in at(report, liar)} == {tries}
            waits.append([each.retry_at - here.now for each in at(report, liar)])
    assert max(waits[0]) < min(waits[1]) < max(waits[1]) < min(waits[2])


async def test_a_relay_that_never_answers_is_waited_for_no_longer_than_there_is_patience() -> None:
    async with relay(Faults(no_ok=True)) as mute, office(quick=0.3) as here:
        report = await here.deliver(here.keep(mute.url), patience=0.2)
        slow = "not sent: it takes too long to answer"
        behind = "not sent: part 2 was taken by 0 of 1"
        assert outcomes(report, mute) == [(STORED, ""), (QUEUED, slow), (QUEUED, behind)]
        assert len(sent(mute)) == 1
        mute.faults = Faults()
        again = await here.deliver(report.posting, everything=False)
        assert sent(mute) == list(PARTS)
    assert outcomes(again, mute) == ARRIVED


async def test_a_relay_that_forgets_is_found_out_by_a_later_check_and_gets_it_again() -> None:
    async with relay() as kept, relay(Faults(forget_after=1)) as forgetful, office() as here:
        posting = here.keep(kept.url, forgetful.url)
        assert (await here.deliver(posting)).complete
        checked = await here.check(posting)
        assert outcomes(checked, kept) == ARRIVED
        assert outcomes(checked, forgetful) == [(LOST, "it is not there any more")] * 3
        assert all(each.due(here.now) for each in at(checked, forgetful))
        assert here.kept().deliveries == checked.deliveries
        assert len(sent(forgetful)) == 3
        forgetful.faults = Faults()
        assert (await here.deliver(posting, everything=False)).complete
        assert len(sent(kept)) == 3


async def test_a_check_that_reaches_nobody_takes_nothing_back() -> None:
    async with relay() as there, office() as here:
        posting = here.keep(there.url)
        await here.deliver(posting)
        there.faults = Faults(refuse_connections=True)
        there.drop_connections()
        checked = await here.check(posting)
    assert [each.status for each in at(checked, there)] == [STORED] * 3
    assert all(each.reason.startswith("not read back: ") for each in at(checked, there))


# Later


async def test_only_what_is_due_is_tried_again_unless_everything_is_asked_for() -> None:
    refusing = Faults(reject_with="error: full")
    async with relay(refusing) as full, office() as here:
        posting = here.keep(full.url)
        report = await here.deliver(posting)
        assert report.retry_at is not None
        full.faults = Faults()
        await here.deliver(posting, everything=False)
        assert len(sent(full)) == 1
        here.now = max(each.retry_at for each in report.deliveries)
        assert (await here.deliver(posting, everything=False)).complete


async def test_a_relay_that_refused_a_part_for_good_still_gets_the_next_from_the_quorum() -> None:
    """Also when it comes first in a later run: it waits for those who begin after it."""
    refusing = Faults(reject_with="blocked: no", reject_first=1)
    async with relay(refusing) as picky, relay(SLOW_DOWN) as late, office() as here:
        late.faults = Faults(refuse_connections=True)
        posting = here.keep(picky.url, late.url)
        report = await here.deliver(posting)
        assert [each.status for each in at(report, picky)] == [REJECTED, QUEUED, QUEUED]
        late.faults = Faults()
        again = await here.deliver(posting)
        assert [each.status for each in at(again, picky)] == [REJECTED, STORED, STORED]
        assert outcomes(again, late) == ARRIVED


async def test_a_posting_that_another_process_sends_is_left_to_it() -> None:
    async with relay() as there, office() as here:
        posting = here.keep(there.url)
        assert here.outbox.lease(posting.id, "another", now=NOW, until=NOW + 60)
        for report in (await here.deliver(posting), await here.check(posting)):
            assert report.busy
            assert [each.status for each in report.deliveries] == [QUEUED] * 3
        assert there.received == []
        here.now += 61
        assert (await here.deliver(posting)).complete


async def test_two_deliveries_of_one_posting_at_once_send_it_once() -> None:
    async with relay() as there, office() as here:
        posting = here.keep(there.url)
        reports = await asyncio.gather(here.deliver(posting), here.deliver(posting))
        assert sorted(report.busy for report in reports) == [False, True]
        assert sent(there) == list(PARTS)


async def test_a_delivery_cancelled_in_the_middle_leaves_what_it_learned_and_frees_the_rest() -> (
    None
):
    waiting = asyncio.Event()

    async def pause(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    async with relay(replace(SLOW_DOWN, reject_first=1)) as busy, office() as here:
        posting = here.keep(busy.url)
        task = asyncio.create_task(here.deliver(posting, sleep=pause))
        async with asyncio.timeout(10):
            await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [each.status for each in at(here.kept(), busy)] == [ACCEPTED, QUEUED, QUEUED]
        assert here.is_free()
        assert (await here.deliver(posting)).complete


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144])
async def test_a_delivery_cancelled_anywhere_knows_what_may_be_out_and_can_go_on(
    steps: int,
) -> None:
    async with relay() as one, relay(replace(SLOW_DOWN, reject_first=1)) as two, office() as here:
        posting = here.keep(one.url, two.url)
        task = asyncio.create_task(here.deliver(posting))
        for _ in range(steps):
            await asyncio.sleep(0)  # one more turn of the loop before it is cancelled
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert here.is_free()
        for there in (one, two):
            out = {event.id for event in sent(there)}
            known = [each.status for each in at(here.kept(), there)]
            for event, status in zip(PARTS, known, strict=True):
                assert event.id not in out or status.arrived or status is REJECTED
        assert (await here.deliver(posting)).complete
        for there in (one, two):
            assert list(dict.fromkeys(sent(there))) == list(PARTS)


async def test_a_sender_that_lost_its_right_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a sleep of the machine: the lease ran out, and another process has it."""
    monkeypatch.setattr(leasing, "_RENEWAL", 0.01)

    async def pause(_: float) -> None:
        here.now += 1_000
        assert here.outbox.lease(posting.id, "another", now=here.now, until=here.now + 60)
        await asyncio.Event().wait()

    async with relay(SLOW_DOWN) as busy, office() as here:
        posting = here.keep(busy.url)
        with pytest.raises(StoreError, match="sent by another process"):
            async with asyncio.timeout(10):
                await here.deliver(posting, sleep=pause)
        assert sent(busy) == list(PARTS[:2])
        assert [each.status for each in at(here.kept(), busy)] == [ACCEPTED, QUEUED, QUEUED]
        assert not here.is_free()


async def test_a_sender_keeps_its_right_for_as_long_as_it_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leasing, "_RENEWAL", 0.01)
    renewed = asyncio.Event()

    async def pause(_: float) -> None:
        """Over once the lease reaches beyond where it began."""
        here.now += 30
        renewed.clear()
        async with asyncio.timeout(10):
            await renewed.wait()
        here.now += 30
        assert not here.is_free()

    async with relay(replace(SLOW_DOWN, reject_first=1)) as busy, office() as here:
        take = here.outbox.lease

        def lease(posting_id: str, owner: str, *, now: int, until: int) -> bool:
            is_ours = take(posting_id, owner, now=now, until=until)
            if now >= here.now:
                loop.call_soon_threadsafe(renewed.set)
            return is_ours

        loop = asyncio.get_running_loop()
        posting = here.keep(busy.url)
        monkeypatch.setattr(here.outbox, "lease", lease)
        assert (await here.deliver(posting, sleep=pause)).complete
        assert here.is_free()


async def test_what_all_have_given_up_is_given_up_to_its_last_part() -> None:
    """A part that waits for one that nobody sends any more waits for nothing."""
    async with office() as here:
        posting = here.keep(DEAD)
        here.now += GIVE_UP_AFTER + 1
        report = await here.deliver(posting)
        assert outcomes(report, DEAD)[1:] == [
            (Status.GIVEN_UP, "not sent: part 1 was given up"),
            (Status.GIVEN_UP, "not sent: part 1 was given up"),
        ]
        assert (report.open, here.outbox.postings(open_only=True)) == (0, [])
        revived = here.outbox.revive(posting.id, here.now)
        assert [each.status for each in at(revived, DEAD)] == [QUEUED] * 3


async def test_when_one_fails_for_our_own_fault_none_of_the_others_goes_on() -> None:
    class Fault(Exception):
        pass

    def fail(_: Delivery) -> None:
        raise Fault

    async with relay() as one, relay() as two, office() as here:
        with pytest.raises(Fault):
            await here.deliver(here.keep(one.url, two.url), progress=fail)
        assert here.is_free()
        for there in (one, two):
            await here.pool.relay(there.url).fetch(Filter(limit=1))
        assert max(len(sent(one)), len(sent(two))) <= 1


# Whose relays


async def test_relays_it_goes_to_as_a_courtesy_count_for_nothing() -> None:
    async with relay() as own, relay() as inbox, office() as here:
        report = await here.deliver(here.keep(own.url, DEAD, courtesy=(DEAD,)))
        assert (report.accepted, report.complete, report.open) == (True, True, 3)
        assert inbox.received == []
    async with relay() as inbox, office() as here:
        report = await here.deliver(here.keep(DEAD, inbox.url, courtesy=(inbox.url,)))
        assert (report.accepted, report.complete, report.reached) == (False, False, True)
        assert [report.taken(part) for part in (1, 2, 3)] == [0, 0, 0]


async def test_who_has_taken_something_is_told_once_it_has() -> None:
    reached: list[str] = []

    async def note(url: str) -> None:
        reached.append(url)

    async with relay() as there, relay(Faults(reject_with="blocked: no")) as closed:
        async with office() as here:
            await here.deliver(here.keep(there.url, closed.url, DEAD), reached=note)
        assert reached == [there.url]
        assert any(isinstance(message, Request) for message in there.received)


# Through the whole client


async def test_a_strict_relay_beside_a_liberal_one_makes_parts_that_fit_both() -> None:
    strict, liberal = relay(max_content_length=300), relay(max_content_length=10_000)
    async with (
        strict,
        liberal,
        opened(":memory:", strict.url, liberal.url, by=BOB, clock=clock) as nostr,
    ):
        report = await nostr.publish(LONG)
        assert sent(strict) == sent(liberal) == list(report.posting.events)
    assert (report.complete, exit_code(report)) == (True, 0)
    assert max(len(event.content) for event in report.posting.events) <= 300
    (answer,) = Thread.build(report.posting.events).answers()
    assert join(node.part for node in answer if node.part) == LONG


async def test_a_relay_that_wants_work_takes_parts_that_were_worked_for() -> None:
    worked = Style(work=12)
    async with (
        relay(min_pow_difficulty=12) as strict,
        opened(":memory:", strict.url, by=BOB, clock=clock) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT, style=worked)
    assert (report.complete, exit_code(report)) == (True, 0)
    assert all(int(event.id[:3], 16) == 0 for event in report.posting.events)


async def test_what_waits_for_a_signer_to_say_who_it_is_goes_once_there_is_one(
    tmp_path: Path,
) -> None:
    async with relay(Faults(auth_required=True)) as asking:
        with SqliteStore(tmp_path / "a.db") as store:
            store.enqueue(Posting(PARTS, (asking.url,), 1, NOW))
        async with opened(tmp_path / "a.db", asking.url, clock=clock) as nobody:
            (refused,) = await nobody.outbox.resume()
        async with opened(tmp_path / "a.db", asking.url, by=ALICE, clock=clock) as nostr:
            (report,) = await nostr.outbox.resume()
    assert [each.status for each in refused.deliveries] == [REJECTED, QUEUED, QUEUED]
    assert (exit_code(refused), refused.open) == (NOTHING_ACCEPTED, 3)
    assert (exit_code(report), outcomes(report, asking)) == (0, ARRIVED)
