"""Against a relay with faults: every answer is honest about how it ended, and nothing crashes."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.delivery import Status
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Close, Request
from nostr_threads.relayd.limits import Limits
from nostr_threads.testing import GARBAGE, START, Author, Faults, thread
from tests.net.peers import ALICE, BRIEF, faulty, kept, scripted, sign_in

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from nostr_threads.testing.faults import Forgery, Place

NOTES = Filter(kinds=(1,))
THREAD = thread(12, seed=2)
IDS = {event.id for event in THREAD}


async def test_an_honest_relay_gives_everything_in_one_question() -> None:
    """NIP-67: "finish" spares the second page."""
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, {event.id for event in answer.events}) == (Finish.COMPLETE, IDS)
        assert [type(message) for message in peer.received] == [Request]


async def test_the_subscription_is_closed_after_its_answer() -> None:
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        await relay.fetch(NOTES)
        await relay.count(NOTES)
        assert [type(message).__name__ for message in peer.received] == [
            "Request",
            "Close",
            "Count",
        ]


@pytest.mark.parametrize("where", ["before", "between", "after"])
@pytest.mark.parametrize("how", ["content", "signature"])
async def test_forged_copies_hide_nothing_and_are_counted(how: Forgery, where: Place) -> None:
    """Verify before seen."""
    faults = Faults(forge=how, forge_where=where)
    async with faulty(faults, THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert answer.finish is Finish.COMPLETE
        assert set(answer.events) == set(THREAD)
        assert answer.refused == len(THREAD)


@pytest.mark.parametrize("how", ["content", "signature", "id"])
async def test_forgeries_alone_are_no_events(how: Forgery) -> None:
    faults = Faults(forge=how, forge_where="instead")
    async with faulty(faults, THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.events, answer.refused) == ((), len(THREAD))


async def test_many_forgeries_are_refused_off_the_loop() -> None:
    crowd = thread(150, seed=3)
    faults = Faults(forge="signature", forge_where="before")
    async with faulty(faults, crowd) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert (set(answer.events), answer.refused) == (set(crowd), 150)


async def test_garbage_is_counted_and_passed_over_and_leaves_a_doubt() -> None:
    """An event that cannot be read may be one that is wanted."""
    async with faulty(Faults(garbage=GARBAGE), THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, {event.id for event in answer.events}) == (Finish.LIMITED, IDS)
        assert answer.refused > 0
        assert relay.malformed >= len(GARBAGE)
        assert (await relay.publish(ALICE.note("still here")))[0] is Status.ACCEPTED


async def test_doubles_count_once() -> None:
    async with faulty(Faults(duplicates=3), THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert len(answer.events) == len(THREAD)
        assert answer.refused == 0


async def test_events_for_nobodys_subscription_are_not_taken() -> None:
    async with faulty(Faults(wrong_subscription=True), THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert answer.events == ()
        assert relay.malformed == len(THREAD)


async def test_events_that_were_not_asked_for_are_not_taken() -> None:
    article = ALICE.article("x", "text")
    async with faulty(Faults(extra_events=(article,)), THREAD) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert set(answer.events) == set(THREAD)
        assert relay.malformed == 1


async def test_a_silent_end_is_a_timeout_with_the_events_so_far() -> None:
    """EOSE by timer is never shown as EOSE."""
    async with (
        faulty(Faults(silent_eose=True), THREAD) as peer,
        kept(peer.url, timeouts=BRIEF) as relay,
    ):
        answer = await relay.fetch(NOTES)
        assert (answer.finish, {event.id for event in answer.events}) == (Finish.TIMEOUT, IDS)
        peer.faults = Faults()
        assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE
        assert any(isinstance(message, Close) for message in peer.received)


async def test_a_connection_that_drops_in_the_middle_is_lost_with_the_events_so_far() -> None:
    async with (
        faulty(Faults(drop_connection_after=5), THREAD) as peer,
        kept(peer.url) as relay,
    ):
        answer = await relay.fetch(NOTES)
        assert (answer.finish, len(answer.events)) == (Finish.LOST, 5)
        peer.faults = Faults()
        assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE
        assert peer.accepted_connections == 2


async def test_a_relay_that_lets_nobody_in_is_unreachable() -> None:
    async with faulty(Faults(refuse_connections=True)) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert answer.finish is Finish.UNREACHABLE
        assert "503" in answer.reason
        peer.faults = Faults()
        assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE


async def test_a_relay_that_asks_who_is_there_is_told() -> None:
    """NIP-42, for REQ, COUNT and EVENT."""
    faults = Faults(auth_required=True)
    async with (
        faulty(faults, THREAD) as peer,
        kept(peer.url, authenticate=sign_in) as relay,
    ):
        assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE
        assert (await relay.publish(ALICE.note("x")))[0] is Status.ACCEPTED
        assert await relay.count(NOTES) == len(THREAD) + 1


async def test_a_count_alone_says_who_is_there() -> None:
    async with (
        faulty(Faults(auth_required=True), THREAD) as peer,
        kept(peer.url, authenticate=sign_in) as relay,
    ):
        assert await relay.count(NOTES) == len(THREAD)


async def test_without_a_signer_a_count_is_not_known() -> None:
    async with faulty(Faults(auth_required=True), THREAD) as peer, kept(peer.url) as relay:
        assert await relay.count(NOTES) is None


async def test_a_relay_without_hints_is_paged() -> None:
    crowd = thread(70, seed=4)
    async with faulty(Faults(answer_limit=20), crowd) as peer, kept(peer.url) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, len(answer.events)) == (Finish.COMPLETE, 70)


async def test_a_sample_is_one_question() -> None:
    crowd = thread(70, seed=4)
    async with faulty(Faults(answer_limit=20), crowd) as peer, kept(peer.url) as relay:
        answer = await relay.sample(NOTES)
        assert (answer.finish, len(answer.events)) == (Finish.COMPLETE, 20)
        assert [type(message) for message in peer.received] == [Request]


async def test_more_than_the_relay_gives_of_one_second_is_limited() -> None:
    crowd = [Author(number).note("at once", START) for number in range(40)]
    async with (
        faulty(events=crowd, limits=Limits(max_limit=25)) as peer,
        kept(peer.url) as relay,
    ):
        answer = await relay.fetch(NOTES)
        assert (answer.finish, len(answer.events)) == (Finish.LIMITED, 25)
        assert str(START) in answer.reason


# Publishing


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        (Faults(), Status.ACCEPTED),
        (Faults(reject_with="blocked: not you"), Status.REJECTED),
        (Faults(reject_with="duplicate: had it"), Status.DUPLICATE),
        (Faults(no_ok=True), Status.NO_ANSWER),
        (Faults(ok_for_other_id=True), Status.NO_ANSWER),
        (Faults(drop_connection_after=0), Status.NO_ANSWER),
        (Faults(refuse_connections=True), Status.UNREACHABLE),
        (Faults(ok_but_not_stored=True), Status.ACCEPTED),
        (Faults(garbage=GARBAGE), Status.ACCEPTED),
    ],
)
async def test_what_became_of_an_event_is_told(faults: Faults, status: Status) -> None:
    """OK is matched to the id it names."""
    async with faulty(faults) as peer, kept(peer.url, timeouts=BRIEF) as relay:
        told, reason = await relay.publish(ALICE.note("x"))
        assert told is status
        assert reason or status is Status.ACCEPTED


async def test_an_event_that_was_sent_before_is_a_duplicate() -> None:
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        assert (await relay.publish(THREAD[0]))[0] is Status.DUPLICATE


async def test_the_same_event_published_twice_at_once_is_sent_once() -> None:
    note = ALICE.note("x")
    async with faulty() as peer, kept(peer.url) as relay:
        both = await asyncio.gather(relay.publish(note), relay.publish(note))
        assert {status for status, _ in both} == {Status.ACCEPTED}
        assert len(peer.received) == 1
        assert relay.malformed == 0


async def test_many_events_at_once_each_get_their_own_ok() -> None:
    faults = Faults(reject_with="blocked: x", accept_first=6)
    async with faulty(faults) as peer, kept(peer.url) as relay:
        told = await asyncio.gather(*(relay.publish(event) for event in THREAD))
        for event, (status, _) in zip(THREAD, told, strict=True):
            stored = peer.store.event(event.id) is not None
            assert stored == (status is Status.ACCEPTED)


# Many at once, cancelling


async def test_many_questions_at_once_share_one_connection() -> None:
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        questions = [Filter(ids=(event.id,)) for event in THREAD * 5]
        answers = await asyncio.gather(*(relay.fetch(each) for each in questions))
        assert [answer.events[0].id for answer in answers] == [e.id for e in THREAD * 5]
        assert peer.accepted_connections == 1


async def test_no_more_subscriptions_are_open_than_relays_allow() -> None:
    limits = Limits(max_subscriptions=10)
    async with faulty(events=THREAD, limits=limits) as peer, kept(peer.url) as relay:
        answers = await asyncio.gather(*(relay.fetch(NOTES) for _ in range(50)))
        assert {answer.finish for answer in answers} == {Finish.COMPLETE}


async def test_questions_to_a_relay_that_lets_nobody_in_all_end() -> None:
    async with faulty(Faults(refuse_connections=True)) as peer, kept(peer.url) as relay:
        answers = await asyncio.gather(*(relay.fetch(NOTES) for _ in range(50)))
        assert {answer.finish for answer in answers} == {Finish.UNREACHABLE}


async def test_cancelling_a_question_leaves_the_relay_usable() -> None:
    async with faulty(Faults(silent_eose=True), THREAD) as peer, kept(peer.url) as relay:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await relay.fetch(NOTES)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await relay.fetch(NOTES)
        peer.faults = replace(peer.faults, silent_eose=False)
        assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE
        assert relay.malformed == 0


async def test_cancelling_a_publication_leaves_the_relay_usable() -> None:
    async with faulty(Faults(no_ok=True)) as peer, kept(peer.url) as relay:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await relay.publish(THREAD[0])
        peer.faults = Faults()
        assert (await relay.publish(THREAD[1]))[0] is Status.ACCEPTED


# Following


async def test_following_passes_over_forgeries() -> None:
    faults = Faults(forge="signature", forge_where="before", garbage=GARBAGE)
    async with faulty(faults, THREAD) as peer, kept(peer.url) as relay:
        async with aclosing(relay.follow(NOTES)) as events:
            seen = [await anext(events) for _ in THREAD]
        assert set(seen) == set(THREAD)


async def test_following_ends_when_the_relay_refuses() -> None:
    async with (
        faulty(Faults(auth_required=True), THREAD) as peer,
        kept(peer.url) as relay,
        aclosing(relay.follow(NOTES)) as events,
    ):
        assert [event async for event in events] == []


async def test_following_says_who_is_there_when_asked() -> None:
    async with (
        faulty(Faults(auth_required=True), THREAD) as peer,
        kept(peer.url, authenticate=sign_in) as relay,
        aclosing(relay.follow(NOTES)) as events,
    ):
        assert {(await anext(events)).id for _ in THREAD} == IDS


async def test_following_goes_on_after_the_connection_was_cut_and_asks_the_same() -> None:
    """Never change the caller's `since` on reconnect."""
    since = Filter(kinds=(1,), since=START + 3)
    stored = {event.id for event in THREAD if event.created_at >= START + 3}
    async with (
        faulty(events=THREAD) as peer,
        kept(peer.url, jitter=lambda: -0.99) as relay,
        aclosing(relay.follow(since)) as events,
    ):
        for _ in range(3):
            assert {(await anext(events)).id for _ in stored} == stored
            peer.drop_connections()
        assert (await anext(events)).id in stored
        asked = [each for each in peer.received if isinstance(each, Request)]
        assert [message.filters for message in asked] == [(since,)] * 4
        assert peer.accepted_connections == 4


