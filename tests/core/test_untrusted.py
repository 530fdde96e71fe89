"""What strangers wrote, measured and kept apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.untrusted import MARK, cut, quoted, size, tokens
from tests.core.strategies import texts


def test_tokens_are_a_third_of_the_bytes() -> None:
    assert [tokens(text) for text in ("", "a", "abc", "abcd", "\u00e9\u00e9")] == [0, 1, 1, 2, 2]


@given(texts | st.text())
def test_no_line_is_without_its_mark_whatever_counts_as_a_line_break(text: str) -> None:
    assert all(line.startswith("> ") for line in quoted(text).splitlines())


@given(texts, st.integers(0, 300))
def test_what_is_cut_fits_and_stays_behind_the_mark(text: str, room: int) -> None:
    shown = cut(quoted(text), room)
    assert size(shown) <= room
    assert all(line.startswith(">") for line in shown.splitlines())


def test_it_is_cut_in_its_middle() -> None:
    assert (
        cut("> begin " + "x" * 100 + " end", 40) == f"> begin xxxxxxx\n> {MARK}\n> xxxxxxxxxx end"
    )
