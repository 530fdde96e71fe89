"""What a failing program said, fit for a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.reported import reported
from nostr_threads.core.entities import SecretKey
from nostr_threads.core.mentions import refuse_secrets
from nostr_threads.core.nip19 import encode
from tests.core.strategies import texts

NSEC = encode(SecretKey("ab" * 32))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("", ""),
        ("Traceback:\n  a\n\tb\r\n", "Traceback: a b"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07\x9b2Jx", "red x"),
        ("a\u202eb\u2028c\ufeffd\x00e\ud800f", "a b c d e f"),
        (f"key {NSEC}!", "key nsec1…!"),
        (f"key {NSEC[:20]}", "key nsec1…"),
        ("NCRYPTSEC1" + "q" * 60, "NCRYPTSEC1…"),
        ("id " + "0123456789abcdef" * 4, "id 01234567…"),
        ("bunker://x?relay=y&secret=hunter2&z=1", "bunker://x?relay=y&secret=…&z=1"),
        ("API_KEY: sk-123 and password=x", "API_KEY: … and password=…"),
        ("keys begin with nsec1", "keys begin with nsec1"),
    ],
)
def test_it_is_one_line_without_secrets(said: str, shown: str) -> None:
    assert reported(said) == shown


@given(texts, st.integers(1, 50))
def test_it_is_never_longer_than_asked(text: str, most: int) -> None:
    line = reported(text, most=most)
    assert len(line) <= most
    assert line.isprintable() or not set(line) & set("\n\r\x1b\x00\u202e")


@given(texts, texts, st.integers(1, 200))
def test_no_cut_shows_a_part_of_a_key(before: str, after: str, most: int) -> None:
    """The end is what is shown, and a key's own end is most of it."""
    line = reported(f"{before} {NSEC} {after}", most=most)
    refuse_secrets(line)
    assert NSEC[12:30] not in line
    assert NSEC[-12:] not in line


def test_the_end_is_what_is_shown() -> None:
    assert reported("a" * 600 + " the reason", most=12) == "… the reason"