async def test_a_question_ends_the_pause_before_reconnecting() -> None:
    async with (
        faulty(events=THREAD) as peer,
        kept(peer.url, jitter=lambda: 1000.0) as relay,
        aclosing(relay.follow(NOTES)) as events,
    ):
        assert {(await anext(events)).id for _ in THREAD} == IDS
        peer.drop_connections()
        while (await relay.fetch(NOTES)).finish is not Finish.COMPLETE:
            pass
        assert {(await anext(events)).id for _ in THREAD} == IDS


async def test_following_survives_a_time_without_connections() -> None:
    async with (
        faulty(Faults(refuse_connections=True), THREAD) as peer,
        kept(peer.url, jitter=lambda: -0.99) as relay,
        aclosing(relay.follow(NOTES)) as events,
    ):
        first = asyncio.ensure_future(anext(events))
        assert (await relay.fetch(NOTES)).finish is Finish.UNREACHABLE
        peer.faults = Faults()
        assert (await first).id in IDS


async def test_whoever_stops_following_in_a_flood_does_not_hold_the_relay_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reader may be waiting for room in a queue that nobody reads any more."""
    monkeypatch.setattr("nostr_threads.net.following._LIVE_QUEUE", 2)
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        async with aclosing(relay.follow(NOTES)) as events:
            await anext(events)
        answer = await relay.fetch(NOTES)
        assert (answer.finish, len(answer.events)) == (Finish.COMPLETE, len(THREAD))


async def test_a_reader_that_is_slow_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.net.following._LIVE_QUEUE", 2)
    async with (
        faulty(events=THREAD) as peer,
        kept(peer.url) as relay,
        aclosing(relay.follow(NOTES)) as events,
    ):
        assert {(await anext(events)).id for _ in THREAD} == IDS


async def test_a_reader_that_is_slow_holds_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.net.following._LIVE_BYTES", 2_000)
    large = [ALICE.note(f"{number}" * 5_000) for number in range(20)]
    async with (
        faulty(events=large) as peer,
        kept(peer.url) as relay,
        aclosing(relay.follow(NOTES)) as events,
    ):
        seen = {(await anext(events)).id}
        (following,) = relay._follower._live.values()
        # What came last may be as large as it likes; nothing is read after it.
        assert following.queue.qsize() <= 1
        seen |= {(await anext(events)).id for _ in large[1:]}
    assert seen == {event.id for event in large}


async def test_what_is_larger_than_whoever_follows_wants_is_passed_over() -> None:
    large, small = ALICE.note("x" * 5_000), ALICE.note("small")
    async with (
        faulty(events=[large, small]) as peer,
        kept(peer.url) as relay,
        aclosing(relay.follow(NOTES, largest=2_000)) as events,
    ):
        assert await anext(events) == small


async def test_a_relay_that_wants_to_know_for_ever_who_is_there_gets_few_signatures() -> None:
    signatures, words = 0, list[str]()

    async def ask_again(socket: ServerConnection, message: list[Any]) -> None:
        nonlocal signatures
        if message[0] == "AUTH":
            signatures += 1
            await socket.send(json.dumps(["OK", message[1]["id"], True, ""]))
        elif message[0] == "REQ":
            await socket.send(json.dumps(["AUTH", f"challenge {message[1]}"]))
            await socket.send(json.dumps(["CLOSED", message[1], "auth-required: who is there?"]))

    async with (
        scripted(ask_again) as url,
        kept(url, authenticate=sign_in) as relay,
        aclosing(relay.follow(NOTES, closed=words.append)) as events,
    ):
        assert [event async for event in events] == []
        assert (signatures, words) == (3, ["auth-required: who is there?"])
        for _ in range(9):
            await relay.fetch(NOTES)
        assert signatures == 5
