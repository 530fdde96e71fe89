"""Lines of a given number of columns: nothing is lost but white space at the breaks."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nostr_threads.core.splitting.graphemes import grapheme_marks
from nostr_threads.render.escape import printable
from nostr_threads.render.wrap import cells, wrap
from tests.render.threads import texts

LINES = texts.map(lambda text: printable(text).replace("\n", " "))
WIDTHS = st.integers(20, 60)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("漢字", 4),
        ("ｱ", 1),
        ("e\u0301", 1),
        ("🧵", 2),
        ("❤\ufe0f", 2),
        ("한", 2),
    ],
)
def test_wide_characters_take_two_columns_and_marks_none(text: str, columns: int) -> None:
    assert cells(text) == columns


@pytest.mark.parametrize(
    ("line", "wrapped"),
    [
        ("one two three four five six", ["one two three four", "five six"]),
        ("    code that is too long to stay", ["    code that is too", "    long to stay"]),
        ("see https://a.example/a/long/link", ["see", "https://a.example/a/", "long/link"]),
        ("short", ["short"]),
        ("これは、とても長い文です。", ["これは、とても長い文", "です。"]),
        ("あいうえおかきくけこ。", ["あいうえおかきくけ", "こ。"]),
        ("a   b" + " " * 30 + "c", ["a   b", "c"]),
        ("word " * 4 + " \u0301x", ["word word word word", " \u0301x"]),
        ("", [""]),
    ],
)
def test_where_lines_break(line: str, wrapped: list[str]) -> None:
    assert wrap(line, 20) == wrapped


@given(LINES, WIDTHS)
def test_nothing_is_lost_but_spaces_and_no_line_is_too_long(line: str, width: int) -> None:
    lines = wrap(line, width)
    assert "".join(lines).replace(" ", "") == line.replace(" ", "")
    if line.strip(" "):
        assert max(map(cells, lines)) <= width


@given(LINES, WIDTHS)
def test_no_line_begins_inside_a_grapheme_that_fits(line: str, width: int) -> None:
    assume("ᄀ" not in line)
    marks = grapheme_marks(line)
    at = 0
    for piece in wrap(line, width)[:-1]:
        for character in piece.strip(" "):
            at = line.index(character, at) + 1
        assert marks[at]


def test_a_letter_wider_than_a_line_is_cut() -> None:
    lines = wrap("ᄀ" * 25, 20)
    assert [cells(line) for line in lines] == [20, 20, 10]


def test_a_hundred_thousand_characters_take_no_time() -> None:
    assert len(wrap("word " * 20_000, 50)) == 2_000
    assert len(wrap("é" * 100_000, 50)) == 2_000
