"""`core.nip44` against the official vectors, and what no vector says."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import nip44
from nostr_threads.errors import CannotDecrypt, CannotEncrypt, InvalidCode, SigningError
from nostr_threads.signing import conversation, secret_from_hex
from tests.core.strategies import texts

FOLDER = Path(__file__).parents[1] / "vectors" / "nip44"
VALID: dict[str, Any] = json.loads((FOLDER / "nip44.vectors.json").read_text("utf-8"))["v2"][
    "valid"
]
INVALID: dict[str, Any] = json.loads((FOLDER / "nip44.vectors.json").read_text("utf-8"))["v2"][
    "invalid"
]
LONG = json.loads((FOLDER / "nip44.extended-length.json").read_text("utf-8"))[
    "encrypt_decrypt_long_msg"
]
KEY, NONCE = bytes(range(32)), bytes(range(32, 64))


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text)


# The vectors


@pytest.mark.parametrize("row", VALID["get_conversation_key"], ids=lambda row: row["sec1"][:8])
def test_two_keys_give_the_conversation_key_that_others_derive(row: dict[str, str]) -> None:
    found = conversation.shared_key(secret_from_hex(row["sec1"]), row["pub2"])
    assert found.hex() == row["conversation_key"]


@pytest.mark.parametrize("row", VALID["get_message_keys"]["keys"], ids=lambda row: row["nonce"][:8])
def test_a_message_has_the_keys_that_others_derive(row: dict[str, str]) -> None:
    key = from_hex(VALID["get_message_keys"]["conversation_key"])
    found = nip44.message_keys(key, from_hex(row["nonce"]))
    assert [each.hex() for each in found] == [
        row["chacha_key"],
        row["chacha_nonce"],
        row["hmac_key"],
    ]


@pytest.mark.parametrize(("length", "padded"), VALID["calc_padded_len"])
def test_a_text_is_filled_up_as_far_as_others_fill_it(length: int, padded: int) -> None:
    assert nip44.padded_length(length) == padded


@pytest.mark.parametrize("row", VALID["encrypt_decrypt"], ids=lambda row: row["nonce"][-8:])
def test_a_whole_conversation_is_the_same_to_the_byte(row: dict[str, str]) -> None:
    one, two = secret_from_hex(row["sec1"]), secret_from_hex(row["sec2"])
    key = from_hex(row["conversation_key"])
    assert conversation.shared_key(one, public(row["sec2"])) == key
    assert conversation.shared_key(two, public(row["sec1"])) == key
    payload = nip44.encrypt(row["plaintext"], key, from_hex(row["nonce"]))
    assert payload == row["payload"]
    assert nip44.decrypt(payload, key) == row["plaintext"]


@pytest.mark.parametrize(
    "row", [*VALID["encrypt_decrypt_long_msg"], *LONG], ids=lambda row: f"{row['repeat']}"
)
def test_long_texts_too_also_those_that_only_the_long_form_holds(row: dict[str, Any]) -> None:
    text = row["pattern"] * row["repeat"]
    assert sha256(text.encode()).hexdigest() == row["plaintext_sha256"]
    key = from_hex(row["conversation_key"])
    payload = nip44.encrypt(text, key, from_hex(row["nonce"]))
    assert sha256(payload.encode()).hexdigest() == row["payload_sha256"]
    assert nip44.decrypt(payload, key) == text


@pytest.mark.parametrize(
    ("length", "digest"),
    [
        (65_535, "6d8c2810d1e870fbaa1f0a0937126cca837a15f9260e27060c331d70a3c0bc84"),
        (65_536, "b7b4edb36ba92e267d322d56d9aebc22e7fa96ff52e3c12adc07f07a43cbc616"),
        (65_537, "eeb7c7c5373894ea2c1547cfd3ccb15d5a0b2d619da852e5c79df792dcc9e435"),
    ],
)
def test_the_table_of_the_nip_at_the_border_of_the_long_form(length: int, digest: str) -> None:
    """NIP-44, "Extended length prefix test vectors"."""
    key = from_hex("c41c775356fd92eadc63ff5a0dc1da211b268cbea22316767095b2871ea1412d")
    payload = nip44.encrypt("a" * length, key, bytes(31) + b"\x01")
    assert sha256(payload.encode()).hexdigest() == digest


@pytest.mark.parametrize("row", INVALID["get_conversation_key"], ids=lambda row: row["note"])
def test_keys_that_are_none_have_no_conversation(row: dict[str, str]) -> None:
    with pytest.raises((SigningError, InvalidCode)) as caught:
        conversation.shared_key(secret_from_hex(row["sec1"]), row["pub2"])
    assert isinstance(caught.value, SigningError) == row["note"].startswith("sec1")


@pytest.mark.parametrize("row", INVALID["decrypt"], ids=lambda row: row["note"])
def test_a_bad_payload_is_refused_for_the_reason_that_the_vectors_give(row: dict[str, str]) -> None:
    with pytest.raises(CannotDecrypt, match=f"^{row['note']}"):
        nip44.decrypt(row["payload"], from_hex(row["conversation_key"]))


def test_no_text_cannot_be_encrypted() -> None:
    """Of the official list only 0 is still invalid: the others have the long form now."""
    assert INVALID["encrypt_msg_lengths"][0] == 0
    with pytest.raises(CannotEncrypt, match="0 bytes"):
        nip44.encrypt("", KEY, NONCE)


# What no vector says


@settings(deadline=None)
@given(texts.filter(bool), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_every_text_comes_back(text: str, key: bytes, nonce: bytes) -> None:
    payload = nip44.encrypt(text, key, nonce)
    assert nip44.decrypt(payload, key) == text


@given(st.integers(1, 2**32 - 1))
def test_the_padding_hides_the_length_and_costs_little(length: int) -> None:
    padded = nip44.padded_length(length)
    assert length <= padded <= max(32, length + max(32, length // 4))
    assert nip44.padded_length(padded) == padded


@given(st.integers(0, 8 * 99 - 1))
def test_a_payload_in_which_one_bit_changed_is_refused(bit: int) -> None:
    data = bytearray(b64decode(nip44.encrypt("hello", KEY, NONCE)))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CannotDecrypt):
        nip44.decrypt(b64encode(data).decode(), KEY)


@settings(deadline=None)
@given(st.text(max_size=400) | st.binary(max_size=300).map(lambda data: b64encode(data).decode()))
def test_nothing_that_is_received_raises_anything_else(payload: str) -> None:
    with pytest.raises(CannotDecrypt):
        nip44.decrypt(payload, KEY)


def test_a_payload_without_end_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nip44, "MAX_PAYLOAD", 1_000)
    with pytest.raises(CannotDecrypt, match="invalid payload length: 1001"):
        nip44.decrypt("A" * 1_001, KEY)


def test_text_after_the_padding_of_base64_is_no_payload() -> None:
    payload = nip44.encrypt("hello", KEY, NONCE)
    for more in ("=", "A", "\n", " "):
        with pytest.raises(CannotDecrypt):
            nip44.decrypt(payload + more, KEY)


def test_a_lone_surrogate_is_refused_without_showing_the_text() -> None:
    with pytest.raises(CannotEncrypt) as caught:
        nip44.encrypt("private \ud800", KEY, NONCE)
    assert "private" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_two_encryptions_of_one_text_differ() -> None:
    secret = secret_from_hex("01" * 32)
    once, twice = (conversation.encrypt(secret, public("02" * 32), "hello") for _ in range(2))
    assert once != twice
    assert conversation.decrypt(secret_from_hex("02" * 32), public("01" * 32), once) == "hello"


def public(secret_hex: str) -> str:
    from nostr_threads.signing import KeySigner

    return KeySigner(secret_from_hex(secret_hex)).public_key
