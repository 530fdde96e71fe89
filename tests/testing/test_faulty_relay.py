"""Each knob of `FaultyRelay`, seen by a client on a socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from nostr_threads.core.event import verify
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Auth,
    AuthChallenge,
    Closed,
    Count,
    CountResult,
    Delivered,
    Eose,
    Malformed,
    NegClose,
    NegErr,
    NegMsg,
    NegOpen,
    Notice,
    Ok,
    Publish,
    Request,
    Tally,
)
from nostr_threads.core.negentropy import Items, initiate, reconcile
from nostr_threads.core.wire import decode_relay_message
from nostr_threads.errors import InvalidEvent
from nostr_threads.testing import (
    ENDLESS,
    GARBAGE,
    Author,
    Faults,
    FaultyRelay,
    ManualClock,
    invented_ids,
    thread,
)
from tests.relayd.peers import NOW, SECONDS, Peer, dialled, stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nostr_threads.core.event import Event

ALICE = Author(1)
ALL = Filter(kinds=(1,))
NOTES = thread(4)
NEWEST_FIRST = NOTES[::-1]


@asynccontextmanager
async def faulty(faults: Faults, **options: Any) -> AsyncIterator[tuple[FaultyRelay, Peer]]:
    async with (
        FaultyRelay(stocked(NOTES), faults, clock=lambda: NOW, **options) as relay,
        dialled(relay.url) as peer,
    ):
        yield relay, peer


def is_genuine(event: Event) -> bool:
    try:
        verify(event)
    except InvalidEvent:
        return False
    return True


async def test_without_faults_it_is_an_honest_relay() -> None:
    note = ALICE.note("x")
    async with faulty(Faults()) as (relay, peer):
        assert await peer.ask(ALL) == (NEWEST_FIRST, Eose("sub", ("finish",)))
        assert await peer.publish(note) == Delivered("sub", note)
        assert await peer.hear() == Ok(note.id, True, "")
        assert relay.received == [Request("sub", (ALL,)), Publish(note)]
        assert (relay.accepted_connections, relay.connections) == (1, 1)


async def test_refused_connections_fail_in_the_handshake_and_can_be_let_in_later() -> None:
    async with FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay:
        with pytest.raises(InvalidStatus):
            async with dialled(relay.url):
                pass
        assert relay.accepted_connections == 0
        relay.faults = Faults()
        async with dialled(relay.url) as peer:
            assert (await peer.ask(ALL))[0] == []


@pytest.mark.parametrize("most", [0, 1, 3, 5])
async def test_each_connection_is_cut_after_so_many_messages(most: int) -> None:
    async with FaultyRelay(stocked(NOTES), Faults(drop_connection_after=most)) as relay:
        for _ in range(2):
            async with dialled(relay.url) as peer:
                await peer.say(Request("sub", (ALL,)))
                for _ in range(most):
                    await peer.hear()
                with pytest.raises(ConnectionClosed):
                    await peer.hear()
    assert relay.accepted_connections == 2


async def test_no_more_connections_are_cut_than_is_said() -> None:
    async with FaultyRelay(stocked(NOTES), Faults(drop_connection_after=0, drop_first=1)) as relay:
        async with dialled(relay.url) as peer:
            await peer.say(Request("sub", (ALL,)))
            with pytest.raises(ConnectionClosed):
                await peer.hear()
        async with dialled(relay.url) as peer:
            assert (await peer.ask(ALL))[0] == NEWEST_FIRST


async def test_all_connections_can_be_cut_at_once() -> None:
    async with faulty(Faults()) as (relay, peer):
        await peer.ask(ALL)
        relay.drop_connections()
        with pytest.raises(ConnectionClosed):
            await peer.hear()


async def test_a_silent_eose_never_comes() -> None:
    async with faulty(Faults(silent_eose=True)) as (_, peer):
        await peer.say(Request("sub", (ALL,)))
        for note in NEWEST_FIRST:
            assert await peer.hear() == Delivered("sub", note)
        await peer.say(Count("c", (ALL,)))
        assert await peer.hear() == CountResult("c", Tally(4))


async def test_a_missing_ok_leaves_the_event_stored() -> None:
    note = ALICE.note("x")
    async with faulty(Faults(no_ok=True)) as (_, peer):
        await peer.say(Publish(note))
        assert await peer.ask(Filter(ids=(note.id,))) == ([note], Eose("sub", ("finish",)))


async def test_an_ok_may_be_a_lie() -> None:
    note = ALICE.note("x")
    async with faulty(Faults(ok_but_not_stored=True)) as (_, peer):
        assert await peer.publish(note) == Ok(note.id, True, "")
        assert await peer.ask(Filter(ids=(note.id,))) == ([], Eose("sub", ("finish",)))


async def test_an_ok_may_name_another_event() -> None:
    note = ALICE.note("x")
    async with faulty(Faults(ok_for_other_id=True)) as (_, peer):
        ok = await peer.publish(note)
    assert isinstance(ok, Ok)
    assert (len(ok.event_id), ok.event_id[1:]) == (64, note.id[1:])
    assert ok.event_id != note.id


async def test_a_rate_limit_begins_after_some_events_and_ends_again() -> None:
    reason = "rate-limited: slow down"
    faults = Faults(reject_with=reason, accept_first=1, reject_first=2)
    async with FaultyRelay(stocked(), faults, clock=lambda: NOW) as relay:
        answers = []
        for number in range(4):
            async with dialled(relay.url) as peer:
                answers.append(await peer.publish(ALICE.note(str(number))))
    assert [answer.reason for answer in answers if isinstance(answer, Ok)] == [
        "",
        reason,
        reason,
        "",
    ]


async def test_a_rejection_may_last_for_ever() -> None:
    async with faulty(Faults(reject_with="blocked: no")) as (_, peer):
        for number in range(3):
            note = ALICE.note(str(number))
            assert await peer.publish(note) == Ok(note.id, False, "blocked: no")


async def test_authentication_may_be_required() -> None:
    async with faulty(Faults(auth_required=True)) as (relay, peer):
        hello = await peer.hear()
        assert isinstance(hello, AuthChallenge)
        assert isinstance((await peer.ask(ALL))[1], Closed)
        await peer.say(Auth(ALICE.authentication(relay.url, hello.challenge, NOW)))
        assert isinstance(await peer.hear(), Ok)
        assert (await peer.ask(ALL))[0] == NEWEST_FIRST


async def test_garbage_comes_before_every_message() -> None:
    async with faulty(Faults(garbage=GARBAGE)) as (_, peer):
        await peer.say(Request("sub", (ALL,)))
        for _ in range(len(NOTES) + 1):
            for junk in GARBAGE:
                heard = await peer.hear_raw()
                assert heard == junk
                assert isinstance(decode_relay_message(heard), Malformed) or "xxx" in str(heard)
            await peer.hear()


@pytest.mark.parametrize("mode", ["content", "signature", "id"])
@pytest.mark.parametrize(
    ("where", "pattern"),
    [
        ("before", [False, True]),
        ("between", [True, False, True]),
        ("after", [True, False]),
        ("instead", [False]),
    ],
)
async def test_a_forged_copy_stands_where_it_is_put(
    mode: Any, where: Any, pattern: list[bool]
) -> None:
    async with faulty(Faults(forge=mode, forge_where=where)) as (_, peer):
        events, ending = await peer.ask(ALL)
    assert [is_genuine(event) for event in events] == pattern * len(NOTES)
    assert ending == Eose("sub", ("finish",))
    false = [event for event in events if not is_genuine(event)]
    changed = {"content": "content", "signature": "sig", "id": "id"}[mode]
    for copy, honest in zip(false, NEWEST_FIRST, strict=True):
        same = ("id", "pubkey", "created_at", "kind", "tags", "content", "sig")
        assert [name for name in same if getattr(copy, name) != getattr(honest, name)] == [changed]


async def test_live_events_are_forged_as_well() -> None:
    note = ALICE.note("live")
    async with faulty(Faults(forge="signature", forge_where="instead")) as (relay, peer):
        await peer.ask(Filter(kinds=(1,), limit=0))
        relay.broadcast(note)
        live = await peer.hear()
    assert isinstance(live, Delivered)
    assert not is_genuine(live.event)


async def test_events_may_carry_a_subscription_nobody_opened() -> None:
    async with faulty(Faults(wrong_subscription=True)) as (_, peer):
        await peer.say(Request("sub", (ALL,)))
        heard = [await peer.hear() for _ in range(5)]
    assert heard[:4] == [Delivered("not-sub", note) for note in NEWEST_FIRST]
    assert heard[4] == Eose("sub", ("finish",))


@pytest.mark.parametrize("most", [0, 2, 4, 9])
async def test_an_answer_may_be_cut_short_in_silence(most: int) -> None:
    async with faulty(Faults(answer_limit=most)) as (_, peer):
        assert await peer.ask(ALL) == (NEWEST_FIRST[:most], Eose("sub"))
        await peer.say(Count("c", (ALL,)))
        assert await peer.hear() == CountResult("c", Tally(4))


async def test_time_passes_before_each_message_when_it_is_slow() -> None:
    clock = ManualClock(NOW)
    async with faulty(Faults(slow=5), wait=clock.wait) as (_, peer), asyncio.timeout(SECONDS):
        await peer.say(Request("sub", (Filter(kinds=(1,), limit=1),)))
        for expected in (Delivered("sub", NEWEST_FIRST[0]), Eose("sub", ("more",))):
            while not clock.waiting:  # noqa: ASYNC110 - there is nothing to await
                await asyncio.sleep(0.001)
            clock.advance(5)
            assert await peer.hear() == expected
    assert clock() == NOW + 10


async def test_events_that_nobody_asked_for_come_before_eose() -> None:
    extra = (ALICE.event(7, "+"), ALICE.event(9))
    async with faulty(Faults(extra_events=extra)) as (_, peer):
        events, ending = await peer.ask(ALL)
    assert events == [*NEWEST_FIRST, *extra]
    assert ending == Eose("sub", ("finish",))


async def test_every_event_may_come_several_times() -> None:
    async with faulty(Faults(duplicates=2)) as (_, peer):
        events, _ = await peer.ask(ALL)
    assert events == [note for note in NEWEST_FIRST for _ in range(3)]


async def test_faults_combine() -> None:
    faults = Faults(answer_limit=1, duplicates=1, forge="content", silent_eose=True, no_ok=True)
    async with faulty(faults) as (_, peer):
        await peer.say(Publish(ALICE.note("x")))
        await peer.say(Request("sub", (ALL,)))
        heard = [await peer.hear() for _ in range(4)]
        await peer.say(Count("c", (ALL,)))
        assert await peer.hear() == CountResult("c", Tally(5))
    genuine = [isinstance(each, Delivered) and is_genuine(each.event) for each in heard]
    assert genuine == [False, True, False, True]


async def test_open_connections_follow_when_the_faults_change() -> None:
    async with faulty(Faults(answer_limit=0)) as (relay, peer):
        assert (await peer.ask(ALL))[0] == []
        relay.faults = Faults()
        assert (await peer.ask(ALL))[0] == NEWEST_FIRST


async def test_a_relay_may_forget_what_it_has_once_it_was_asked() -> None:
    async with faulty(Faults(forget_after=1)) as (_, peer):
        assert await peer.ask(ALL) == (NEWEST_FIRST, Eose("sub", ("finish",)))
        assert await peer.ask(ALL, name="again") == ([], Eose("again", ("finish",)))


# NIP-77

NOTHING = Items(())
OPEN = NegOpen("neg", ALL, initiate(NOTHING).hex())


@pytest.mark.parametrize(
    ("faults", "answer"),
    [
        (Faults(no_negentropy=True), Notice("ERROR: bad msg: unknown cmd")),
        (Faults(negentropy_error="blocked: x"), NegErr("neg", "blocked: x")),
        (Faults(negentropy_answer=ENDLESS), NegMsg("neg", ENDLESS)),
    ],
)
async def test_a_reconciliation_gets_a_wrong_answer(faults: Faults, answer: object) -> None:
    async with faulty(faults) as (_, peer):
        await peer.say(OPEN)
        assert await peer.hear() == answer
        await peer.say(NegMsg("neg", OPEN.message))
        assert await peer.hear() == answer


async def test_a_reconciliation_may_get_no_answer_or_an_honest_one() -> None:
    async with faulty(Faults(silent_negentropy=True)) as (relay, peer):
        await peer.say(OPEN)
        assert (await peer.ask(ALL))[0] == NEWEST_FIRST
        relay.faults = Faults()
        await peer.say(OPEN)
        answer = await peer.hear()
        assert isinstance(answer, NegMsg)
        step = reconcile(NOTHING, bytes.fromhex(answer.message))
        assert {each.hex() for each in step.need} == {note.id for note in NOTES}


async def test_a_reconciliation_may_name_ids_that_nobody_has() -> None:
    async with faulty(Faults(invented_ids=9)) as (_, peer):
        await peer.say(OPEN)
        answer = await peer.hear()
        assert isinstance(answer, NegMsg)
        step = reconcile(NOTHING, bytes.fromhex(answer.message))
        assert set(step.need) > set(invented_ids(9))
        assert len(step.need) == 9 + len(NOTES)
        await peer.say(NegMsg("neg", "60"))
        assert await peer.hear() == NegMsg("neg", "61")
        await peer.say(NegMsg("neg", "ff"))
        assert isinstance(await peer.hear(), NegErr)
        await peer.say(NegMsg("other", "61"))
        assert isinstance(await peer.hear(), NegErr)
        await peer.say(NegClose("neg"))
