"""How fast a relay is sent to: what its refusals and its patience teach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.pacing import Pace, usual_gap

MOMENTS = st.floats(min_value=0, max_value=1e9)
PACES = st.builds(Pace, st.floats(min_value=0, max_value=60), MOMENTS | st.just(float("-inf")))
ANSWERS = st.lists(st.one_of(st.none(), st.just(""), st.text(max_size=80), st.integers(0, 999)))
"""None for an event that was taken, else a refusal's words or the seconds it names."""


def after(answers: list[str | int | None]) -> list[Pace]:
    """Every pace on the way, the first one included."""
    paces = [Pace()]
    for answer in answers:
        words = f"rate-limited: wait {answer} s" if isinstance(answer, int) else answer
        paces.append(paces[-1].taken() if words is None else paces[-1].refused(words))
    return paces


def test_nothing_is_held_back_until_a_relay_complains() -> None:
    assert Pace().gap == Pace().wait(5.0) == Pace().sent(5.0).wait(5.0) == 0
    assert Pace().taken() == Pace()


def test_each_refusal_doubles_the_gap_from_a_second_up_to_a_minute() -> None:
    gaps = [pace.gap for pace in after([""] * 8)]
    assert gaps == [0, 1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("rate-limited: slow down", 1),
        ("rate-limited: try again in 12 seconds", 12),
        ("rate-limited: 5s", 5),
        ("rate-limited: 3 sec, or 20 sec", 20),
        ("rate-limited: wait 900 s", 60),
        ("rate-limited: 10 events", 1),
    ],
)
def test_a_relay_that_says_how_long_is_waited_for_that_long(words: str, seconds: float) -> None:
    assert Pace().refused(words).gap == seconds


@given(ANSWERS)
def test_the_gap_is_never_shorter_than_the_last_refusal_taught(
    answers: list[str | int | None],
) -> None:
    paces = after(answers)
    for answer, before, now in zip(answers, paces, paces[1:], strict=False):
        assert 0 <= now.gap <= 60
        if answer is None:
            assert now.gap == 0 or 0.7 * before.gap < now.gap < before.gap
        else:
            assert now.gap >= min(60, max(1, 2 * before.gap))
            assert not isinstance(answer, int) or now.gap >= min(60, answer)


@given(ANSWERS)
def test_a_relay_that_takes_everything_again_is_soon_sent_to_without_pause(
    answers: list[str | int | None],
) -> None:
    assert after([*answers, *[None] * 30])[-1] == Pace()


@given(PACES, MOMENTS, st.floats(min_value=0, max_value=200))
def test_the_wait_ends_a_gap_after_the_last_event_and_not_before(
    pace: Pace, now: float, passed: float
) -> None:
    wait = pace.sent(now).wait(now + passed)
    assert 0 <= wait <= pace.gap
    assert passed + wait >= pace.gap - 1e-6


@given(PACES, MOMENTS)
def test_a_clock_that_went_back_costs_no_more_than_the_gap(pace: Pace, now: float) -> None:
    assert 0 <= pace.wait(now) <= pace.gap


@given(st.floats(min_value=0.2, max_value=20), st.integers(1, 60))
def test_a_relay_with_a_steady_limit_refuses_ever_fewer_than_it_takes(
    limit: float, events: int
) -> None:
    """A relay that takes one event every `limit` seconds is found out, and all arrive."""
    pace, now, taken_at, refusals = Pace(), 0.0, float("-inf"), 0
    for _ in range(events):
        while True:
            now += pace.wait(now)
            pace = pace.sent(now)
            if now - taken_at >= limit - 1e-9:
                break
            refusals += 1
            pace = pace.refused("rate-limited: slow down")
        taken_at, pace = now, pace.taken()
    assert refusals <= 6 + events


@pytest.mark.parametrize(
    ("software", "seconds"),
    [
        ("https://github.com/fiatjaf/khatru", 90),
        ("https://github.com/barrydeen/haven", 6),
        ("git+https://github.com/cameri/nostream.git", 5),
        ("git+https://github.com/hoytech/strfry.git", 0),
        ("", 0),
    ],
)
def test_what_the_software_of_a_relay_is_known_for_counts_from_its_first_refusal(
    software: str, seconds: float
) -> None:
    usual = usual_gap(software)
    assert usual == seconds
    assert Pace().refused("rate-limited: slow down", usual=usual).gap == max(1, seconds)
    assert Pace().refused("rate-limited: wait 12 s", usual=usual).gap == 12
