"""The key that two people share, and texts under it. The official vectors are in test_nip44."""

from __future__ import annotations

from base64 import b64decode, b64encode
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.errors import CannotDecrypt, CannotEncrypt, InvalidCode
from nostr_threads.signing import KeySigner, SecretKey, conversation, new_secret, secret_from_hex
from nostr_threads.testing import Author
from tests.signing.leaks import MARKED_HEX, leaks, marked, whole_story

ALICE, BOB, EVE = (secret_from_hex(Author(name).secret_hex()) for name in (b"a", b"b", b"e"))


def public(secret: SecretKey) -> str:
    return KeySigner(secret).public_key


@settings(max_examples=30)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=500))
def test_what_one_encrypts_both_can_read_and_nobody_else(text: str) -> None:
    payload = conversation.encrypt(ALICE, public(BOB), text)
    assert conversation.decrypt(BOB, public(ALICE), payload) == text
    assert conversation.decrypt(ALICE, public(BOB), payload) == text
    for secret, peer in ((EVE, ALICE), (EVE, BOB), (ALICE, EVE), (BOB, BOB)):
        with pytest.raises(CannotDecrypt):
            conversation.decrypt(secret, public(peer), payload)


@settings(max_examples=30)
@given(st.integers(1, 2**200), st.integers(1, 2**200))
def test_the_key_is_the_same_from_both_sides(one: int, other: int) -> None:
    first, second = secret_from_hex(f"{one:064x}"), secret_from_hex(f"{other:064x}")
    key = conversation.shared_key(first, public(second))
    assert len(key) == 32
    assert conversation.shared_key(second, public(first)) == key


def test_each_two_people_have_a_key_of_their_own() -> None:
    pairs = permutations((ALICE, BOB, EVE), 2)
    assert len({conversation.shared_key(one, public(other)) for one, other in pairs}) == 3


def test_a_text_for_oneself_is_a_conversation_too() -> None:
    payload = conversation.encrypt(ALICE, public(ALICE), "a note to myself")
    assert conversation.decrypt(ALICE, public(ALICE), payload) == "a note to myself"


def test_the_same_text_never_looks_the_same() -> None:
    """NIP-44: a nonce is used once."""
    payloads = [b64decode(conversation.encrypt(ALICE, public(BOB), "text")) for _ in range(20)]
    assert len({each[1:33] for each in payloads}) == 20
    assert len({each[33:] for each in payloads}) == 20


@pytest.mark.parametrize("place", [0, 1, 32, 33, 40, -33, -32, -1])
def test_what_was_changed_on_the_way_is_not_read(place: int) -> None:
    raw = bytearray(b64decode(conversation.encrypt(ALICE, public(BOB), "text")))
    raw[place] ^= 1
    with pytest.raises(CannotDecrypt):
        conversation.decrypt(BOB, public(ALICE), b64encode(raw).decode())


@pytest.mark.parametrize(
    "peer",
    ["", "bob", "0" * 64, "f" * 64, public(BOB).upper(), f"02{public(BOB)}", MARKED_HEX.upper()],
)
def test_what_is_no_public_key_is_refused_and_never_echoed(peer: str) -> None:
    """Somebody may have pasted a secret key in its place."""
    payload = conversation.encrypt(ALICE, public(BOB), "text")
    for attempt in (
        lambda: conversation.shared_key(marked(), peer),
        lambda: conversation.encrypt(marked(), peer, "text"),
        lambda: conversation.decrypt(marked(), peer, payload),
    ):
        with pytest.raises(InvalidCode) as caught:
            attempt()
        assert leaks(whole_story(caught.value)) == []
        assert peer == "" or peer not in str(caught.value)


def test_no_text_is_no_message() -> None:
    with pytest.raises(CannotEncrypt):
        conversation.encrypt(ALICE, public(BOB), "")
    with pytest.raises(CannotDecrypt):
        conversation.decrypt(ALICE, public(BOB), "")


def test_a_wiped_key_reads_nothing_and_shows_nothing() -> None:
    gone = new_secret()
    payload = conversation.encrypt(gone, public(BOB), "text")
    gone.wipe()
    with pytest.raises(Exception, match="wiped"):
        conversation.decrypt(gone, public(BOB), payload)
