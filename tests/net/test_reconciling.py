"""NIP-77 with our own relay and with hostile ones: what differs is found, and how it ended told."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core import negentropy
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.limits import Limits
from nostr_threads.core.messages import Auth, NegClose, NegMsg, NegOpen
from nostr_threads.core.negentropy import Items, initiate
from nostr_threads.core.wire import encode
from nostr_threads.net import reconciling
from nostr_threads.testing import ENDLESS, GARBAGE, START, Faults, invented_ids, thread
from tests.core.invented import invented
from tests.net.peers import ALICE, BRIEF, faulty, kept, scripted, sign_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.asyncio.server import ServerConnection

    from nostr_threads.core.difference import Difference
    from nostr_threads.core.event import Verified
    from nostr_threads.core.messages import ClientMessage, Malformed
    from nostr_threads.net.relay import Relay

NOTES = Filter(kinds=(1,))
THREAD = thread(120, seed=77)
NAMELESS_GARBAGE = tuple(frame for frame in GARBAGE if '"1"' not in str(frame))


def items_of(events: Sequence[Verified]) -> Items:
    return Items((event.created_at, event.id) for event in events)


def ids_of(events: Sequence[Verified]) -> set[bytes]:
    return {bytes.fromhex(event.id) for event in events}


async def differs(relay: Relay, events: Sequence[Verified] = THREAD[20:]) -> Difference:
    return await relay.reconcile(NOTES, items_of(events))


def said(received: Sequence[ClientMessage | Malformed]) -> list[NegOpen | NegMsg]:
    return [message for message in received if isinstance(message, NegOpen | NegMsg)]


# An honest relay


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (THREAD[:100], THREAD[20:]),
        (THREAD, ()),
        ((), THREAD),
        ((), ()),
        (THREAD, THREAD),
        (THREAD[:5], THREAD[3:9]),
        (THREAD[::2], THREAD[1::2]),
    ],
    ids=["both", "we have none", "it has none", "none", "the same", "few", "nothing shared"],
)
async def test_what_either_side_lacks_is_found(
    theirs: Sequence[Verified], ours: Sequence[Verified]
) -> None:
    async with faulty(events=theirs) as peer, kept(peer.url) as relay:
        found = await differs(relay, ours)
        assert (found.finish, found.reason, found.relay) == (Finish.COMPLETE, "", peer.url)
        assert set(found.have) == ids_of(ours) - ids_of(theirs)
        assert set(found.need) == ids_of(theirs) - ids_of(ours)
        assert len(found.have) == len(set(found.have))
        assert found.rounds == len(said(peer.received))
        assert found.sent == sum(len(message.message) for message in said(peer.received))
        assert found.received >= 2 * found.rounds
        assert relay.malformed == 0


async def test_only_what_the_filter_matches_is_compared() -> None:
    events = [*THREAD, ALICE.event(7, "+"), ALICE.article("x", "text")]
    async with faulty(events=events) as peer, kept(peer.url) as relay:
        assert (await differs(relay, THREAD)).need == ()
        others = Filter(kinds=(7, 30023))
        found = await relay.reconcile(others, Items(()))
        assert set(found.need) == ids_of(events[-2:])


async def test_the_relay_is_told_when_it_can_forget() -> None:
    """NIP-77: NEG-CLOSE releases its resources."""
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        await differs(relay)
        assert (await relay.fetch(Filter(ids=(THREAD[0].id,)))).finish is Finish.COMPLETE
        closes = [message for message in peer.received if isinstance(message, NegClose)]
        assert closes == [NegClose(said(peer.received)[0].subscription)]


async def test_ten_thousand_events_of_which_one_in_a_hundred_differs_cost_little() -> None:
    events = [invented(f"{number}", at=START + number // 3) for number in range(10_000)]
    theirs = [event for number, event in enumerate(events) if number % 200]
    ours = [event for number, event in enumerate(events) if number % 200 != 100]
    async with faulty(events=theirs) as peer, kept(peer.url) as relay:
        found = await differs(relay, ours)
    assert (found.finish, len(found.have), len(found.need)) == (Finish.COMPLETE, 50, 50)
    assert set(found.need) == ids_of(theirs) - ids_of(ours)
    assert found.rounds <= 6
    # All ids of one side would be 640,000 digits.
    assert found.sent + found.received < 320_000


@pytest.mark.parametrize("most", [0, 8_000, 10_000, 20_000])
async def test_no_message_is_longer_than_the_relay_takes(most: int) -> None:
    """NIP-11's max_message_length; but for 4,096 bytes, the least that the protocol allows."""

    async def limits_of(_: str) -> Limits:
        return Limits(message_bytes=most)

    events = [invented(f"{number}", at=START + number) for number in range(3_000)]
    async with faulty(events=events[::2]) as peer, kept(peer.url, limits_of=limits_of) as relay:
        found = await differs(relay, events[::3])
        whole = max(len(encode(message)) for message in said(peer.received))
        assert whole <= max(most, 2 * 4_096 + 200)
        assert len(said(peer.received)) > 2
    assert (set(found.have), set(found.need)) == (
        ids_of(events[::3]) - ids_of(events[::2]),
        ids_of(events[::2]) - ids_of(events[::3]),
    )


