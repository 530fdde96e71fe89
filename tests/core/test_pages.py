"""Paging through relays with any cap: whole, or said not to be; honest or not, it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.pages import PAGE, Page, pages
from tests.core.invented import invented

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified

Answering = Callable[[Filter], Page]
MOST_ROUNDS = 3000
ALL = Filter(kinds=(1,))


def notes(times: list[int]) -> list[Verified]:
    return [invented(f"note {number}", at=at) for number, at in enumerate(times)]


def honest(events: list[Verified], cap: int, hints: str) -> Answering:
    """A relay that sends the newest `cap` of what matches; `hints` says how it uses NIP-67."""

    def answer(asked: Filter) -> Page:
        found = sorted(
            (event for event in events if asked.matches(event)),
            key=lambda event: (-event.created_at, event.id),
        )
        sent = found[: min(cap, asked.limit or cap)]
        said = "more" if len(sent) < len(found) else "finish"
        given_hints = (said,) if hints in ("both", said) else ()
        return Page(tuple(sent), len(sent), Finish.COMPLETE, given_hints)

    return answer


def ask(
    question: Filter, answering: Answering, *, page: int = PAGE, most: int = 100_000
) -> tuple[set[str], Finish, list[Filter]]:
    """Drive the pages to their end; return the ids found, the ending and what was asked."""
    plan = pages(question, page=page, most=most)
    asked, found = [next(plan)], set[str]()
    try:
        while len(asked) < MOST_ROUNDS:
            got = answering(asked[-1])
            found |= {event.id for event in got.events}
            asked.append(plan.send(got))
    except StopIteration as ended:
        return found, ended.value[0], asked
    raise AssertionError("it did not end")


def cursors(asked: list[Filter]) -> list[int]:
    return [item.until for item in asked if item.until is not None]


# Few seconds, so that many notes share one, and spells of nothing between.
times = st.lists(st.one_of(st.integers(100, 104), st.integers(0, 3000)), max_size=150)
hint_styles = st.sampled_from(("none", "finish", "more", "both"))


@given(times, st.integers(20, 60), hint_styles)
@settings(max_examples=300)
def test_an_honest_relay_with_a_cap_of_twenty_or_more_gives_all_or_is_limited(
    when: list[int], cap: int, hints: str
) -> None:
    """Whoever counts an answer as COMPLETE may say that what is not in it is not there."""
    events = notes(when)
    found, finish, asked = ask(ALL, honest(events, cap, hints))
    if finish is Finish.COMPLETE:
        assert found == {event.id for event in events}
    else:
        assert finish is Finish.LIMITED
        assert max(when.count(second) for second in when) >= cap - 1 or len(found) >= cap
    assert cursors(asked) == sorted(cursors(asked), reverse=True)


@given(times, st.integers(1, 19))
def test_a_smaller_cap_is_safe_with_hints(when: list[int], cap: int) -> None:
    """NIP-67: the presence of a hint is definitive."""
    events = notes(when)
    found, finish, _ = ask(ALL, honest(events, cap, "both"))
    assert finish is Finish.LIMITED or found == {event.id for event in events}


@given(times, st.integers(20, 60), hint_styles)
def test_no_second_that_is_thinner_than_the_cap_loses_an_event(
    when: list[int], cap: int, hints: str
) -> None:
    events = notes(when)
    found, _, _ = ask(ALL, honest(events, cap, hints))
    thin = {event.id for event in events if when.count(event.created_at) < cap}
    assert thin <= found


@given(times, st.integers(20, 60), st.integers(0, 200), st.integers(0, 200))
def test_since_and_until_hold_on_every_page(
    when: list[int], cap: int, since: int, length: int
) -> None:
    events = notes(when)
    question = Filter(kinds=(1,), since=since, until=since + length)
    found, finish, asked = ask(question, honest(events, cap, "none"))
    assert all(item.since == since for item in asked)
    assert max(cursors(asked)) == since + length
    if finish is Finish.COMPLETE:
        assert found == {event.id for event in events if question.matches(event)}


lying_pages = st.builds(
    Page,
    events=st.lists(
        st.builds(
            lambda name, at: invented(str(name), at=at), st.integers(0, 30), st.integers(0, 2000)
        ),
        max_size=5,
    ).map(tuple),
    sent=st.integers(0, 600),
    finish=st.just(Finish.COMPLETE),
    hints=st.sampled_from(((), ("more",), ("unheard of",))),
)


@given(st.lists(lying_pages, min_size=1, max_size=4), st.none() | st.integers(0, 1000))
def test_a_lying_relay_cannot_keep_us_or_move_the_cursor_up(
    script: list[Page], until: int | None
) -> None:
    """Repeated pages, events newer than `until`, "more" for ever, counts that are not true."""
    turn = iter(range(10**9))
    _, finish, asked = ask(
        Filter(until=until), lambda _: script[next(turn) % len(script)], most=100
    )
    assert finish in (Finish.COMPLETE, Finish.LIMITED)
    assert cursors(asked) == sorted(cursors(asked), reverse=True)


def test_a_relay_that_repeats_a_page_newer_than_asked_for_is_limited() -> None:
    stuck = invented("stuck", at=1_700_000_000)
    page = Page((stuck,), 1, Finish.COMPLETE, ("more",))
    _, finish, asked = ask(ALL, lambda _: page)
    assert finish is Finish.LIMITED
    assert len(asked) < 5


def test_more_without_events_is_limited() -> None:
    _, finish, asked = ask(ALL, lambda _: Page((), 0, Finish.COMPLETE, ("more",)))
    assert (finish, len(asked)) == (Finish.LIMITED, 1)


def test_a_relay_that_invents_events_for_ever_is_stopped() -> None:
    made = iter(range(10**9))

    def endless(asked: Filter) -> Page:
        at = 10**9 if asked.until is None else asked.until - 1
        return Page((invented(f"made {next(made)}", at=at),), 1, Finish.COMPLETE)

    found, finish, _ = ask(ALL, endless, most=500)
    assert (finish, len(found)) == (Finish.LIMITED, 500)


def test_one_event_a_page_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.core.pages._MOST_PAGES", 7)
    times = iter(range(10**6, 0, -1))
    _, finish, asked = ask(
        ALL, lambda _: Page((invented(str(at := next(times)), at=at),), 1, Finish.COMPLETE)
    )
    assert (finish, len(asked)) == (Finish.LIMITED, 7)


@pytest.mark.parametrize("finish", [each for each in Finish if each is not Finish.COMPLETE])
def test_a_page_that_ends_early_ends_it_all(finish: Finish) -> None:
    plan = pages(ALL)
    next(plan)
    with pytest.raises(StopIteration) as ended:
        plan.send(Page((invented("one"),), 1, finish, reason="why"))
    assert ended.value.value == (finish, "why")


def test_finish_ends_it_at_the_first_page() -> None:
    _, finish, asked = ask(ALL, honest(notes(list(range(10))), 500, "finish"))
    assert (finish, len(asked)) == (Finish.COMPLETE, 1)


def test_unknown_hints_are_as_good_as_none() -> None:
    """NIP-67: clients must ignore unknown hint values."""
    events = notes(list(range(50)))

    def answer(asked: Filter) -> Page:
        got = honest(events, 20, "none")(asked)
        return Page(got.events, got.sent, got.finish, ("partial", "💥"))

    found, finish, _ = ask(ALL, answer)
    assert (len(found), finish) == (50, Finish.COMPLETE)


def test_ids_that_were_all_found_are_not_asked_for_again() -> None:
    events = notes([5, 6, 7])
    question = Filter(ids=tuple(event.id for event in events))
    _, finish, asked = ask(question, honest(events, 500, "none"))
    assert (finish, len(asked)) == (Finish.COMPLETE, 1)


def test_a_dense_second_is_stepped_over_and_told() -> None:
    """The rule of dense seconds: LIMITED, never silently partial, and what is older still comes."""
    events = notes([1000] * 30 + [900] * 5)
    found, finish, _ = ask(ALL, honest(events, 20, "none"))
    assert finish is Finish.LIMITED
    assert {event.id for event in events if event.created_at == 900} <= found


def test_an_answer_of_forgeries_alone_is_not_complete() -> None:
    _, finish, _ = ask(ALL, lambda _: Page((), 3, Finish.COMPLETE, refused=3))
    assert finish is Finish.LIMITED


def test_the_page_size_is_asked_for() -> None:
    assert next(pages(Filter(limit=3), page=77)).limit == 77
