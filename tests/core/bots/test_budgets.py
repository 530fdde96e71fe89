"""Budgets: how much is answered in any hour and any day."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.budgets import DAY, HOUR, Answered, Budgets, Spent, spend, spent_of
from nostr_threads.core.bots.cases import Skip, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW = 1_700_000_000
BUDGETS = Budgets(6, 20, 8, 4, 60, 400, 1_000)
WITHIN = Spent(5, 19, 7, 3, 59, 399, 999, NOW - 10, NOW - 20)


def test_within_all_budgets_there_is_room() -> None:
    assert spend(Spent(), Budgets(), NOW) is None
    assert spend(WITHIN, BUDGETS, NOW) is None


@pytest.mark.parametrize(
    ("full", "name"),
    [
        (replace(WITHIN, author_hour=6), "per_author_hour"),
        (replace(WITHIN, author_day=20), "per_author_day"),
        (replace(WITHIN, thread_day=8), "per_thread"),
        (replace(WITHIN, author_thread_day=4), "per_author_thread"),
        (replace(WITHIN, total=1_000), "total"),
    ],
)
def test_who_asks_too_much_is_not_answered(full: Spent, name: str) -> None:
    found = spend(full, BUDGETS, NOW)
    assert isinstance(found, Skip)
    assert found.guard == name


@pytest.mark.parametrize(
    ("full", "name", "until"),
    [
        (replace(WITHIN, hour=60), "per_hour", NOW - 10 + HOUR),
        (replace(WITHIN, hour=61), "per_hour", NOW - 10 + HOUR),
        (replace(WITHIN, day=400), "per_day", NOW - 20 + DAY),
        (replace(WITHIN, hour=60, day=400), "per_day", NOW - 20 + DAY),
        (replace(WITHIN, hour=60, day=400, day_from=NOW - DAY + 1), "per_hour", NOW - 10 + HOUR),
        (replace(WITHIN, hour=60, hour_from=NOW - HOUR), "per_hour", NOW + 1),
        (replace(WITHIN, hour=60, hour_from=None), "per_hour", NOW + HOUR),
    ],
)
def test_what_is_too_much_at_once_waits_until_there_is_room(
    full: Spent, name: str, until: int
) -> None:
    found = spend(full, BUDGETS, NOW)
    assert isinstance(found, Wait)
    assert (found.guard, found.until) == (name, until)


def test_nothing_waits_that_is_not_answered_anyway() -> None:
    assert isinstance(spend(replace(WITHIN, hour=60, author_day=20), BUDGETS, NOW), Skip)


def test_the_reason_is_told_in_words() -> None:
    assert spend(replace(WITHIN, author_hour=6), BUDGETS, NOW) == Skip(
        "per_author_hour", "in the last hour its author had 6 of 6 answers"
    )
    assert spend(replace(WITHIN, hour=60), BUDGETS, NOW) == Wait(
        NOW - 10 + HOUR, "per_hour", "60 of 60 answers were given"
    )


def test_without_a_total_there_is_no_end() -> None:
    assert spend(Spent(total=10**9), Budgets(), NOW) is None


def test_answers_are_counted() -> None:
    answers = [
        Answered(NOW - DAY, "ann", "x"),
        Answered(NOW - DAY + 1, "ann", "x"),
        Answered(NOW - HOUR, "ann", "y"),
        Answered(NOW - HOUR + 1, "ann", "y"),
        Answered(NOW - 5, "bob", "x"),
        Answered(NOW + 5, "ann", "x"),
    ]
    assert spent_of(answers, author="ann", thread="x", now=NOW) == Spent(
        author_hour=2,
        author_day=4,
        thread_day=3,
        author_thread_day=2,
        hour=3,
        day=5,
        total=6,
        hour_from=NOW - HOUR + 1,
        day_from=NOW - DAY + 1,
    )
    assert spent_of([], author="ann", thread="x", now=NOW) == Spent()


SMALL = st.builds(
    Budgets,
    **{
        field.name: st.integers(1, 5) if field.name != "total" else st.none() | st.integers(1, 9)
        for field in fields(Budgets)
    },
)
TRIGGERS = st.lists(
    st.tuples(st.integers(0, 5_000), st.sampled_from("abc"), st.sampled_from("xy")), max_size=60
)


@given(SMALL, TRIGGERS)
def test_no_window_ever_holds_more_than_a_budget(
    budgets: Budgets, triggers: list[tuple[int, str, str]]
) -> None:
    """Whatever is asked whenever, and though some of it waits."""
    answers = _run(budgets, triggers)
    for most, window, key in _rules(budgets):
        for first in answers:
            inside = [each for each in answers if first.at <= each.at < first.at + window]
            assert sum(key(each) == key(first) for each in inside) <= most


@given(SMALL, TRIGGERS)
def test_whoever_waits_gets_room_at_the_time_that_was_told(
    budgets: Budgets, triggers: list[tuple[int, str, str]]
) -> None:
    answers = _run(budgets, triggers)
    now = max((each.at for each in answers), default=NOW)
    found = spend(spent_of(answers, author="d", thread="z", now=now), budgets, now)
    if isinstance(found, Wait):
        assert found.until > now
        later = spend(spent_of(answers, author="d", thread="z", now=found.until), budgets, now)
        assert not isinstance(later, Wait)


def _run(budgets: Budgets, triggers: Sequence[tuple[int, str, str]]) -> list[Answered]:
    """Answer in the order of time; what waits asks again when it was told to."""
    answers: list[Answered] = []
    waiting: list[tuple[int, str, str]] = []
    now = NOW
    for gap, author, thread in triggers:
        now += gap
        waiting.append((now, author, thread))
    while waiting:
        waiting.sort()
        at, author, thread = waiting.pop(0)
        spent = spent_of(answers, author=author, thread=thread, now=at)
        match spend(spent, budgets, at):
            case None:
                answers.append(Answered(at, author, thread))
            case Wait(until=until):
                assert until > at
                waiting.append((until, author, thread))
    return answers


def _rules(budgets: Budgets) -> list[tuple[int, int, Callable[[Answered], object]]]:
    return [
        (budgets.per_author_hour, HOUR, lambda each: each.author),
        (budgets.per_author_day, DAY, lambda each: each.author),
        (budgets.per_thread, DAY, lambda each: each.thread),
        (budgets.per_author_thread, DAY, lambda each: (each.author, each.thread)),
        (budgets.per_hour, HOUR, lambda _: True),
        (budgets.per_day, DAY, lambda _: True),
        (budgets.total or 10**9, 10**9, lambda _: True),
    ]
