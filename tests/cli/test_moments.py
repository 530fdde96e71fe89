"""Moments as people type them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.cli.moments import moment
from nostr_threads.errors import InvalidInput

NOW = 1_790_000_000
NEW_YEARS_EVE = 1_798_675_200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7d", NOW + 7 * 86_400),
        ("12h", NOW + 12 * 3_600),
        ("90m", NOW + 5_400),
        ("30s", NOW + 30),
        ("2w", NOW + 14 * 86_400),
        ("2026-12-31", NEW_YEARS_EVE),
        ("2026-12-31T10:00Z", NEW_YEARS_EVE + 36_000),
        ("2026-12-31T10:00", NEW_YEARS_EVE + 36_000),
        ("2026-12-31T10:00+02:00", NEW_YEARS_EVE + 28_800),
        (str(NOW + 1), NOW + 1),
    ],
)
def test_a_moment_is_a_span_a_date_or_unix_seconds(text: str, found: int) -> None:
    assert moment(text, NOW) == found


@pytest.mark.parametrize("text", ["", "7", "7 d", "-7d", "\u0667d", "2026-13", "1e12"])
def test_what_is_no_moment_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(InvalidInput, match="7d, 12h"):
        moment(text, NOW)


@pytest.mark.parametrize("text", ["0d", "2020-01-01", str(NOW)])
def test_what_is_over_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="over already"):
        moment(text, NOW)


@given(st.text(max_size=20))
def test_nothing_but_a_later_moment_comes_of_any_text(text: str) -> None:
    with suppress(InvalidInput):
        assert moment(text, NOW) > NOW
