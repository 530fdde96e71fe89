"""Snippets: the piece of a text in which most of what was looked for stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.search_terms import parse_terms
from nostr_threads.render.snippets import snippet

FILLER = "nothing of it here "


def hits(text: str, search: str, most: int = 60) -> list[str]:
    made = snippet(text, parse_terms(search), most)
    return [piece.text for piece in made.pieces if piece.is_hit]


@pytest.mark.parametrize(
    ("text", "search", "found"),
    [
        ("One page, and pages", "page", ["page"]),
        ("One page, and Pages", "page*", ["page", "Pages"]),
        ("pages backwards, page by page", '"page by page"', ["page", "by", "page"]),
        ("a page without end", "page -end", ["page"]),
        ("私は日本語を話す", "日本語", ["日", "本", "語"]),
        ("ÄPFEL und äpfel", "äpfel", ["ÄPFEL", "äpfel"]),
        ("nothing", "page", []),
    ],
)
def test_words_are_found_as_the_index_finds_them(text: str, search: str, found: list[str]) -> None:
    assert hits(text, search) == found


def test_it_is_where_most_of_the_words_stand() -> None:
    text = f"page {FILLER * 30}page backwards {FILLER * 30}backwards"
    made = snippet(text, parse_terms("page backwards"), 80)
    assert [piece.text for piece in made.pieces if piece.is_hit] == ["page", "backwards"]
    assert made.cut_before
    assert made.cut_after


def test_a_short_text_is_whole_and_a_long_one_without_hits_begins() -> None:
    assert snippet("a page", parse_terms("page"), 60).text == "a page"
    made = snippet(FILLER * 30, parse_terms("page"), 60)
    assert (made.cut_before, made.cut_after) == (False, True)
    assert (FILLER * 30).startswith(made.text)


def test_it_is_cut_between_words() -> None:
    text = f"{FILLER * 30}page {FILLER * 30}"
    made = snippet(text, parse_terms("page"), 80)
    assert f" {made.text} " in text


@given(
    text=st.text(st.sampled_from("ab ß İ\n日x"), max_size=200),
    search=st.text(st.sampled_from('ab日"*- '), max_size=8),
    most=st.integers(8, 60),
)
def test_it_is_a_piece_of_the_text_and_no_longer_than_it_may_be(
    text: str, search: str, most: int
) -> None:
    made = snippet(text, parse_terms(search), most)
    assert len(made.text) <= most
    assert made.text in text
    assert made.cut_before or text.startswith(made.text)
    assert made.cut_after or text.endswith(made.text)
    assert "".join(piece.text for piece in made.pieces) == made.text


def test_a_word_that_is_longer_than_the_piece_is_cut() -> None:
    made = snippet("a" * 500, parse_terms("a*"), 60)
    assert (made.text, made.cut_after) == ("a" * 60, True)


def test_a_text_of_a_million_hits_takes_no_time_that_matters() -> None:
    made = snippet("a " * 500_000, parse_terms("a b"), 200)
    assert made.text.startswith("a a")
