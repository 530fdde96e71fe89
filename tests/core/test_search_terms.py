"""How a search is written: words, phrases, what must not be there, beginnings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.search_terms import Term, found_by, parse_terms, spaced


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("long answers", [Term(("long",)), Term(("answers",))]),
        ('"Long  answers" now', [Term(("long", "answers")), Term(("now",))]),
        ("-spam note", [Term(("spam",), excluded=True), Term(("note",))]),
        ('-"buy now" note', [Term(("buy", "now"), excluded=True), Term(("note",))]),
        ("nost*", [Term(("nost",), begins=True)]),
        ("don't", [Term(("don", "t"))]),
        ("language:en sentiment:neutral words", [Term(("words",))]),
        ("https://x.example/a", [Term(("https", "x", "example", "a"))]),
        ("\u4e2d\u6587", [Term(("\u4e2d", "\u6587"))]),
        ("\u00dcber", [Term(("\u00fcber",))]),
        ("... !? \U0001f9e1", []),
        ('"', []),
        ('"open', [Term(("open",))]),
        ("", []),
    ],
)
def test_a_search_is_read_as_its_terms(text: str, terms: list[Term]) -> None:
    assert list(parse_terms(text)) == terms


def test_something_has_to_be_wanted() -> None:
    assert found_by(parse_terms("words -others"))
    assert not found_by(parse_terms("-others"))
    assert not found_by(())


@given(st.text(max_size=300))
def test_whatever_is_written_words_have_letters_and_digits_alone(text: str) -> None:
    for term in parse_terms(text):
        assert term.words
        assert all(word.isalnum() or word.isidentifier() for word in term.words)


@given(st.text(max_size=100))
def test_spaces_are_all_that_is_added(text: str) -> None:
    assert spaced(text).replace(" ", "") == text.replace(" ", "")
