"""Numbers that people put on notes by hand, and what only looks like one."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.numbering import numbering
from tests.core.strategies import texts

PIECES = (
    "1/7",
    "2.",
    "(3/5)",
    "[1/",
    "🧵",
    "👇",
    "\ufe0f",
    " ",
    "\n",
    "cont.",
    "…",
    " of ",
    "word",
)

NUMBERS = [
    ("1/7 text", 1, 7),
    ("text 1/7", 1, 7),
    ("1/ text", 1, None),
    ("text\n\n2/n", 2, None),
    ("(2/5) text", 2, 5),
    ("text (2/5)", 2, 5),
    ("text [2/5]", 2, 5),
    ("text 2 / 5", 2, 5),
    ("\uff082/5\uff09text", 2, 5),
    ("2. text", 2, None),
    ("2) text", 2, None),
    ("🧵 1/5\n\ntext", 1, 5),
    ("🧵1/5 text", 1, 5),
    ("1/🧵 text", 1, None),
    ("text 1/5 👇", 1, 5),
    ("1 of 7 text", 1, 7),
    ("Part 2/3: text", 2, 3),
    ("2/5 - text", 2, 5),
    ("  3/5\ntext  ", 3, 5),
]


@pytest.mark.parametrize(("text", "index", "total"), NUMBERS, ids=[text for text, *_ in NUMBERS])
def test_a_number_is_read_and_its_stretch_leaves_the_text(
    text: str, index: int, total: int | None
) -> None:
    found = numbering(text)
    assert found is not None
    assert (found.index, found.total) == (index, total)
    assert (text[: found.start] + text[found.end :]).strip() == "text"


@pytest.mark.parametrize(
    "text",
    [
        "(cont.) text",
        "cont. text",
        "text (cont.)",
        "text (cont'd)",
        "text [continued]",
        "… (continued) text",
        "text … (continued)",
        "Continued: text",
    ],
)
def test_a_note_may_say_that_it_goes_on_without_a_number(text: str) -> None:
    found = numbering(text)
    assert found is not None
    assert (found.index, found.total, found.opens) == (0, None, False)
    assert text[: found.start] + text[found.end :] == "text"


@pytest.mark.parametrize("text", ["🧵 text", "text 🧵", "text 🧵👇", "🧵⬇\ufe0f text"])
def test_a_thread_sign_announces_more(text: str) -> None:
    found = numbering(text)
    assert found is not None
    assert (found.index, found.total, found.opens) == (0, None, True)
    assert text[: found.start] + text[found.end :] == "text"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "text",
        "open 24/7",
        "24/7 support",
        "0/5 stars",
        "2/5/2026 was a day",
        "on 2/5/2026",
        "see https://a.example/2/5",
        "a third is 1/3.",
        "2.5 times as much",
        "1984. A novel",
        "born in 2.",
        "1. milk\n2. eggs",
        "1) milk\nand\n  2) eggs",
        "1/7th of it",
        "1/2000",
        "Continued success to you",
        "the continent",
        "👇 look",
        "1 of the best",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert numbering(text) is None


def test_of_two_numbers_the_one_in_brackets_counts_else_the_first() -> None:
    both = [numbering(text) for text in ("1/2 cup of sugar (3/5)", "1/4 of all 2/3", "2. x (1/5)")]
    assert [(each.index, each.total) for each in both if each] == [(3, 5), (1, 4), (1, 5)]


@given(texts | st.lists(st.sampled_from(PIECES) | texts, max_size=9).map("".join))
def test_any_text_has_a_stretch_inside_it_or_none(text: str) -> None:
    found = numbering(text)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)
        assert 0 <= found.index <= (found.total or 999)
        assert found.total is None or found.index > 0
        left, whole = (text[: found.start] + text[found.end :]).strip(), text.strip()
        assert whole.startswith(left) or whole.endswith(left)


@pytest.mark.parametrize("piece", [" ", "🧵 ", "1/", "\n1. x", "(", "…", "cont ", "\ufe0f"])
def test_a_long_text_takes_no_time(piece: str) -> None:
    begun = process_time()
    for text in (piece * 200_000, "1. " + piece * 200_000, piece * 200_000 + " 1/2"):
        numbering(text)
    assert process_time() - begun < 2
