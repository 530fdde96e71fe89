"""One relay as a state machine: nothing a relay sends raises, and each row of its table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Auth,
    AuthChallenge,
    Close,
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
from nostr_threads.core.session import RelaySession
from nostr_threads.core.wire import decode_client_message, encode
from tests.core.invented import hex_of, invented
from tests.core.strategies import events, json_values, texts

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.core.messages import ClientMessage, RelayMessage

NOTES = Filter(kinds=(1,))
NOTE = invented("note")
ARTICLE = invented("article", kind=30023)

# Every kind of answer, for the subscription "1" where one is named.
EVENT, EOSE, CLOSED = Delivered("1", NOTE), Eose("1"), Closed("1", "why")
COUNTED = CountResult("1", Tally(3))
DIFFERS, FAILED = NegMsg("1", "61"), NegErr("1", "blocked: x")
OK = Ok(NOTE.id, True)


def sent(session: RelaySession) -> list[ClientMessage | Malformed]:
    """Take what is to be sent, as the relay reads it."""
    return [decode_client_message(text) for text in session.outgoing()]


def hear(session: RelaySession, message: RelayMessage) -> RelayMessage | Malformed | None:
    return session.receive(encode(message))


def asked(state: str) -> RelaySession:
    """Return a session whose question "1" is in the state of that name."""
    session = RelaySession()
    session.connected()
    if state == "counting":
        session.count((NOTES,))
    elif state in ("reconciling", "our turn", "reconciled"):
        session.reconcile(NOTES, b"a")
    elif state != "nothing asked":
        session.request((NOTES,), live=state in ("live", "live, stored"))
    if state == "live":
        hear(session, EOSE)
    if state == "our turn":
        hear(session, DIFFERS)
    if state in ("closed", "reconciled"):
        session.close("1")
    session.outgoing()
    return session


LEGAL = {
    "stored": (EVENT, EOSE, CLOSED),
    "live, stored": (EVENT, EOSE, CLOSED),
    "live": (EVENT, CLOSED),
    "counting": (COUNTED, CLOSED),
    "reconciling": (DIFFERS, FAILED, CLOSED),
    "our turn": (FAILED, CLOSED),
}
ANSWERS = (EVENT, EOSE, CLOSED, COUNTED, DIFFERS, FAILED)


@pytest.mark.parametrize("state", LEGAL)
@pytest.mark.parametrize("message", ANSWERS, ids=lambda message: type(message).__name__)
def test_each_state_allows_its_answers_and_no_others(state: str, message: RelayMessage) -> None:
    session = asked(state)
    heard = hear(session, message)
    if message in LEGAL[state]:
        assert heard == message
        assert session.malformed == 0
    else:
        assert isinstance(heard, Malformed)
        assert heard.subject == "1"
        assert session.malformed == 1


@pytest.mark.parametrize("message", ANSWERS, ids=lambda message: type(message).__name__)
def test_an_answer_to_nothing_asked_is_malformed(message: RelayMessage) -> None:
    session = asked("nothing asked")
    assert isinstance(hear(session, message), Malformed)
    assert session.malformed == 1


@pytest.mark.parametrize("state", ["closed", "reconciled"])
@pytest.mark.parametrize("message", ANSWERS, ids=lambda message: type(message).__name__)
def test_a_late_answer_to_what_was_closed_is_nobodys_fault(
    state: str, message: RelayMessage
) -> None:
    session = asked(state)
    assert hear(session, message) is None
    assert session.malformed == 0


@pytest.mark.parametrize(
    "name", ["", "0", "2", "01x", "-1", "\u0661", "9" * 5000, "1 ", "A", "1_0"]
)
def test_a_name_that_was_never_given_is_malformed(name: str) -> None:
    assert isinstance(hear(asked("closed"), Eose(name)), Malformed)


def test_what_a_refusal_broke_stays_usable() -> None:
    """A message against the rules changes nothing."""
    session = asked("stored")
    hear(session, COUNTED)
    assert hear(session, EVENT) == EVENT
    assert hear(session, EOSE) == EOSE


def test_the_end_of_stored_events_closes_what_is_not_live() -> None:
    """NIP-01: the relay would go on sending new events."""
    session = asked("stored")
    hear(session, EOSE)
    assert sent(session) == [Close("1")]
    assert hear(session, EVENT) is None


def test_a_live_subscription_goes_on_after_the_stored_events() -> None:
    session = asked("live")
    assert sent(session) == []
    assert hear(session, EVENT) == EVENT


def test_closed_by_the_relay_needs_no_close_from_us() -> None:
    session = asked("live")
    hear(session, CLOSED)
    session.close("1")
    assert sent(session) == []


def test_a_count_is_never_closed_with_a_message() -> None:
    """NIP-45: CLOSE is for subscriptions."""
    session = asked("counting")
    session.close("1")
    assert sent(session) == []
    assert hear(session, COUNTED) is None


def test_a_reconciliation_is_told_in_turns_and_closed_with_its_own_word() -> None:
    """NIP-77: relay and client alternate; NEG-CLOSE lets the relay forget it."""
    session = asked("nothing asked")
    name = session.reconcile(NOTES, b"a\x00")
    assert sent(session) == [NegOpen("1", NOTES, "6100")]
    session.say(name, b"too early")
    assert sent(session) == []
    for _ in range(3):
        assert hear(session, DIFFERS) == DIFFERS
        session.say(name, b"a\x01")
        session.say(name, b"once is enough")
        assert sent(session) == [NegMsg("1", "6101")]
    session.close(name)
    session.close(name)
    assert sent(session) == [NegClose("1")]


@pytest.mark.parametrize("state", ["reconciling", "our turn"])
def test_the_end_of_a_reconciliation_needs_no_close_from_us(state: str) -> None:
    """NIP-77: after NEG-ERR the subscription is considered to be closed."""
    session = asked(state)
    assert hear(session, FAILED) == FAILED
    session.say("1", b"a")
    session.close("1")
    assert sent(session) == []


@pytest.mark.parametrize("state", ["reconciling", "our turn"])
def test_a_reconciliation_is_gone_with_its_connection(state: str) -> None:
    session = asked(state)
    assert session.connected() == ["1"]
    session.say("1", b"a")
    session.close("1")
    assert sent(session) == []
    assert hear(session, DIFFERS) is None


def test_a_message_that_nobody_can_read_names_its_reconciliation() -> None:
    session = asked("reconciling")
    heard = session.receive('["NEG-MSG","1","no hex"]')
    assert isinstance(heard, Malformed)
    assert heard.subject == "1"
    assert hear(session, DIFFERS) == DIFFERS


def test_closing_twice_sends_one_close() -> None:
    session = asked("live")
    session.close("1")
    session.close("1")
    assert sent(session) == [Close("1")]


def test_an_event_that_does_not_match_what_was_asked_is_malformed() -> None:
    session = asked("stored")
    assert isinstance(hear(session, Delivered("1", ARTICLE)), Malformed)
    assert session.malformed == 1


def test_an_event_needs_to_match_only_one_of_the_filters() -> None:
    session = RelaySession()
    session.request((NOTES, Filter(kinds=(30023,))))
    message = Delivered("1", ARTICLE)
    assert hear(session, message) == message


@given(st.lists(events, max_size=5), st.lists(st.integers(0, 3), max_size=2))
def test_only_events_that_match_are_let_through(
    given_events: list[Verified], kinds: list[int]
) -> None:
    session = RelaySession()
    condition = Filter(kinds=tuple(kinds))
    session.request((condition,), live=True)
    for event in given_events:
        heard = hear(session, Delivered("1", event))
        assert isinstance(heard, Delivered) == condition.matches(event)


def test_ok_is_taken_for_the_id_it_names_and_once() -> None:
    session = asked("nothing asked")
    session.publish(NOTE)
    assert sent(session) == [Publish(NOTE)]
    assert isinstance(hear(session, Ok(ARTICLE.id, True)), Malformed)
    assert hear(session, OK) == OK
    assert isinstance(hear(session, OK), Malformed)


def test_an_authentication_is_an_event_whose_ok_is_matched_too() -> None:
    """NIP-42."""
    session = asked("nothing asked")
    session.authenticate(NOTE)
    assert sent(session) == [Auth(NOTE)]
    assert hear(session, OK) == OK


def test_the_ok_of_what_was_forgotten_is_against_the_rules() -> None:
    session = asked("nothing asked")
    session.publish(NOTE)
    session.forget(NOTE.id)
    assert isinstance(hear(session, OK), Malformed)


def test_the_challenge_is_the_last_one_of_this_connection() -> None:
    session = RelaySession()
    assert session.challenge is None
    for text in ("one", "two"):
        assert hear(session, AuthChallenge(text)) == AuthChallenge(text)
    assert session.challenge == "two"
    session.connected()
    assert session.challenge is None


def test_a_notice_is_passed_on_in_any_state() -> None:
    assert hear(asked("nothing asked"), Notice("words")) == Notice("words")


def test_questions_are_sent_in_order_and_handed_out_once() -> None:
    session = asked("nothing asked")
    assert (session.request((NOTES,)), session.count((NOTES,))) == ("1", "2")
    assert sent(session) == [Request("1", (NOTES,)), Count("2", (NOTES,))]
    assert sent(session) == []


def test_live_subscriptions_are_asked_again_with_the_very_same_filters() -> None:
    """Never change `since` on reconnect: gaps do not come back."""
    session = RelaySession()
    filters = (Filter(kinds=(1,), since=1000), Filter(ids=(NOTE.id,), limit=7))
    name = session.request(filters, live=True)
    hear(session, Eose(name))
    hear(session, Delivered(name, invented("later", at=2_000_000_000)))
    for _ in range(3):
        session.outgoing()
        assert session.connected() == []
        assert sent(session) == [Request(name, filters)]
        assert hear(session, Eose(name)) == Eose(name)


def test_what_waited_for_an_answer_is_reported_lost_and_not_asked_again() -> None:
    session = asked("nothing asked")
    lost = {session.request((NOTES,)), session.count((NOTES,)), session.reconcile(NOTES, b"a")}
    session.publish(NOTE)
    live = session.request((NOTES,), live=True)
    assert set(session.connected()) == lost | {NOTE.id}
    assert sent(session) == [Request(live, (NOTES,))]
    assert session.connected() == []


def test_answers_to_lost_questions_are_nobodys_fault() -> None:
    session = asked("stored")
    session.connected()
    assert hear(session, EVENT) is None
    assert isinstance(hear(session, OK), Malformed)


def test_names_are_never_used_twice_over_connections() -> None:
    session = RelaySession()
    names = []
    for _ in range(3):
        names += [session.request((NOTES,)), session.count((NOTES,))]
        names.append(session.reconcile(NOTES, b"a"))
        session.connected()
    assert len(set(names)) == 9


# Names of subscriptions


def test_names_are_short() -> None:
    session = RelaySession()
    names = [session.request((NOTES,)) for _ in range(40)]
    assert (names[8:11], names[34:37]) == (["9", "a", "b"], ["z", "10", "11"])
    assert isinstance(hear(session, Eose("15")), Malformed)
    assert hear(session, Eose("10")) == Eose("10")


@pytest.mark.parametrize("length", [1, 2])
def test_no_name_is_longer_than_the_relay_takes_nor_given_twice_at_a_time(length: int) -> None:
    """NIP-11: max_subid_length."""
    session = RelaySession()
    session.subid_length = length
    live = session.request((NOTES,), live=True)
    for _ in range(3000):
        name = session.request((NOTES,))
        assert len(name) <= length
        assert name != live
        session.close(name)


def test_more_open_subscriptions_than_short_names_get_longer_ones() -> None:
    session = RelaySession()
    session.subid_length = 1
    names = [session.request((NOTES,), live=True) for _ in range(100)]
    assert len(set(names)) == 100


frames = st.one_of(
    st.binary(max_size=60),
    texts,
    json_values.map(lambda value: json.dumps(value)),
    st.lists(
        st.one_of(
            st.sampled_from(("EVENT", "EOSE", "OK", "CLOSED", "COUNT", "NOTICE", "AUTH")),
            st.sampled_from(("NEG-MSG", "NEG-ERR")),
            st.sampled_from(("1", "2", NOTE.id, "61", True, 7, None)),
            st.just({"count": 3}),
            st.just(json.loads(NOTE.to_json())),
            json_values,
        ),
        max_size=5,
    ).map(json.dumps),
)


@given(st.lists(frames, max_size=10), st.sampled_from((*LEGAL, "nothing asked", "closed")))
def test_nothing_a_relay_sends_raises(messages: list[str | bytes], state: str) -> None:
    session = asked(state)
    session.publish(NOTE)
    before = session.malformed
    heard = [session.receive(message) for message in messages]
    assert session.malformed - before == sum(isinstance(each, Malformed) for each in heard)


@pytest.mark.parametrize("depth", [10_000, 1_000_000])
def test_deep_nesting_is_malformed(depth: int) -> None:
    assert isinstance(RelaySession().receive("[" * depth), Malformed)


class Talk(RuleBasedStateMachine):
    """Any order of things done and heard, over connections, beside a simple account of them."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.session = RelaySession()
        self.live: dict[str, tuple[Filter, ...]] = {}
        self.waiting: set[str] = set()
        # What differs: whether it is the relay's turn.
        self.turns: dict[str, bool] = {}

    @rule(target=names, live=st.booleans(), since=st.none() | st.integers(0, 10))
    def request(self, live: bool, since: int | None) -> str:
        filters = (Filter(kinds=(1,), since=since),)
        name = self.session.request(filters, live=live)
        if live:
            self.live[name] = filters
        return name

    @rule(target=names)
    def count(self) -> str:
        return self.session.count((NOTES,))

    @rule(target=names)
    def reconcile(self) -> str:
        name = self.session.reconcile(NOTES, b"a")
        self.turns[name] = True
        return name

    @rule(name=names)
    def say(self, name: str) -> None:
        self.session.say(name, b"a")
        said = any(isinstance(each, NegMsg) for each in sent(self.session))
        assert said == (self.turns.get(name) is False)
        if said:
            self.turns[name] = True

    @rule(name=names)
    def differs(self, name: str) -> None:
        heard = hear(self.session, NegMsg(name, "61"))
        assert isinstance(heard, NegMsg) == (self.turns.get(name) is True)
        if name in self.turns:
            self.turns[name] = False

    @rule(name=names)
    def failed(self, name: str) -> None:
        heard = hear(self.session, NegErr(name, "closed: x"))
        assert isinstance(heard, NegErr) == (self.turns.pop(name, None) is not None)

    @rule(name=consumes(names))
    def close(self, name: str) -> None:
        self.session.close(name)
        ended = {type(each) for each in sent(self.session)}
        assert (NegClose in ended) == (self.turns.pop(name, None) is not None)
        assert Close in ended or name not in self.live
        self.live.pop(name, None)

    @rule(name=names, hints=st.sampled_from(((), ("finish",))))
    def eose(self, name: str, hints: tuple[str, ...]) -> None:
        hear(self.session, Eose(name, hints))

    @rule(name=names, event=st.sampled_from((NOTE, ARTICLE)))
    def event(self, name: str, event: Verified) -> None:
        heard = hear(self.session, Delivered(name, event))
        assert event is NOTE or not isinstance(heard, Delivered)

    @rule(name=names)
    def closed(self, name: str) -> None:
        hear(self.session, Closed(name))
        self.live.pop(name, None)
        self.turns.pop(name, None)

    @rule(name=names)
    def counted(self, name: str) -> None:
        hear(self.session, CountResult(name, Tally(1)))

    @rule(event=st.sampled_from((NOTE, ARTICLE)))
    def publish(self, event: Verified) -> None:
        self.session.publish(event)
        self.waiting.add(event.id)

    @rule(event_id=st.sampled_from((NOTE.id, ARTICLE.id, hex_of("nobody"))))
    def ok(self, event_id: str) -> None:
        heard = hear(self.session, Ok(event_id, True))
        assert isinstance(heard, Ok) == (event_id in self.waiting)
        self.waiting.discard(event_id)

    @rule(frame=st.binary(max_size=30))
    def garbage(self, frame: bytes) -> None:
        assert isinstance(self.session.receive(frame), Malformed)

    @rule()
    def reconnect(self) -> None:
        self.session.connected()
        self.waiting, self.turns = set(), {}
        requests = [each for each in sent(self.session) if isinstance(each, Request)]
        assert {each.subscription: each.filters for each in requests} == self.live

    @invariant()
    def whatever_is_sent_is_a_message(self) -> None:
        assert not any(isinstance(each, Malformed) for each in sent(self.session))


TestTalk = Talk.TestCase
