"""Runs of 64 hex digits, one of which may be a secret key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.hex_runs import MOST, hex_runs

KEY = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"it is {KEY.upper()}.",
        f"_{KEY}_",
        f"key:{KEY}x",
        f"{KEY[:20]}\u200b{KEY[20:40]}\ufe0f{KEY[40:]}",
        "\u0336".join(KEY),
        "".join(chr(ord(digit) + 0xFEE0) for digit in KEY),
        f"{KEY} {KEY}",
    ],
)
def test_one_is_found_however_it_is_written(text: str) -> None:
    assert hex_runs(text) == (KEY,)


@pytest.mark.parametrize("text", ["", KEY[1:], f"{KEY}0", f"a{KEY}", f"{KEY[:32]} {KEY[32:]}"])
def test_what_is_shorter_or_longer_is_none(text: str) -> None:
    assert hex_runs(text) == ()


def test_they_are_in_order_and_bounded() -> None:
    many = [f"{number:064x}" for number in range(MOST + 10)]
    assert hex_runs(" ".join(many)) == tuple(many[:MOST])
    assert hex_runs(" ".join(many), most=2) == tuple(many[:2])


@given(st.text(max_size=40), st.text(max_size=40))
def test_one_between_spaces_is_always_found(before: str, after: str) -> None:
    assert KEY in hex_runs(f"{before} {KEY} {after}")
