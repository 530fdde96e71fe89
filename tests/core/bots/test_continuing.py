"""Answers that were cut off, gone on with."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nostr_threads.core.bots.continuing import (
    gone_on,
    joined,
    last_words,
    resumable,
    whole_sentences,
)
from nostr_threads.core.endings import unfinished

# No word is the beginning or the end of another, and none comes twice.
WORDS = [f"w{number:03}" for number in range(60)]
SPACES = st.sampled_from((" ", "\n", ", ", ".\n\n", "\n- ", "**. "))


@st.composite
def unlike_texts(draw: st.DrawFn) -> str:
    count = draw(st.integers(2, 40))
    return "".join(f"{word}{draw(SPACES)}" for word in WORDS[:count]) + "end."


@given(unlike_texts(), st.data())
def test_a_text_cut_anywhere_is_whole_again(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert joined(text[:cut], text[cut:]) == text


@given(unlike_texts(), st.data())
def test_words_that_are_repeated_are_there_once(text: str, data: st.DataObject) -> None:
    starts = [place for place in range(len(text)) if text[place] == "w"]
    start = data.draw(st.sampled_from(starts))
    ends = [place for place in range(start + 4, len(text)) if not text[place].isalnum()]
    cut = data.draw(st.sampled_from(ends))
    assert joined(text[:cut], text[start:]) == text


@given(st.text(min_size=17), st.data())
def test_a_long_overlap_of_any_text_is_there_once(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 16))
    cut = data.draw(st.integers(start + 16, len(text)))
    overlap = text[start:cut]
    assume(sum(text.startswith(overlap, place) for place in range(len(text))) == 1)
    assume(any(map(str.isalnum, overlap)))
    assert joined(text[:cut], text[start:]) == text


@given(unlike_texts(), st.integers(0, 300), st.data())
def test_what_a_model_goes_on_with_leaves_no_trace(
    text: str, back: int, data: st.DataObject
) -> None:
    """As it is asked: from the last whole word, with any number of words before it repeated."""
    kept = resumable(text[: data.draw(st.integers(1, len(text)))].rstrip())
    assert text.startswith(kept)
    start = max(0, len(kept) - back)
    while start and not text[start - 1].isspace():
        start -= 1
    assert gone_on(kept, text[start:]) == text
    assert gone_on(kept, text[start:].lstrip()) == text
    assert gone_on(kept, f"\n\n{text[start:]}") == text or not kept


@pytest.mark.parametrize("mark", ["-", "*", "  -", ">", "##", "|", "1.", "2)"])
@pytest.mark.parametrize("repeated", [True, False])
def test_the_mark_of_a_line_is_there_once(mark: str, repeated: bool) -> None:
    kept = resumable(f"An item.\n{mark} ano")
    more = f"{mark} another item." if repeated else "another item."
    assert gone_on(kept, more) == f"An item.\n{mark} another item."


def test_items_that_are_repeated_are_there_once() -> None:
    assert gone_on("- one\n- two\n- ", "- two\n- three.") == "- one\n- two\n- three."


def test_a_mark_within_a_line_is_no_line_s_mark() -> None:
    assert gone_on("5 - ", "- 3 is 8.") == "5 - - 3 is 8."


def test_a_preface_before_the_repetition_is_left_out() -> None:
    first = "It is a place. A relay keeps notes, and hands them to "
    more = "Sure, here is the rest:\n\nA relay keeps notes, and hands them to whoever asks."
    whole = "It is a place. A relay keeps notes, and hands them to whoever asks."
    assert joined(first, more) == whole
    assert joined(first.rstrip(), more) == whole


def test_what_only_looks_like_the_end_is_no_repetition() -> None:
    first = "The first: it is long enough. And "
    more = "the other: it is long enough. And then"
    assert joined(first, more) == first + more
    first = "It is a place. A relay keeps notes, and hands them to "
    more = "you if a relay keeps notes, and where A relay keeps notes, and hands them to all."
    assert joined(first, more) == first + more
    first = "It is a place. A relay keeps notes, and hands them to "
    more = "x" * 201 + " A relay keeps notes, and hands them to whoever asks."
    assert joined(first, more) == first + more


@pytest.mark.parametrize("more", ["the server", "to the server", "go to the\nserver"])
@pytest.mark.parametrize("first", ["We go to the ", "We go to the"])
def test_a_word_is_enough_of_a_repetition(first: str, more: str) -> None:
    assert joined(first, more).split() == ["We", "go", "to", "the", "server"]


def test_single_letters_and_marks_that_are_alike_by_chance_stay() -> None:
    assert joined("the cat", "t sat") == "the catt sat"
    assert joined("a - ", "- b") == "a - - b"
    assert joined("|---|---|---|---|---|", "---|---|\n") == "|---|---|---|---|---|---|---|\n"
    assert joined("", "more") == "more"
    assert joined("first", "") == "first"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("one two thr", "one two "),
        ("one two ", "one two "),
        ("one\n- tw", "one\n- "),
        ("word", ""),
        ("one\ttw", "one\t"),
        ("a " + "b" * 38, "a "),
        ("a " + "b" * 40, "a " + "b" * 40),
        ("漢" * 50, "漢" * 50),
        ("", ""),
    ],
)
def test_it_is_gone_on_with_from_a_whole_word(text: str, kept: str) -> None:
    assert resumable(text) == kept


def test_the_last_words_are_asked_for_again() -> None:
    assert last_words("a b c d e f g h i\nj ") == "c d e f g h i j"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One is here. Two is here. And thr", "One is here. Two is here."),
        ("This is one. Two is by Dr. Who and", None),
        ("He said “so it is.” Then he", "He said “so it is.”"),
        ("これは長い文です。次の", "これは長い文です。"),
        ("A long paragraph of words.\n\n- an item\n- anoth", "A long paragraph of words."),
        ("Short. But this sentence goes on for so long that most of it", None),
        ("Half of it! and more o", "Half of it!"),
        ("Half of it! and more of", None),
        ("no marks at all in this", None),
        ("", None),
    ],
)
def test_what_never_ends_is_cut_back_to_a_sentence(text: str, kept: str | None) -> None:
    assert whole_sentences(text) == kept


@given(st.lists(st.sampled_from(("One two. ", "Three, ", "four! ", "- five\n", "```\n", "x"))))
def test_what_is_kept_is_finished_and_at_least_half(pieces: list[str]) -> None:
    text = "".join(pieces)
    kept = whole_sentences(text)
    if kept is not None:
        assert text.startswith(kept)
        assert len(kept) * 2 >= len(text)
        assert unfinished(kept) is None
