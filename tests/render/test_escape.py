"""Nothing a stranger wrote does more to a terminal than show itself."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.render.escape import draws_nothing, one_line, printable, undrawn

ANY_TEXT = st.text(st.characters())
DANGEROUS = ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")
# What emoji and words of some scripts are joined with; they move nothing.
JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}

WALES = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbwls\x7f")


@given(ANY_TEXT)
def test_no_control_or_format_character_survives(text: str) -> None:
    for character in set(printable(text)) - JOINERS - {"\n"}:
        assert unicodedata.category(character) not in DANGEROUS


@pytest.mark.parametrize("number", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_is_named_or_white_space(number: int) -> None:
    shown = printable(f"a{chr(number)}b")
    assert shown in ("a\nb", "a b") or shown[1] == "\\"
    assert shown.isprintable() or shown == "a\nb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x7f\x00", r"\x7f\x00"),
        ("a\u202eb", r"a\u202eb"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("a\r\nb", "a\nb"),
        ("over\rwritten", r"over\rwritten"),
        ("a\tb", "a b"),
        ("\ufeff\u200b\u00ad", r"\ufeff\u200b\xad"),
        ("\ue000\U000f0000", r"\ue000\U000f0000"),
        ("👩\u200d👩\u200d👧 می\u200cشود", "👩\u200d👩\u200d👧 می\u200cشود"),
        ("plain, ünïcödé 漢字 🧵", "plain, ünïcödé 漢字 🧵"),
        ("Z" + "\u0335\u0301" * 20 + "a\u0301", "Z" + "\u0335\u0301" * 3 + "a\u0301"),
        (WALES, WALES),
        ("\u2065└─ bob", r"\u2065└─ bob"),
        ("\U000e0000x\ufff0\U000e0fff", r"\U000e0000x\ufff0\U000e0fff"),
        ("\U0001fae8 \U0001fae9", "\U0001fae8 \U0001fae9"),  # emoji that are newer than our tables
    ],
)
def test_what_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY_TEXT, st.integers(1, 50))
def test_one_line_is_one_line_and_no_longer_than_asked(text: str, width: int) -> None:
    line = one_line(text, width)
    assert len(line) <= width
    assert len(line.splitlines()) <= 1
    assert line == line.strip() or len(line) == width


@given(ANY_TEXT)
def test_printable_twice_is_printable_once(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize("character", " \u3000\u00a0\u200d\ufe0f\u034f\u3164\u2800\u115f\u0301")
def test_blanks_are_known(character: str) -> None:
    assert draws_nothing(character)


@pytest.mark.parametrize("character", "aÄ漢🧵-.│└")
def test_what_can_be_seen_is_no_blank(character: str) -> None:
    assert not draws_nothing(character)


@given(ANY_TEXT)
def test_lines_are_drawn_in_ascii_each_in_its_place(text: str) -> None:
    shown = undrawn("└─ │ ┼" + text)
    assert shown.startswith("+- | +")
    assert undrawn("\uffe8⎿▏") == "|+|"
    assert len(shown) == len(text) + 6
    assert not [character for character in shown if "\u2500" <= character <= "\u257f"]
