from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.core import nip19
from nostr_threads.errors import NoSigner, SigningError, WrongPassword
from nostr_threads.signing import KeySigner, encrypt, signer_from_env
from tests.signing.leaks import MARKED_HEX, leaks, marked, whole_story

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLIC_KEY = KeySigner(marked()).public_key


def never() -> str:
    raise AssertionError("nobody needs a password here")


def public_key_from(value: str, password: Callable[[], str] | None = never) -> str | None:
    signer = signer_from_env({"NOSTR_SECRET_KEY": value, "HOME": "/"}, password=password)
    return signer.public_key if signer else None


def test_without_the_variable_there_is_no_signer() -> None:
    assert signer_from_env({}) is None


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_an_empty_variable_counts_as_unset(value: str) -> None:
    assert public_key_from(value) is None


def test_hex_and_nsec_are_taken_in_either_case_and_with_white_space_around() -> None:
    nsec = nip19.encode(marked())
    for value in (MARKED_HEX, MARKED_HEX.upper(), nsec, nsec.upper(), f" {nsec}\n"):
        assert public_key_from(value) == PUBLIC_KEY


def test_an_ncryptsec_is_opened_with_the_password_asked_for_once() -> None:
    asked: list[int] = []

    def password() -> str:
        asked.append(1)
        return "pw"

    for code in (encrypt(marked(), "pw", log_n=1), encrypt(marked(), "pw", log_n=1).upper()):
        assert public_key_from(code, password) == PUBLIC_KEY
    assert len(asked) == 2


def test_an_ncryptsec_without_anybody_to_ask_says_so() -> None:
    with pytest.raises(NoSigner, match="password"):
        public_key_from(encrypt(marked(), "pw", log_n=1), None)


def test_a_wrong_password_is_said_to_be_wrong() -> None:
    with pytest.raises(WrongPassword, match="NOSTR_SECRET_KEY"):
        public_key_from(encrypt(marked(), "pw", log_n=1), lambda: "no")


@pytest.mark.parametrize("scheme", ["bunker://", "BUNKER://"])
def test_a_bunker_is_refused_without_its_secret(scheme: str) -> None:
    """NIP-46: the URL's `secret` lets whoever holds it connect."""
    with pytest.raises(SigningError, match="open_signer") as caught:
        public_key_from(f"{scheme}{PUBLIC_KEY}?relay=wss://relay.example&secret={MARKED_HEX}")
    assert leaks(whole_story(caught.value)) == []


@pytest.mark.parametrize("quote", ["'", '"', "`"])
def test_quotes_that_a_file_has_brought_along_are_pointed_out(quote: str) -> None:
    with pytest.raises(SigningError, match="is in quotes") as caught:
        public_key_from(f"{quote}{NSEC}{quote}")
    assert leaks(whole_story(caught.value)) == []


NSEC = nip19.encode(marked())


@pytest.mark.parametrize(
    "value",
    [
        MARKED_HEX[:-1],
        MARKED_HEX + "00",
        "0x" + MARKED_HEX,
        f'"{MARKED_HEX}"',
        NSEC[:-1],
        "nostr:" + NSEC,
        NSEC + NSEC,
        NSEC[:-1] + "\ud800",
        "ncryptsec1" + NSEC[5:],
        "nsec1" + MARKED_HEX,
        nip19.encode(nip19.PublicKey(MARKED_HEX)),
        "0" * 64,
        "f" * 64,
    ],
)
def test_what_cannot_be_used_is_refused_and_never_echoed(value: str) -> None:
    with pytest.raises(SigningError, match="NOSTR_SECRET_KEY") as caught:
        public_key_from(value, lambda: "pw")
    story = whole_story(caught.value)
    assert leaks(story) == []
    assert value not in story