async def test_a_relay_that_complains_of_the_length_is_asked_with_shorter_messages() -> None:
    opened = 0

    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        nonlocal opened
        if message[0] == "NEG-OPEN":
            opened += 1
            too_long = '["NOTICE","message too large, max 9000 bytes"]'
            empty = json.dumps(["NEG-MSG", message[1], "61"])
            await socket.send(too_long if opened == 1 else empty)

    async with scripted(answer) as url, kept(url) as relay:
        assert (await differs(relay)).finish is Finish.COMPLETE
    assert opened == 2


async def test_long_messages_are_read_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    real = negentropy.reconcile

    def watched(items: Items, message: bytes, *, frame_limit: int) -> negentropy.Step:
        if len(message) > 2_048:
            threads.append(threading.current_thread())
        return real(items, message, frame_limit=frame_limit)

    monkeypatch.setattr(negentropy, "reconcile", watched)
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        assert len((await differs(relay, THREAD[:3])).need) == len(THREAD) - 3
    assert threads
    assert threading.main_thread() not in threads


# Who may ask, and how many at a time


async def test_a_relay_that_wants_to_know_who_asks_is_told_once() -> None:
    """NIP-42."""
    async with faulty(Faults(auth_required=True), THREAD[:100]) as peer:
        async with kept(peer.url, authenticate=sign_in) as relay:
            found = await differs(relay)
            assert (found.finish, len(found.have)) == (Finish.COMPLETE, 20)
            assert sum(isinstance(message, Auth) for message in peer.received) == 1
        async with kept(peer.url) as relay:
            found = await differs(relay)
            assert found.finish is Finish.REFUSED
            assert found.reason.startswith("auth-required: ")


async def test_it_takes_a_place_among_the_questions() -> None:
    """NIP-11's max_subscriptions."""
    open_now, most_open = set[str](), 0

    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        nonlocal most_open
        match message:
            case ["NEG-OPEN" | "REQ" as verb, name, *_]:
                open_now.add(name)
                most_open = max(most_open, len(open_now))
                done = ["EOSE", name] if verb == "REQ" else ["NEG-MSG", name, "61"]
                await socket.send(json.dumps(done))
            case [_, name]:
                open_now.discard(name)

    async def limits_of(_: str) -> Limits:
        return Limits(subscriptions=1)

    async with scripted(answer) as url, kept(url, limits_of=limits_of) as relay:
        one, answer_to_all, other = await asyncio.gather(
            differs(relay), relay.fetch(NOTES), differs(relay)
        )
        assert one.finish is answer_to_all.finish is other.finish is Finish.COMPLETE
    assert most_open == 1


async def test_a_connection_that_had_ended_unnoticed_is_made_anew() -> None:
    async with faulty(events=THREAD) as peer, kept(peer.url) as relay:
        await differs(relay)
        peer.drop_connections()
        assert (await differs(relay)).finish is Finish.COMPLETE


async def test_cancelling_leaves_the_relay_usable() -> None:
    async with faulty(Faults(silent_negentropy=True), THREAD) as peer, kept(peer.url) as relay:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await differs(relay)
        peer.faults = Faults()
        assert (await differs(relay)).finish is Finish.COMPLETE
        assert relay.malformed == 0


