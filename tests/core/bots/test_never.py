"""How it is written what is never said."""

from __future__ import annotations

import pytest

from nostr_threads.core.bots.never import Never, first_said, parse_never
from nostr_threads.core.bots.patterns import Pattern
from nostr_threads.core.entities import EventPointer, PublicKey
from nostr_threads.core.nip19 import encode
from nostr_threads.errors import InvalidCode, InvalidInput

KEY = "ab" * 32


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (" top secret ", Never(word="top secret")),
        ("/a.c/", Never(pattern=Pattern("a.c"))),
        ("//", Never(word="//")),
        ("/etc", Never(word="/etc")),
        (KEY.upper(), Never(key=KEY)),
        (encode(PublicKey(KEY)), Never(key=KEY)),
        (f"nostr:{encode(EventPointer(KEY, author='cd' * 32))}", Never(key=KEY)),
    ],
)
def test_each_form_is_read(entry: str, found: Never) -> None:
    assert parse_never(entry) == found


@pytest.mark.parametrize("entry", ["", " ", "\u200b", "/(/", "/x*/", "/.?/"])
def test_what_is_nothing_or_everything_is_refused(entry: str) -> None:
    with pytest.raises(InvalidInput):
        parse_never(entry)


def test_a_code_that_cannot_be_read_is_refused() -> None:
    """It would never be found."""
    with pytest.raises(InvalidCode):
        parse_never(encode(PublicKey(KEY))[:-1] + "q")


def test_the_first_that_is_said_is_told() -> None:
    never = tuple(map(parse_never, ("a", "b", KEY)))
    assert first_said(never, "c") is None
    assert first_said(never, f"b a {KEY}") == 1
    assert first_said(never, "b c") == 2
    assert first_said(never, f"npub1qqqqqqqq {encode(PublicKey(KEY))}") == 3
    assert first_said((), "a") is None
