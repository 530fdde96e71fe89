from __future__ import annotations

from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.splitting.graphemes import grapheme_marks


def graphemes(text: str) -> list[str]:
    """Return the text cut at every place where that is allowed."""
    places = [place for place, mark in enumerate(grapheme_marks(text)) if mark]
    return [text[start:end] for start, end in pairwise(places)]


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param("\r\n", id="CR LF"),
        pytest.param("e\u0301\u0302", id="combining marks"),
        pytest.param(" \u0301", id="a mark on a space"),
        pytest.param("👩🏽\u200d👩\u200d👧\u200d👦", id="a family"),
        pytest.param("❤\ufe0f\u200d🔥", id="a variation selector before a joiner"),
        pytest.param("👁\ufe0f\u200d🗨\ufe0f", id="eye in speech bubble"),
        pytest.param("👍🏿", id="a skin tone"),
        pytest.param("🇩🇪", id="a flag"),
        pytest.param("1\ufe0f\u20e3", id="a keycap"),
        pytest.param("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", id="tags"),
        pytest.param("\u1112\u1161\u11ab", id="Hangul L V T"),
        pytest.param("\u1112\u1112\u1161\u1161", id="Hangul L L V V"),
        pytest.param("가\u11a8", id="Hangul LV T"),
        pytest.param("각\u11a8", id="Hangul LVT T"),
        pytest.param("क्षि", id="a Devanagari conjunct"),
        pytest.param("กำ", id="Thai sara am"),
        pytest.param("か\u3099", id="a kana with its sound mark"),
        pytest.param("葛\U000e0100", id="an ideograph with its variation"),
        pytest.param("👩\u200d©", id="a joined sign below U+0300"),
    ],
)
def test_a_grapheme_is_one(whole: str) -> None:
    assert graphemes(whole) == [whole]
    assert graphemes(f"a{whole}b") == ["a", whole, "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab", ["a", "b"]),
        ("\n\r", ["\n", "\r"]),
        ("\r\r\n\n", ["\r", "\r\n", "\n"]),
        ("\n\u0301", ["\n", "\u0301"]),
        ("🇩🇪🇫🇷🇬", ["🇩🇪", "🇫🇷", "🇬"]),
        ("👍👍", ["👍", "👍"]),
        ("a\u200db", ["a\u200d", "b"]),
        ("각가", ["각", "가"]),
        ("漢字", ["漢", "字"]),
        ("e\u0301🇩🇪", ["e\u0301", "🇩🇪"]),
    ],
)
def test_graphemes_stand_apart(text: str, expected: list[str]) -> None:
    assert graphemes(text) == expected


@given(st.text())
def test_graphemes_make_up_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text


def test_a_long_run_of_flags_is_cut_between_flags_and_in_linear_time() -> None:
    """Guarded by the suite's timeout: `regex` alone takes hours for this."""
    assert graphemes("🇩🇪" * 200_000 + "🇩a") == ["🇩🇪"] * 200_000 + ["🇩", "a"]


@given(st.text("a \r\n\u0301\u200d👩🏽🇩각ᄀक्षि\u0600©\ufe0fか一", max_size=12))
def test_graphemes_are_those_of_unicode_annex_29(text: str) -> None:
    assert graphemes(text) == regex.findall(r"\X", text)
