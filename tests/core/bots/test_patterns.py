"""Words and regular expressions in what strangers write."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.patterns import Pattern, has_word, marks_of, plain, unmarked
from nostr_threads.errors import InvalidInput


def test_case_counts_only_if_it_is_asked_for() -> None:
    assert Pattern("help").search("HELP me").is_there
    assert not Pattern("help", exact=True).search("HELP me").is_there
    assert Pattern("help", exact=True).search("help me").is_there


def test_what_was_found_is_told() -> None:
    assert Pattern(r"^\w+ me").search("so\nHelp me").text == "Help me"
    assert not Pattern("^me").search("help me").is_there


@pytest.mark.parametrize("source", ["(", "[a", "*", "(?P<x>a)(?P<", "a{5,1}", r"\p{Nothing}"])
def test_what_is_no_regular_expression_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput, match="not a regular expression"):
        Pattern(source)


@pytest.mark.parametrize("source", ["(a|a)+$", "(a|b|ab)*c", r"(\w+\s?)*;"])
def test_a_search_that_would_take_years_is_given_up(source: str) -> None:
    began = time.process_time()
    found = Pattern(source).search("ab" * 5_000 + "a" * 5_000 + "!")
    assert time.process_time() - began < 5
    assert not found.is_there


def test_giving_up_is_told() -> None:
    found = Pattern("(?:a|aa)+b(?:a|aa)+c").search("a" * 3_000 + "b" + "a" * 3_000)
    assert found.gave_up
    assert not found.is_there


@pytest.mark.parametrize(
    ("text", "word", "there"),
    [
        ("can you help?", "help", True),
        ("(help)", "help", True),
        ("HELP", "help", True),
        ("helpful", "help", False),
        ("unhelp", "help", False),
        ("bitcoin  price", "Bitcoin Price", True),
        ("bitcoin\nprice", "bitcoin price", True),
        ("bitcoin, price", "bitcoin price", False),
        ("die Straße", "STRASSE", True),
        ("Größenwahn", "größe", False),
        ("请帮助我吧", "帮助", True),
        ("これはヘルプです", "ヘルプ", True),
        ("\uff48\uff45\uff4c\uff50", "help", True),
        ("he\u200blp", "help", True),
        ("he\u00adlp", "help", True),
        ("he\ufe0flp", "help", True),
        ("_help_", "help", True),
        ("__help__!", "help", True),
        ("help_me", "help", True),
        ("help2", "help", False),
        ("C++ or Rust", "c++", True),
        ("C+++", "c++", True),
        ("помощь!", "Помощь", True),
    ],
)
def test_words_are_found_as_a_reader_finds_them(text: str, word: str, *, there: bool) -> None:
    assert has_word(plain(text), plain(word)) is there


@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=10))
def test_a_word_between_spaces_is_always_found(before: str, after: str, word: str) -> None:
    if plain(word).strip():
        assert has_word(f"{plain(before)} {plain(word)} {plain(after)}", plain(word))


UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180f\u200b\u200f\u202a\u202e\u2060\u2065\u206f"
    "\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0\ufff8\U0001bca0\U0001bca3\U0001d173\U0001d17a"
    "\U000e0000\U000e0041\U000e0100\U000e0fff"
)
LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=12)


def _filled(word: str, pieces: list[str]) -> str:
    """The word with one piece behind each letter but the last."""
    between = [*pieces[: len(word) - 1], *[""] * len(word)]
    return "".join(map("".join, zip(word, between, strict=False)))


@given(LETTERS, st.lists(st.text(UNSEEN, max_size=3), max_size=12))
def test_what_nobody_sees_hides_no_word(word: str, pieces: list[str]) -> None:
    assert plain(_filled(word, pieces)) == plain(word)
    if plain(word):
        assert has_word(plain(f"a {_filled(word, pieces)}."), plain(word))


@given(LETTERS, st.lists(st.text(st.characters(categories=["Mn", "Me"]), max_size=3), max_size=12))
def test_marks_on_its_letters_hide_no_word(word: str, pieces: list[str]) -> None:
    own = marks_of(word)
    strange = ["".join(char for char in piece if not marks_of(char) & own) for piece in pieces]
    assert unmarked(_filled(word, strange), own) == plain(word)


def test_marks_are_taken_off_but_for_those_that_are_wanted() -> None:
    assert unmarked("s\u0336e\u0336cr\u00e9t") == "secret"
    assert unmarked("s\u0336e\u0336cr\u00e9t", marks_of("\u00e9")) == "secr\u00e9t"
    assert unmarked("Plain") == "plain"
