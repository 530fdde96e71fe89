"""Quiet hours: how they are written, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.quiet import Quiet, parse_quiet, quiet_until
from nostr_threads.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = (parse_quiet("22:00-07:00"),)


def at(text: str, zone: timezone | ZoneInfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("text", "quiet"),
    [
        ("22:00-07:00", Quiet(1320, 420)),
        (" 9:05 - 17:30 ", Quiet(545, 1050)),
        ("00:00-00:01", Quiet(0, 1)),
        ("12:00-24:00", Quiet(720, 0)),
        ("23:59-00:00", Quiet(1439, 0)),
    ],
)
def test_hours_are_read(text: str, quiet: Quiet) -> None:
    assert parse_quiet(text) == quiet
    assert parse_quiet(str(quiet)) == quiet


@pytest.mark.parametrize(
    "text",
    [
        *("", "22-07", "22:00", "25:00-07:00", "22:60-07:00", "22:00-24:01", "24:00-07:00"),
        *("07:00-07:00", "00:00-24:00", "00:00-00:00", "22:00-07:00x", "a22:00-07:00"),
    ],
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_quiet(text)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2024-05-01T21:59:59", None),
        ("2024-05-01T22:00:00", "2024-05-02T07:00:00"),
        ("2024-05-01T23:59:59", "2024-05-02T07:00:00"),
        ("2024-05-02T00:00:00", "2024-05-02T07:00:00"),
        ("2024-05-02T06:59:59", "2024-05-02T07:00:00"),
        ("2024-05-02T07:00:00", None),
        ("2024-05-02T12:00:00", None),
    ],
)
@pytest.mark.parametrize("zone", [UTC, BERLIN, timezone(timedelta(hours=-9, minutes=-30))])
def test_a_night_is_quiet_from_its_first_second_to_its_last(
    now: str, until: str | None, zone: timezone | ZoneInfo
) -> None:
    expected = None if until is None else at(until, zone)
    assert quiet_until(NIGHT, at(now, zone), zone) == expected


def test_hours_within_a_day_end_on_it() -> None:
    noon = (parse_quiet("12:00-13:00"),)
    assert quiet_until(noon, at("2024-05-01T11:59:59")) is None
    assert quiet_until(noon, at("2024-05-01T12:00:00")) == at("2024-05-01T13:00:00")
    assert quiet_until(noon, at("2024-05-01T13:00:00")) is None


def test_hours_that_follow_each_other_are_one() -> None:
    hours = tuple(map(parse_quiet, ("01:00-07:00", "22:00-02:00", "07:00-08:00")))
    assert quiet_until(hours, at("2024-05-01T23:00:00")) == at("2024-05-02T08:00:00")


def test_where_there_is_no_gap_it_is_looked_at_again_in_a_day() -> None:
    hours = tuple(map(parse_quiet, ("00:00-12:00", "12:00-24:00")))
    now = at("2024-05-01T23:00:00")
    assert quiet_until(hours, now) == now + 86_400


def test_without_hours_it_is_never_quiet() -> None:
    assert quiet_until((), at("2024-05-01T23:00:00")) is None


def test_clocks_that_are_changed_at_night_change_its_length() -> None:
    """31 March and 27 October 2024, Berlin: the night has nine hours, less or plus one."""
    for day, hours in (("2024-03-30", 8), ("2024-10-26", 10), ("2024-05-01", 9)):
        now = at(f"{day}T22:00:00", BERLIN)
        assert quiet_until(NIGHT, now, BERLIN) == now + hours * 3600


HOURS = st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(
    lambda pair: pair[0] != pair[1]
)


@given(
    st.lists(HOURS.map(lambda pair: Quiet(*pair)), max_size=3),
    st.integers(at("2024-01-01"), at("2025-01-01")),
    st.sampled_from((UTC, BERLIN, ZoneInfo("Australia/Lord_Howe"))),
)
def test_it_ends_after_now_and_within_a_day(
    hours: list[Quiet], now: int, zone: timezone | ZoneInfo
) -> None:
    """A day, and an hour where clocks are set back."""
    until = quiet_until(hours, now, zone)
    local = datetime.fromtimestamp(now, zone)
    is_quiet = any(each.holds(local.hour * 60 + local.minute) for each in hours)
    assert (until is not None) is is_quiet
    if until is not None:
        assert now < until <= now + 90_000


@given(HOURS.map(lambda pair: Quiet(*pair)), st.integers(0, 10**9))
def test_what_ends_is_over(hours: Quiet, now: int) -> None:
    until = quiet_until((hours,), now)
    if until is not None:
        assert quiet_until((hours,), until) is None
        assert quiet_until((hours,), until - 1) == until