# Faults


@pytest.mark.parametrize(
    ("faults", "finish", "reason"),
    [
        (Faults(no_negentropy=True), Finish.REFUSED, "unknown cmd"),
        (
            Faults(negentropy_error="blocked: this query is too big"),
            Finish.REFUSED,
            "blocked: this query is too big",
        ),
        (Faults(negentropy_error="PROTOCOL-ERROR"), Finish.REFUSED, "PROTOCOL-ERROR"),
        (Faults(silent_negentropy=True), Finish.TIMEOUT, "in time"),
        (Faults(negentropy_answer=ENDLESS), Finish.LIMITED, "no end"),
        (Faults(negentropy_answer="62"), Finish.REFUSED, "version"),
        (Faults(negentropy_answer="610000"), Finish.REFUSED, "no sense"),
        (Faults(negentropy_answer="61zz"), Finish.REFUSED, "nobody can read"),
        (Faults(drop_connection_after=0), Finish.LOST, "lost"),
        (Faults(refuse_connections=True), Finish.UNREACHABLE, ""),
        (Faults(garbage=GARBAGE), Finish.REFUSED, "nobody can read"),
        (Faults(garbage=NAMELESS_GARBAGE), Finish.COMPLETE, ""),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, Finish) else None,
)
async def test_each_fault_is_an_ending_with_its_reason(
    faults: Faults, finish: Finish, reason: str
) -> None:
    async with faulty(faults, THREAD[:100]) as peer, kept(peer.url, timeouts=BRIEF) as relay:
        found = await differs(relay)
        assert found.finish is finish
        assert reason in found.reason
        assert found.reason or finish is Finish.COMPLETE
        assert (len(found.have), len(found.need)) in {(0, 0), (20, 20)}


async def test_a_connection_lost_in_the_middle_leaves_what_was_learned() -> None:
    events = [invented(f"{number}", at=START + number) for number in range(2_000)]
    faults = Faults(drop_connection_after=1)
    async with faulty(faults, events[::2]) as peer, kept(peer.url) as relay:
        found = await differs(relay, events[:50])
        assert (found.finish, found.rounds) == (Finish.LOST, 1)
        assert found.have
        assert ids_of(events[1:50:2]) > set(found.have)
        peer.faults = Faults()
        assert (await differs(relay, events)).finish is Finish.COMPLETE


async def test_a_relay_that_cannot_reconcile_can_still_be_asked() -> None:
    async with faulty(Faults(no_negentropy=True), THREAD) as peer, kept(peer.url) as relay:
        both = await asyncio.gather(differs(relay), relay.fetch(NOTES))
        assert [each.finish for each in both] == [Finish.REFUSED, Finish.COMPLETE]


async def test_ids_that_the_relay_makes_up_are_its_word_and_no_more() -> None:
    async with faulty(Faults(invented_ids=50), THREAD) as peer, kept(peer.url) as relay:
        found = await differs(relay, THREAD)
        assert found.finish is Finish.COMPLETE
        assert set(found.need) == set(invented_ids(50))
        answer = await relay.fetch(Filter(ids=tuple(each.hex() for each in found.need)))
        assert (answer.finish, answer.events) == (Finish.COMPLETE, ())


async def test_a_relay_that_names_too_many_ids_is_stopped() -> None:
    async with faulty(Faults(invented_ids=5_000)) as peer, kept(peer.url) as relay:
        found = await relay.reconcile(NOTES, Items(()), most=1_000)
        assert (found.finish, found.rounds) == (Finish.LIMITED, 1)
        assert "more than 1000 ids" in found.reason
        assert 1_000 < len(found.need) < 3_000


