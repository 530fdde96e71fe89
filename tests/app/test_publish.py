"""Publishing to relays on real ports: what is kept, what is sent when, and what becomes of it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds
from nostr_threads.core.messages import Auth, Publish, Request
from nostr_threads.core.pow import committed, difficulty
from nostr_threads.errors import (
    InvalidInput,
    InvalidText,
    NoSigner,
    NotFound,
    SigningError,
    StoreError,
)
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import ReadOnlySigner
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, CAROL, LIMIT, LONG, NOW, config, opened, signer_of
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.app.publish import Report
    from nostr_threads.core.messages import ClientMessage
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.store.base import Posting

PARTS = len(nt.split(LONG, LIMIT))
DEAD = "ws://127.0.0.1:9"
QUESTION = BOB.note("why?", NOW, (("p", CAROL.pubkey),))
STORED, UNREACHABLE, QUEUED = nt.Status.STORED, nt.Status.UNREACHABLE, nt.Status.QUEUED
REJECTED, LOST, NO_ANSWER = nt.Status.REJECTED, nt.Status.LOST, nt.Status.NO_ANSWER


def sent(relay: FaultyRelay) -> list[nt.Event]:
    """The events that reached a relay, in the order of arrival."""
    return [message.event for message in relay.received if isinstance(message, Publish)]


def outcomes(report: Report, url: str) -> list[nt.Status]:
    """What became of the parts at one relay, in order."""
    return [delivery.status for delivery in report.deliveries if delivery.relay == url]


def kept(store: Path, *, open_only: bool = True) -> list[Posting]:
    """What another process would find in the outbox."""
    with SqliteStore(store, read_only=True) as opened_store:
        return opened_store.postings(open_only=open_only)


async def test_every_part_is_signed_kept_sent_in_order_and_read_back(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    async with (
        FaultyRelay(stocked([QUESTION])) as relay,
        opened(store, relay.url, by=ALICE) as nostr,
    ):
        told: list[nt.Delivery] = []
        report = await nostr.publish(LONG, reply_to=QUESTION.id, limit=LIMIT, progress=told.append)
        assert sent(relay) == list(report.posting.events)
    assert PARTS > 2
    assert outcomes(report, relay.url) == [STORED] * PARTS
    assert (report.accepted, report.complete, report.reached) == (True, True, True)
    assert [each.status for each in told] == [nt.Status.ACCEPTED] * PARTS + [STORED] * PARTS
    assert kept(store) == []
    assert kept(store, open_only=False) == [report.posting]
    thread = nt.Thread.build([QUESTION, *report.posting.events])
    (answer,) = thread.answers()
    assert nt.join(node.part for node in answer if node.part) == LONG
    assert [node.depth for node in thread.nodes] == list(range(PARTS + 1))


async def test_people_are_called_once_and_never_oneself() -> None:
    async with (
        RelayServer(stocked([QUESTION])) as relay,
        opened(":memory:", relay.url, by=CAROL) as nostr,
    ):
        report = await nostr.publish(LONG, reply_to=QUESTION, limit=LIMIT)
    first, *rest = report.posting.events
    assert first.tag_values("p") == (BOB.pubkey,)
    assert {event.tag_values("p") for event in rest} == {()}


async def test_the_signed_parts_are_in_the_outbox_before_the_first_byte_leaves(
    tmp_path: Path,
) -> None:
    store = tmp_path / "a.db"
    seen: list[tuple[str, int]] = []

    def look(event: nt.Event) -> str | None:
        """Asked by the relay as each event arrives, from its own thread."""
        (posting,) = kept(store)
        assert event in posting.events
        seen.append((event.id, len(posting.events)))
        return None

    accept: Accept = look
    async with (
        FaultyRelay(stocked(), accept=accept) as relay,
        opened(store, relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
    assert seen == [(event.id, PARTS) for event in report.posting.events]


async def test_a_relay_that_refuses_connections_leaves_everything_in_the_outbox(
    tmp_path: Path,
) -> None:
    store = tmp_path / "a.db"
    async with (
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay,
        opened(store, relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert relay.received == []
    assert outcomes(report, relay.url) == [UNREACHABLE] + [QUEUED] * (PARTS - 1)
    assert (report.accepted, report.reached) == (False, False)
    (posting,) = kept(store)
    assert posting.events == report.posting.events
    with SqliteStore(store) as opened_store:
        for event in report.posting.events:
            assert opened_store.event(event.id) == event


class Crash(Exception):
    """The process dies here."""


@pytest.mark.parametrize("after", range(PARTS + 1))
async def test_after_a_crash_the_same_bytes_are_sent_and_never_a_second_version(
    tmp_path: Path, after: int
) -> None:
    store = tmp_path / "a.db"
    seen = 0

    def die(_: nt.Delivery) -> None:
        nonlocal seen
        seen += 1
        if seen == after + 1:
            raise Crash

    async with FaultyRelay(stocked()) as relay:
        with pytest.raises(Crash):
            async with opened(store, relay.url, by=ALICE) as nostr:
                await nostr.publish(LONG, limit=LIMIT, progress=die)
        (before,) = kept(store) or kept(store, open_only=False)
        async with opened(store, relay.url) as nostr:
            reports = await nostr.outbox.resume()
            assert await nostr.outbox.resume() == []
        arrived = sent(relay)
        ids = [event.id for event in before.events]
        # Each part is one event whatever happened, and they came in order.
        assert set(arrived) == set(before.events)
        assert list(dict.fromkeys(event.id for event in arrived)) == ids
        assert {event.id for event in relay.store.query([nt.Filter()], now=NOW)} == set(ids)
    assert [report.posting.events for report in reports] in ([before.events], [])
    assert kept(store) == []


async def test_resume_sends_only_what_a_relay_has_not_taken(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    async with (
        FaultyRelay(stocked()) as good,
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as late,
    ):
        async with opened(store, good.url, late.url, by=ALICE) as nostr:
            report = await nostr.publish(LONG, limit=LIMIT)
        assert (report.accepted, report.complete) == (True, False)
        late.faults = Faults()
        async with opened(store) as nostr:
            (resumed,) = await nostr.outbox.resume()
        assert resumed.complete
        assert sent(good) == sent(late) == list(report.posting.events)


async def test_resume_may_be_for_some_answers_alone(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    async with FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay:
        async with opened(store, relay.url, by=ALICE) as nostr:
            reports = [await nostr.publish(text) for text in ("one", "two")]
        relay.faults = Faults()
        async with opened(store) as nostr:
            (resumed,) = await nostr.outbox.resume(only={reports[1].posting.id})
        assert sent(relay) == [resumed.posting.events[0]] == [reports[1].posting.events[0]]


async def test_what_keeps_an_answer_may_refuse_it_and_then_nothing_is_sent(tmp_path: Path) -> None:
    kept_by: list[Posting] = []

    def keeps(posting: Posting) -> None:
        kept_by.append(posting)
        nostr.store.enqueue(posting)

    def refuses(_: Posting) -> None:
        raise StoreError("another process has it")

    async with (
        FaultyRelay(stocked()) as relay,
        opened(tmp_path / "a.db", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("one", enqueue=keeps)
        assert [each.id for each in kept_by] == [report.posting.id]
        with pytest.raises(StoreError, match="another process"):
            await nostr.publish("two", enqueue=refuses)
        assert sent(relay) == [report.posting.events[0]]
        assert len(nostr.store.postings()) == 1


async def test_several_keys_may_share_a_store_and_its_connections() -> None:
    async with FaultyRelay(stocked()) as relay, opened(":memory:", relay.url, by=ALICE) as nostr:
        other = nostr.signing_as(signer_of(BOB))
        reports = [await each.publish("hello") for each in (nostr, other)]
        authors = [report.posting.events[0].pubkey for report in reports]
        assert authors == [nostr.viewer, other.viewer] == [ALICE.pubkey, BOB.pubkey]
        assert len(nostr.store.postings()) == 2
        assert relay.accepted_connections == 1


async def test_an_ok_for_another_id_is_no_answer(tmp_path: Path) -> None:
    """What it names was never sent, and what was sent is not there."""
    async with (
        FaultyRelay(stocked(), Faults(ok_for_other_id=True, ok_but_not_stored=True)) as relay,
        opened(tmp_path / "a.db", relay.url, by=ALICE, quick=0.3) as nostr,
    ):
        report = await nostr.publish("short")
    assert outcomes(report, relay.url) == [NO_ANSWER]
    assert (report.accepted, report.reached) == (False, True)
    assert kept(tmp_path / "a.db") != []


async def test_no_ok_at_all_is_no_answer_and_stays_in_the_outbox(tmp_path: Path) -> None:
    async with (
        FaultyRelay(stocked(), Faults(no_ok=True, ok_but_not_stored=True)) as relay,
        opened(tmp_path / "a.db", relay.url, by=ALICE, quick=0.3) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert len(sent(relay)) == 1
    assert outcomes(report, relay.url) == [NO_ANSWER] + [QUEUED] * (PARTS - 1)
    assert kept(tmp_path / "a.db") != []


async def test_an_ok_for_what_was_thrown_away_is_lost(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    async with (
        FaultyRelay(stocked(), Faults(ok_but_not_stored=True)) as liar,
        opened(store, liar.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert outcomes(report, liar.url) == [LOST] * PARTS
        assert not report.accepted
        assert kept(store) != []
        liar.faults = Faults()
        (again,) = await nostr.outbox.resume()
    assert outcomes(again, liar.url) == [STORED] * PARTS


async def test_what_cannot_be_read_back_stays_accepted(tmp_path: Path) -> None:
    """An OK whose proof is refused is neither stored nor lost."""
    async with (
        FaultyRelay(stocked(), Faults(silent_eose=True)) as relay,
        opened(tmp_path / "a.db", relay.url, by=ALICE, quick=0.3) as nostr,
    ):
        relay.faults = Faults(silent_eose=True, ok_but_not_stored=True)
        report = await nostr.publish("short")
    assert outcomes(report, relay.url) == [nt.Status.ACCEPTED]
    assert report.accepted


@pytest.mark.parametrize(
    ("reason", "is_final"),
    [
        ("blocked: not you", True),
        ("invalid: no", True),
        ("pow: 200 bits", True),
        ("rate-limited: slow down", False),
        ("error: try later", False),
    ],
)
async def test_a_rejection_is_final_or_stays_open_as_its_reason_says(
    tmp_path: Path, reason: str, *, is_final: bool
) -> None:
    store = tmp_path / "a.db"
    async with FaultyRelay(stocked(), Faults(reject_with=reason)) as relay:
        async with opened(store, relay.url, by=ALICE) as nostr:
            report = await nostr.publish("short")
        assert [(d.status, d.reason) for d in report.deliveries] == [(REJECTED, reason)]
        assert (kept(store) == []) is is_final
        relay.faults = Faults()
        async with opened(store) as nostr:
            resumed = await nostr.outbox.resume()
        assert len(sent(relay)) == (1 if is_final else 2)
    assert [report.complete for report in resumed] == ([] if is_final else [True])


async def test_a_rate_limit_in_the_middle_holds_the_rest_until_it_is_over(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    async with FaultyRelay(
        stocked(), Faults(reject_with="rate-limited: slow down", accept_first=1)
    ) as relay:
        async with opened(store, relay.url, by=ALICE) as nostr:
            report = await nostr.publish(LONG, limit=LIMIT)
        assert outcomes(report, relay.url) == [STORED, REJECTED] + [QUEUED] * (PARTS - 2)
        assert sent(relay) == list(report.posting.events[:2])
        relay.faults = Faults()
        async with opened(store) as nostr:
            (resumed,) = await nostr.outbox.resume()
        assert outcomes(resumed, relay.url) == [STORED] * PARTS
        assert sent(relay)[2:] == list(report.posting.events[1:])


async def test_a_relay_that_asks_who_it_is_gets_an_answer_and_then_the_parts() -> None:
    async with (
        FaultyRelay(stocked(), Faults(auth_required=True)) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert [message for message in relay.received if isinstance(message, Auth)]
    assert outcomes(report, relay.url) == [STORED] * PARTS


async def test_a_relay_that_is_never_to_know_who_we_are_is_not_told(tmp_path: Path) -> None:
    async with FaultyRelay(stocked(), Faults(auth_required=True)) as relay:
        never = nt.Config((nt.RelaySettings(relay.url, auth="never"),), config().defaults)
        async with opened(tmp_path / "a.db", by=ALICE) as nostr:
            signer = nostr.signer
        async with nt.open(tmp_path / "a.db", never, signer) as nostr:
            report = await nostr.publish("short")
        assert not [message for message in relay.received if isinstance(message, Auth)]
    assert outcomes(report, relay.url) == [REJECTED]


async def test_one_relay_down_of_two_is_accepted_but_not_complete() -> None:
    async with (
        RelayServer(stocked()) as good,
        opened(":memory:", good.url, DEAD, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
    assert (report.accepted, report.complete) == (True, False)
    assert outcomes(report, good.url) == [STORED] * PARTS
    assert outcomes(report, DEAD) == [UNREACHABLE] * PARTS
    pointer = nt.decode(report.code)
    assert getattr(pointer, "relays", None) == (good.url,)


async def test_a_relay_that_lacks_a_part_gets_no_later_one_until_the_quorum_has_it() -> None:
    async with (
        FaultyRelay(stocked()) as good,
        opened(":memory:", good.url, DEAD, by=ALICE, quorum=2) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert sent(good) == list(report.posting.events)
    assert not report.accepted
    held = [each for each in report.deliveries if each.part > 1 and each.relay == DEAD]
    assert [(each.status, each.reason) for each in held] == [
        (QUEUED, f"not sent: part {part} was taken by 1 of 2") for part in range(1, PARTS)
    ]


@pytest.mark.parametrize("quorum", [1, 2, 3])
async def test_no_relay_gets_a_part_before_it_or_the_quorum_has_the_one_before(
    quorum: int,
) -> None:
    """One relay takes everything, one refuses the second part, one is limited to the first."""
    faults = (
        Faults(),
        Faults(reject_with="blocked: no", accept_first=1, reject_first=1),
        Faults(reject_with="rate-limited: wait", accept_first=1),
    )
    relays = [FaultyRelay(stocked(), each) for each in faults]
    taken: dict[int, set[str]] = {0: set(), **{part: set() for part in range(1, PARTS + 1)}}

    def check(delivery: nt.Delivery) -> None:
        """Called as soon as an outcome is known: what has been sent by then was allowed."""
        if delivery.status.taken:
            taken[delivery.part].add(delivery.relay)
        for relay in relays:
            for event in sent(relay):
                before = int(event.tag_values("part")[0]) - 1
                allowed = relay.url in taken[before] or len(taken[before]) >= quorum
                assert allowed or before == 0

    async with relays[0], relays[1], relays[2]:
        urls = [relay.url for relay in relays]
        async with opened(":memory:", *urls, by=ALICE, quorum=quorum) as nostr:
            report = await nostr.publish(LONG, limit=LIMIT, progress=check)
        assert sent(relays[0]) == list(report.posting.events)
        assert {len(part) for part in taken.values()} >= {3, 1}
    assert report.accepted is (quorum == 1)


async def test_what_is_answered_must_be_known_to_somebody() -> None:
    async with (
        FaultyRelay(stocked([QUESTION])) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        with pytest.raises(NotFound, match="cannot be answered"):
            await nostr.publish("short", reply_to="ab" * 32)
        lost = BOB.reply(QUESTION, "x").id
        reply = CAROL.note("y", NOW + 9, (("e", QUESTION.id, "", "root"), ("e", lost, "", "reply")))
        missing = nt.Thread.build([QUESTION, reply]).missing[0]
        with pytest.raises(NotFound, match="a missing note cannot be answered"):
            await nostr.publish("short", reply_to=missing)
        assert sent(relay) == []
        assert nostr.store.postings() == []


async def test_a_note_in_the_store_is_answered_without_asking_anybody(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db") as store:
        store.add([QUESTION], relay="wss://seen.example", now=NOW)
    async with (
        FaultyRelay(stocked()) as relay,
        opened(tmp_path / "a.db", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("short", reply_to=QUESTION.id, relays=[relay.url])
        first: list[ClientMessage] = [
            message for message in relay.received if isinstance(message, Publish | Request)
        ]
        assert isinstance(first[0], Publish)
    refs = nt.references(report.posting.events[0])
    assert refs.parent is not None
    assert (refs.parent.id, refs.parent.relays) == (QUESTION.id, ("wss://seen.example",))


async def test_a_local_relay_is_no_hint_for_others() -> None:
    async with (
        RelayServer(stocked([QUESTION])) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("short", reply_to=QUESTION.id)
    (tag,) = [tag for tag in report.posting.events[0].tags if tag[0] == "e"]
    assert tag == ("e", QUESTION.id, "", "root", BOB.pubkey)


async def test_an_article_is_answered_with_comments() -> None:
    article = BOB.article("long", "text", NOW)
    async with (
        RelayServer(stocked([article])) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, reply_to=article.id, limit=LIMIT)
        found = await nostr.fetch(article.id)
    assert {event.kind for event in report.posting.events} == {kinds.COMMENT}
    for event in report.posting.events:
        assert event.tag_values("A") == (f"30023:{BOB.pubkey}:long",)
        assert event.tag_values("K") == ("30023",)
    assert [node.depth for node in found.thread.nodes] == list(range(PARTS + 1))


class BrokenSigner(ReadOnlySigner):
    """Signs so many and then fails, as a signer elsewhere may."""

    def __init__(self, good: int) -> None:
        super().__init__(ALICE.pubkey)
        self._left = good

    async def sign(self, draft: nt.Draft) -> nt.Verified:
        if not self._left:
            raise SigningError("the signer went away")
        self._left -= 1
        return ALICE.sign(draft)


@pytest.mark.parametrize("good", [0, 1, PARTS - 1])
async def test_a_signer_that_fails_leaves_nothing_stored_or_sent(tmp_path: Path, good: int) -> None:
    store = tmp_path / "a.db"
    async with FaultyRelay(stocked()) as relay:
        with pytest.raises(SigningError, match="went away"):
            async with nt.open(store, config(relay.url), BrokenSigner(good)) as nostr:
                await nostr.publish(LONG, limit=LIMIT)
        assert relay.received == []
    assert kept(store, open_only=False) == []
    with SqliteStore(store) as opened_store:
        assert opened_store.query([nt.Filter()], now=NOW) == []


async def test_what_cannot_be_published_is_refused_before_anything_is_signed() -> None:
    async with FaultyRelay(stocked()) as relay:
        async with opened(":memory:", relay.url) as nostr:
            with pytest.raises(NoSigner, match="NOSTR_SECRET_KEY"):
                await nostr.publish("short")
        async with opened(":memory:", relay.url, by=ALICE) as nostr:
            with pytest.raises(InvalidText):
                await nostr.publish(" \n")
            for quorum in (0, 2, -1):
                with pytest.raises(InvalidInput, match=f"a quorum of {quorum}"):
                    await nostr.publish("short", quorum=quorum)
        async with opened(":memory:", by=ALICE) as nostr:
            with pytest.raises(InvalidInput, match="no relay to write to"):
                await nostr.publish("short")
        assert relay.received == []


async def test_the_parts_of_split_can_be_published_as_they_are() -> None:
    parts = nt.split(LONG, LIMIT, marker="\n{index} of {total}")
    async with RelayServer(stocked()) as relay, opened(":memory:", relay.url, by=ALICE) as nostr:
        report = await nostr.publish(parts)
    assert [event.content for event in report.posting.events] == [part.text for part in parts]


async def test_the_last_part_is_dated_now_and_none_before_what_it_answers() -> None:
    now = 1_760_000_000
    fresh = BOB.note("just now", now - 1)
    async with (
        RelayServer(stocked([fresh])) as relay,
        opened(":memory:", relay.url, by=ALICE, clock=lambda: float(now)) as nostr,
    ):
        alone = await nostr.publish(LONG, limit=LIMIT)
        answer = await nostr.publish(LONG, reply_to=fresh.id, limit=LIMIT)
    assert [event.created_at for event in alone.posting.events] == list(
        range(now - PARTS + 1, now + 1)
    )
    assert [event.created_at for event in answer.posting.events] == list(
        range(now + 1, now + 1 + PARTS)
    )


async def test_two_answers_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    async with (
        RelayServer(stocked()) as relay,
        opened(tmp_path / "a.db", relay.url, by=ALICE) as nostr,
    ):
        reports = await asyncio.gather(
            nostr.publish(LONG, limit=LIMIT), nostr.publish(LONG[::-1], limit=LIMIT)
        )
    assert [report.complete for report in reports] == [True, True]
    assert len(kept(tmp_path / "a.db", open_only=False)) == 2


async def test_what_was_accepted_is_read_back_later_and_not_sent_again(tmp_path: Path) -> None:
    """It stays in the outbox until it is proved: an OK is not a copy."""
    store = tmp_path / "a.db"
    async with (
        FaultyRelay(stocked(), Faults(drop_connection_after=1)) as relay,
        opened(store, relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert (report.accepted, report.complete) == (True, False)
        assert report.open == outcomes(report, relay.url).count(nt.Status.ACCEPTED) > 0
        relay.faults = Faults()
        already = len(sent(relay))
        (again,) = await nostr.outbox.resume()
        assert len(sent(relay)) == already
    assert outcomes(again, relay.url) == [STORED] * PARTS
    assert kept(store) == []


async def test_what_can_never_arrive_does_not_stay_in_the_outbox(tmp_path: Path) -> None:
    """A first part that is refused for good keeps the others from ever being sent."""
    store = tmp_path / "a.db"
    async with (
        FaultyRelay(stocked(), Faults(reject_with="blocked: not you")) as relay,
        opened(store, relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert len(sent(relay)) == 1
    assert {d.status for d in report.deliveries} == {REJECTED}
    assert report.deliveries[1].reason == "not sent: part 1 was rejected"
    assert kept(store) == []


# Work that a relay asks for only by refusing (NIP-13)


def unworked(bits: int) -> Accept:
    """A policy that wants work, which no document of the relay says."""

    def accept(event: nt.Verified) -> str | None:
        found = difficulty(event.id)
        return f"pow: difficulty {found} is less than {bits}" if found < bits else None

    return accept


async def test_a_relay_that_asks_for_work_by_refusing_gets_it_where_nobody_has_a_part() -> None:
    plans: list[int] = []
    async with (
        FaultyRelay(stocked(), accept=unworked(9)) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(
            LONG, limit=LIMIT, planned=lambda plan: plans.append(plan.work)
        )
        assert report.complete
        assert plans == [0, 9]
        first, *rest = nostr.store.postings()
        assert {each.status for each in first.deliveries} == {nt.Status.CANCELLED}
        assert [each.id for each in rest] == [report.posting.id]
        again = await nostr.publish("and this", planned=lambda plan: plans.append(plan.work))
    assert {committed(event) >= 9 for event in (*report.posting.events, *again.posting.events)} == {
        True
    }
    assert plans == [0, 9, 9]  # the second answer knows


async def test_where_another_relay_has_a_part_no_second_version_is_signed() -> None:
    async with (
        FaultyRelay(stocked(), accept=unworked(9)) as strict,
        FaultyRelay(stocked()) as easy,
        opened(":memory:", strict.url, easy.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("short")
        assert outcomes(report, strict.url) == [REJECTED]
        assert outcomes(report, easy.url) == [STORED]
        assert len(nostr.store.postings()) == 1
        assert (await nostr.publish("then both have it")).complete


async def test_where_the_relay_itself_may_have_had_it_no_second_version_is_signed() -> None:
    """It said OK, had nothing, and wanted work when it was sent again."""
    faults = Faults(ok_but_not_stored=True, accept_first=1, reject_with="pow: 9 bits needed")
    async with (
        FaultyRelay(stocked(), faults) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("short")
        assert outcomes(report, relay.url) == [REJECTED]
        assert len({event.id for event in sent(relay)}) == 1


async def test_what_a_relay_wants_is_added_to_its_document_which_is_as_old_as_before() -> None:
    async with (
        FaultyRelay(stocked(), accept=unworked(9)) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        fetched = int(time.time()) - 80_000
        nostr.store.keep_relay_document(relay.url, '{"name":"strict"}', now=fetched)
        assert (await nostr.publish("short")).complete
        text, at = nostr.store.relay_document(relay.url) or ("", 0)
    assert (at, '"strict"' in text, "9" in text) == (fetched, True, True)


async def test_more_work_than_is_allowed_is_not_done() -> None:
    async with (
        FaultyRelay(stocked(), accept=unworked(40)) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("short", style=nt.Style(most_work=8))
        assert outcomes(report, relay.url) == [REJECTED]
        assert len(sent(relay)) == 1


async def test_a_relay_that_never_has_enough_gets_no_more_than_is_allowed() -> None:
    def greedy(event: nt.Verified) -> str:
        return f"pow: {difficulty(event.id) + 1} bits needed"

    async with (
        FaultyRelay(stocked(), accept=greedy) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("short", style=nt.Style(most_work=5))
        assert outcomes(report, relay.url) == [REJECTED]
        assert len(sent(relay)) <= 6
