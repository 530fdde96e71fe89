"""How much of one client is worked on at once, how often, and what is answered again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nostr_threads.core.nip46 import Response
from nostr_threads.signing.lane import Lane
from nostr_threads.testing import START

if TYPE_CHECKING:
    import pytest

NOW = int(START)
MOST, REPEATS, TELL = 3, 4, 10
NAMES = st.sampled_from("abcdefg")


class Turns(RuleBasedStateMachine):
    """Events that come and go in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.lane = Lane(MOST)
        self.at_work = 0
        self.entered: Counter[str] = Counter()

    @rule(event=NAMES)
    def enter(self, event: str) -> None:
        may = self.at_work < MOST and self.entered[event] < REPEATS
        assert self.lane.enter(event) is may
        self.at_work += may
        self.entered[event] += may

    @precondition(lambda self: self.at_work)
    @rule()
    def leave(self) -> None:
        self.lane.leave()
        self.at_work -= 1

    @invariant()
    def repeats_are_known(self) -> None:
        for event in "abcdefg":
            assert self.lane.is_repeated(event) is (self.entered[event] > 1)


class Answers(RuleBasedStateMachine):
    """Requests that are worked on, answered, given up, and asked again."""

    def __init__(self) -> None:
        super().__init__()
        self.lane = Lane(MOST)
        self.at_work: set[str] = set()
        self.kept: dict[str, Response] = {}

    @rule(name=NAMES)
    def begin(self, name: str) -> None:
        if not self.lane.has_asked(name):
            self.lane.begin(name)
            self.at_work.add(name)

    @precondition(lambda self: self.at_work)
    @rule(data=st.data(), text=st.text(max_size=3))
    def answer(self, data: st.DataObject, text: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.at_work)))
        self.at_work.remove(name)
        self.kept[name] = Response(name, text)
        self.lane.keep(name, self.kept[name])

    @precondition(lambda self: self.at_work)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.at_work)))
        self.at_work.remove(name)
        self.lane.keep(name, None)

    @invariant()
    def each_is_known_as_it_is(self) -> None:
        for name in "abcdefg":
            assert self.lane.has_asked(name) is (name in self.at_work or name in self.kept)
            if self.lane.has_asked(name):
                assert self.lane.answer(name) == self.kept.get(name)


TestTurns = Turns.TestCase
TestAnswers = Answers.TestCase


def test_what_has_left_makes_room_for_the_next() -> None:
    lane = Lane(1)
    assert lane.enter("a")
    assert not lane.enter("b")
    lane.leave()
    assert lane.enter("b")


def test_one_that_found_no_room_has_not_been_there() -> None:
    lane = Lane(1)
    assert lane.enter("a")
    assert not lane.enter("b")
    lane.leave()
    assert lane.enter("b")
    assert not lane.is_repeated("b")


def test_only_so_many_events_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_SEEN", 3)
    lane = Lane(100)
    for event in ("a", "a", "b", "c"):
        assert lane.enter(event)
    assert lane.is_repeated("a")
    assert lane.enter("d")
    assert not lane.is_repeated("a")
    assert len(lane._seen) == 3


# Rate


@given(st.lists(st.integers(0, 90), max_size=30), st.integers(0, 200))
def test_what_is_counted_is_the_last_minute(steps: list[int], later: int) -> None:
    lane, now, marks = Lane(MOST), NOW, list[int]()
    for step in steps:
        now += step
        lane.mark(now)
        marks.append(now)
        assert lane.count(now) == sum(now - 60 < each for each in marks)
    now += later
    assert lane.count(now) == sum(now - 60 < each for each in marks)


def test_a_clock_that_was_put_back_locks_nobody_out() -> None:
    lane = Lane(MOST)
    lane.mark(NOW + 3_600)
    assert lane.count(NOW) == 0


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60))
def test_it_is_told_so_often_in_a_minute(steps: list[int]) -> None:
    lane, now, told = Lane(MOST), NOW, list[int]()
    for step in steps:
        now += step
        may = lane.may_tell(now)
        assert may is (sum(now - 60 < each for each in told) < TELL)
        told += [now] * may


def test_it_is_told_where_the_clock_was_put_back() -> None:
    lane = Lane(MOST)
    while lane.may_tell(NOW):
        pass
    assert lane.may_tell(NOW - 3_600)


def test_it_is_told_from_the_first_second_of_all_time() -> None:
    assert Lane(MOST).may_tell(0)


# Answers


def answered(lane: Lane, name: str, text: str = "", error: str = "") -> None:
    lane.begin(name)
    lane.keep(name, Response(name, text, error))


def test_the_oldest_answers_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_ANSWERS", 3)
    lane = Lane(MOST)
    for name in "abcde":
        answered(lane, name)
    assert [name for name in "abcde" if lane.has_asked(name)] == ["c", "d", "e"]


def test_what_is_at_work_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_ANSWERS", 1)
    lane = Lane(MOST)
    lane.begin("slow")
    for name in "abc":
        answered(lane, name)
    assert lane.has_asked("slow")
    assert lane.answer("slow") is None


def test_one_that_took_long_is_kept_as_long_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a person would be asked again whose yes was not heard."""
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_ANSWERS", 1)
    lane = Lane(MOST)
    lane.begin("slow")
    for name in "abc":
        answered(lane, name)
    lane.keep("slow", Response("slow", "late"))
    assert lane.answer("slow") == Response("slow", "late")


def test_long_answers_are_kept_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_CHARACTERS", 10)
    lane = Lane(MOST)
    answered(lane, "a", "x" * 4)
    answered(lane, "b", error="x" * 6)
    assert lane.has_asked("a")
    answered(lane, "c", "x")
    assert [name for name in "abc" if lane.has_asked(name)] == ["b", "c"]
    answered(lane, "d", "x" * 11)
    assert not any(map(lane.has_asked, "abcd"))
    # What is gone counts no more.
    answered(lane, "e", "x" * 10)
    assert lane.has_asked("e")


def test_what_was_given_up_can_be_asked_again() -> None:
    lane = Lane(MOST)
    lane.begin("a")
    lane.keep("a", None)
    lane.keep("unheard of", None)
    assert not lane.has_asked("a")
    answered(lane, "a", "at last")
    assert lane.answer("a") == Response("a", "at last")