async def test_answers_that_bring_something_now_and_then_end_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever names one more id each time could go on for ever."""
    monkeypatch.setattr(reconciling, "_MOST_ROUNDS", 50)
    made_up = iter(invented_ids(100))

    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] != "NEG-CLOSE":
            ids = "01000201" + next(made_up).hex()
            await socket.send(json.dumps(["NEG-MSG", message[1], f"61{ids}{ENDLESS[2:]}"]))

    async with scripted(answer) as url, kept(url) as relay:
        found = await differs(relay)
    assert (found.finish, found.rounds, len(found.need)) == (Finish.LIMITED, 50, 50)


# What relays say that have never heard of it


@pytest.mark.parametrize(
    "words",
    [
        "ERROR: bad msg: unknown cmd",
        "ERROR: bad msg: negentropy disabled",
        "ERROR: too many concurrent NEG requests",
        "could not parse command",
        "Unsupported message type",
        "failed to parse envelope: unknown envelope label",
        "invalid: message type is not known",
    ],
)
async def test_a_notice_that_it_is_not_known_is_a_refusal(words: str) -> None:
    async def answer(socket: ServerConnection, _: list[Any]) -> None:
        await socket.send(json.dumps(["NOTICE", words]))

    async with scripted(answer) as url, kept(url) as relay:
        found = await differs(relay)
    assert (found.finish, found.reason) == (Finish.REFUSED, words)


async def test_a_notice_about_something_else_is_none() -> None:
    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        await socket.send('["NOTICE","Welcome! We keep events for a year."]')
        await socket.send(json.dumps(["NEG-MSG", message[1], "61"]))

    async with scripted(answer) as url, kept(url) as relay:
        assert (await differs(relay)).finish is Finish.COMPLETE


@pytest.mark.parametrize(
    ("words", "finish"),
    [
        ("ERROR: negentropy error: got NEG-MSG before NEG-OPEN complete", Finish.REFUSED),
        ("ERROR: bad req: invalid filter", Finish.TIMEOUT),
    ],
)
async def test_once_it_has_begun_only_words_about_it_end_it(words: str, finish: Finish) -> None:
    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        match message:
            case ["NEG-OPEN", name, *_]:
                await socket.send(json.dumps(["NEG-MSG", name, ENDLESS]))
            case ["NEG-MSG", *_]:
                await socket.send(json.dumps(["NOTICE", words]))

    async with scripted(answer) as url, kept(url, timeouts=BRIEF) as relay:
        assert (await differs(relay)).finish is finish


@pytest.mark.parametrize(
    ("later", "finish", "reason"),
    [
        (["NEG-ERR", "closed: you took too long to respond!"], Finish.REFUSED, "closed: you took"),
        (["NEG-ERR", ""], Finish.REFUSED, "closed by the relay"),
        (["CLOSED", "error: shutting down"], Finish.REFUSED, "error: shutting down"),
        (["NEG-MSG", "61ff"], Finish.LIMITED, "no sense"),
        (["NEG-MSG", "no hex"], Finish.LIMITED, "nobody can read"),
        (["EOSE"], Finish.LIMITED, "out of turn"),
    ],
    ids=lambda value: "-".join(value)[:14] if isinstance(value, list) else None,
)
async def test_what_ends_it_later_leaves_what_was_learned(
    later: list[str], finish: Finish, reason: str
) -> None:
    theirs = Items(enumerate(invented_ids(3), START))

    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        match message:
            case ["NEG-OPEN", name, *_]:
                ids = initiate(theirs).hex()[6:]
                first = f"61{_bound_after(theirs)}{ids}{ENDLESS[2:]}"
                await socket.send(json.dumps(["NEG-MSG", name, first]))
            case ["NEG-MSG", name, _]:
                await socket.send(json.dumps([later[0], name, *later[1:]]))

    async with scripted(answer) as url, kept(url) as relay:
        found = await differs(relay, [event for event in THREAD if event.created_at > START + 9])
    assert found.finish is finish
    assert reason in found.reason
    assert set(found.need) == set(invented_ids(3))


async def test_messages_out_of_turn_end_it() -> None:
    async def answer(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "NEG-OPEN":
            for _ in range(20):
                await socket.send(json.dumps(["NEG-MSG", message[1], ENDLESS]))

    async with scripted(answer) as url, kept(url, timeouts=BRIEF) as relay:
        found = await differs(relay)
        assert (found.finish, found.reason.split()[-1]) == (Finish.LIMITED, "turn")


def _bound_after(items: Items) -> str:
    """The time behind the last item, as a bound without an id."""
    time = int.from_bytes(items.key(len(items) - 1)[:8]) + 1
    return negentropy._varint(time + 1).hex() + "00"
