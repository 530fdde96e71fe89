"""NEG-OPEN, NEG-MSG and NEG-CLOSE without a socket: NIP-77, within bounds."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Auth,
    Closed,
    NegClose,
    NegErr,
    NegMsg,
    NegOpen,
    Notice,
    Request,
)
from nostr_threads.core.negentropy import Items, initiate, reconcile
from nostr_threads.errors import StoreError
from nostr_threads.relayd.limits import Limits
from nostr_threads.relayd.protocol import ClientConnection, RelayProtocol
from nostr_threads.relayd.readers import Readers
from nostr_threads.relayd.reconciling import Room, Talks
from nostr_threads.testing import START, Author
from tests.core.invented import invented
from tests.relayd.peers import CHALLENGE, NOW, URL, asked, connected, say, stocked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.messages import ClientMessage
    from nostr_threads.store.base import Store

ALICE = Author(1)
NOTES = [invented(f"{number}", at=START + number // 5) for number in range(600)]
ALL = Filter(kinds=(1,))
EMPTY = initiate(Items(())).hex()
OPEN = NegOpen("a", ALL, EMPTY)


def items_of(events: Sequence[Verified]) -> Items:
    return Items((event.created_at, event.id) for event in events)


def answered(client: ClientConnection, message: ClientMessage, now: float = NOW) -> str:
    """Say something that gets a NEG-MSG; return what is in it."""
    (answer,) = say(client, message, now)
    assert isinstance(answer, NegMsg), answer
    return answer.message


def failed(client: ClientConnection, message: ClientMessage) -> str:
    """Say something that gets a NEG-ERR; return its reason."""
    (answer,) = say(client, message)
    assert isinstance(answer, NegErr), answer
    return answer.reason


def differences(
    client: ClientConnection, ours: Sequence[Verified], condition: Filter = ALL
) -> tuple[set[str], set[str]]:
    """Go through all rounds; what only we have, and what only the relay has."""
    items = items_of(ours)
    have, need = set[str](), set[str]()
    message: ClientMessage = NegOpen("a", condition, initiate(items).hex())
    while True:
        answer = answered(client, message)
        assert len(answer) <= 240_000
        step = reconcile(items, bytes.fromhex(answer))
        have |= {each.hex() for each in step.have}
        need |= {each.hex() for each in step.need}
        if step.reply is None:
            return have, need
        message = NegMsg("a", step.reply.hex())


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 599)), st.sets(st.integers(0, 599)))
def test_any_two_sides_find_what_they_do_not_share(theirs: set[int], ours: set[int]) -> None:
    client = connected([NOTES[number] for number in theirs])
    have, need = differences(client, [NOTES[number] for number in ours])
    assert have == {NOTES[number].id for number in ours - theirs}
    assert need == {NOTES[number].id for number in theirs - ours}


def test_only_what_the_filter_matches_and_a_query_would_show_is_compared() -> None:
    note, other = ALICE.note("x", START), ALICE.note("y", START + 9)
    gone = ALICE.note("z", START)
    expired = ALICE.note("e", START, (("expiration", str(NOW - 1)),))
    events = [note, other, gone, ALICE.deletion(gone), ALICE.event(7, "+"), expired]
    client = connected(events)
    assert differences(client, ()) == (set(), {note.id, other.id})
    assert differences(client, (), Filter(kinds=(1,), until=START))[1] == {note.id}
    assert differences(client, (), Filter(kinds=(1,), limit=1))[1] == {other.id}


def test_answers_are_kept_short_however_much_differs() -> None:
    events = [invented(f"many {number}", at=START + number) for number in range(5_000)]
    assert len(differences(connected(events), ())[1]) == 5_000


def test_nothing_changes_while_a_client_compares() -> None:
    """What comes in meanwhile is for the next time."""
    store = stocked(NOTES)
    client = connected(store=store)
    first = answered(client, OPEN)
    store.add([invented("later", at=START)], relay=None, now=NOW)
    assert answered(client, NegMsg("a", EMPTY)) == first
    assert answered(client, OPEN) != first


def test_a_name_in_use_is_opened_anew() -> None:
    """NIP-77: the existing subscription is first closed."""
    client = connected(NOTES[:50], limits=Limits(max_reconciliations=1))
    whole = answered(client, OPEN)
    part = answered(client, NegOpen("a", Filter(until=START), EMPTY))
    assert len(part) < len(whole)
    assert answered(client, NegMsg("a", EMPTY)) == part


def test_its_names_are_not_those_of_subscriptions() -> None:
    """NIP-77: a separate namespace."""
    client = connected(NOTES[:3])
    asked(client, ALL)
    answered(client, NegOpen("sub", ALL, EMPTY))
    say(client, NegClose("sub"))
    assert client.subscriptions.keys() == {"sub"}


def test_what_was_closed_is_not_open_any_more() -> None:
    client = connected(NOTES)
    answered(client, OPEN)
    assert say(client, NegClose("a")) == []
    assert say(client, NegClose("never opened")) == []
    assert failed(client, NegMsg("a", EMPTY)).startswith("closed: ")
    assert failed(client, NegMsg("never opened", EMPTY)).startswith("closed: ")


def test_more_than_it_compares_is_blocked() -> None:
    limits = Limits(max_reconciled=10)
    assert differences(connected(NOTES[:10], limits=limits), ())[1]
    client = connected(NOTES[:11], limits=limits)
    assert failed(client, OPEN) == "blocked: this query is too big"
    assert failed(client, NegMsg("a", EMPTY)).startswith("closed: ")
    assert answered(client, NegOpen("a", Filter(until=START), EMPTY))


def test_a_client_has_only_a_few_open() -> None:
    client = connected(NOTES, limits=Limits(max_reconciliations=2))
    for name in "ab":
        answered(client, NegOpen(name, ALL, EMPTY))
    assert failed(client, NegOpen("c", ALL, EMPTY)).startswith("rate-limited: at most 2 ")
    say(client, NegClose("a"))
    answered(client, NegOpen("c", ALL, EMPTY))


def clients(room: Room, count: int, store: Store) -> list[ClientConnection]:
    relay = RelayProtocol(store, Readers([store]), Limits(), room=room)
    return [relay.connect(CHALLENGE) for _ in range(count)]


def test_who_was_silent_longest_makes_room_for_others() -> None:
    """NIP-77: closed: you took too long to respond."""
    one, two, three = clients(Room(250), 3, stocked(NOTES[:100]))
    answered(one, OPEN)
    answered(two, OPEN)
    answered(one, NegMsg("a", EMPTY))
    answered(three, OPEN)
    assert failed(two, NegMsg("a", EMPTY)).startswith("closed: you took too long")
    answered(one, NegMsg("a", EMPTY))
    answered(two, OPEN)
    assert failed(three, NegMsg("a", EMPTY)).startswith("closed: ")


def test_a_client_that_is_gone_takes_no_room() -> None:
    room = Room(250)
    one, two, three = clients(room, 3, stocked(NOTES[:100]))
    answered(one, OPEN)
    answered(two, OPEN)
    del two
    gc.collect()
    answered(three, OPEN)
    answered(one, NegMsg("a", EMPTY))
    assert len(room._talks) == 2


def test_one_alone_may_be_larger_than_all_the_room() -> None:
    (one,) = clients(Room(10), 1, stocked(NOTES))
    assert len(differences(one, ())[1]) == len(NOTES)


@pytest.mark.parametrize("message", ["", "00", "61ff", "6100", "610000", "61000005", "7f"])
def test_a_message_that_makes_no_sense_ends_it(message: str) -> None:
    client = connected(NOTES)
    assert failed(client, NegOpen("a", ALL, message)).startswith("invalid: ")
    answered(client, OPEN)
    assert failed(client, NegMsg("a", message)).startswith("invalid: ")
    assert failed(client, NegMsg("a", EMPTY)).startswith("closed: ")


def test_a_later_version_is_told_ours() -> None:
    """NIP-77: a single byte, the highest version that it supports."""
    assert answered(connected(NOTES), NegOpen("a", ALL, "62ff")) == "61"


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ('["NEG-OPEN","a"]', "invalid"),
        ('["NEG-OPEN","a",{}]', "invalid"),
        ('["NEG-OPEN","a",{"kinds":1},"61"]', "invalid"),
        ('["NEG-OPEN","a",{"nope":1},"61"]', "unsupported"),
        ('["NEG-OPEN","a",{},"zz"]', "invalid"),
        ('["NEG-OPEN","a",{"search":"x"},"61"]', "unsupported"),
        ('["NEG-MSG","a",7]', "invalid"),
        ('["NEG-MSG","a","zz"]', "invalid"),
        ('["NEG-MSG","a"', "invalid"),
    ],
)
def test_what_cannot_be_read_is_answered_by_its_name_and_ends_it(text: str, prefix: str) -> None:
    client = connected(NOTES)
    answered(client, OPEN)
    (answer,) = client.receive(text, NOW)
    assert isinstance(answer, NegErr)
    assert (answer.subscription, answer.reason.split(":")[0]) == ("a", prefix)
    assert failed(client, NegMsg("a", EMPTY)).startswith("closed: ")


def test_a_message_that_is_too_long_is_answered_by_its_name() -> None:
    client = connected(limits=Limits(max_message_length=200))
    (answer,) = client.receive(f'["NEG-MSG","a","{"00" * 200}"]', NOW)
    assert answer == NegErr("a", "invalid: the message is over 200 bytes")


def test_what_names_nothing_gets_a_notice() -> None:
    for text in ('["NEG-OPEN"]', '["NEG-MSG",7,"61"]', '["NEG-UNHEARD-OF","a"]'):
        (answer,) = connected().receive(text, NOW)
        assert isinstance(answer, Notice)


def test_a_name_that_is_too_long_is_refused() -> None:
    client = connected(limits=Limits(max_subid_length=3))
    assert failed(client, NegOpen("abcd", ALL, EMPTY)).startswith("invalid: ")


def test_who_must_say_who_it_is_cannot_compare_before() -> None:
    """NIP-42."""
    client = connected(NOTES[:3], auth="required")
    assert failed(client, OPEN).startswith("auth-required: ")
    say(client, Auth(ALICE.authentication(URL, CHALLENGE, NOW)))
    answered(client, OPEN)


def test_a_broken_store_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = stocked(NOTES)
    client = connected(store=store)

    def broken(*_: object, **__: object) -> NoReturn:
        raise StoreError("disk")

    monkeypatch.setattr(store, "items", broken)
    assert failed(client, OPEN).startswith("error: ")
    assert failed(client, NegMsg("a", EMPTY)).startswith("closed: ")


def test_subscriptions_are_refused_as_before() -> None:
    client = connected(NOTES)
    assert isinstance(say(client, Request("a" * 3, (Filter(search="x"),)))[0], Closed)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(max_size=40)), max_size=6))
def test_nothing_that_a_client_says_raises(said: list[tuple[str, bytes]]) -> None:
    talks, store = Talks(Room(), Limits()), STORE
    for name, message in said:
        for text in (message.hex(), "61" + message.hex()):
            talks.open(store, NegOpen(name, ALL, text), NOW)
            talks.answer(NegMsg(name, text))


class _Small:
    """A store that holds a few items."""

    def items(self, *_: object, **__: object) -> list[tuple[int, bytes]]:
        return [(event.created_at, bytes.fromhex(event.id)) for event in NOTES[:40]]


STORE: Store = _Small()  # type: ignore[assignment]
