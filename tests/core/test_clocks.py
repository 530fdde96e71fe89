"""`core.clocks`: when our clock is wrong, and which complaints are about time."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.clocks import about_time, skewed


def relays(*skews: float) -> dict[str, float]:
    return {f"wss://{number}.example": skew for number, skew in enumerate(skews)}


@pytest.mark.parametrize(
    ("skews", "off"),
    [
        ((), None),
        ((1.0, 0.4), None),
        ((59.0, 60.0, 58.0), None),
        ((70.0, 80.0), 75.0),
        ((-3600.0, -3599.0, -3601.0), -3600.0),
        ((70.0, 101.0), None),
        ((70.0, 80.0, 0.0), 75.0),
        ((70.0, 80.0, 0.0, 1.0), None),
        ((500.0, -500.0, 0.0), None),
        ((599.0,), None),
        ((601.0,), 601.0),
        ((-601.0,), -601.0),
        ((nan, inf), None),
        ((nan, 601.0), 601.0),
    ],
)
def test_our_clock_is_wrong_when_most_relays_agree_that_it_is(
    skews: tuple[float, ...], off: float | None
) -> None:
    assert skewed(relays(*skews)) == off


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=7), st.lists(st.floats(), max_size=1))
def test_one_liar_among_relays_that_agree_changes_nothing(
    honest: list[float], liar: list[float]
) -> None:
    assert skewed(relays(*honest, *liar)) is None
    off = skewed(relays(*(skew + 3600 for skew in honest), *liar))
    assert off is not None
    assert abs(off - 3600) <= 30


@given(st.lists(st.floats(), max_size=6))
def test_relays_may_say_what_they_like(skews: list[float]) -> None:
    off = skewed(relays(*skews))
    assert off is None or abs(off) > 60


@pytest.mark.parametrize(
    "reason",
    [
        "invalid: event creation date is too far off from the current time",
        "invalid: created_at too early",
        "invalid: created_at too late",
        "invalid: created_at is more than 900 seconds in the future",
        "invalid: event is too new",
        "invalid: event too old",
        "invalid: event created_at timestamp is out of allowed range",
        "Invalid: The event's CREATED AT is out of the acceptable range",
        "invalid: too much in the future",
        "error: event too far in the future, is your system clock in sync?",
    ],
)
def test_a_complaint_about_time_is_known(reason: str) -> None:
    assert about_time(reason)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "blocked: you are banned",
        "invalid: event has already expired",
        "invalid: expiration is in the past",
        "invalid: created_at is missing",
        "rate-limited: slow down there chief",
        "pow: difficulty 26 is less than 30",
        "duplicate: already have this event",
        "invalid: content too long " + "x" * 300 + " created_at",
    ],
)
def test_other_complaints_are_not_about_time(reason: str) -> None:
    assert not about_time(reason)
