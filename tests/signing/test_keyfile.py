from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import bech32, nip19
from nostr_threads.errors import SigningError, WrongPassword
from nostr_threads.signing import (
    KeySecurity,
    SecretKey,
    decrypt,
    encrypt,
    keyfile,
    secret_from_bytes,
    secret_from_hex,
    xchacha,
)
from tests.core.strategies import texts
from tests.signing.leaks import leaks, marked, whole_story

FILE = Path(__file__).parents[1] / "vectors" / "nip49" / "nip49.vectors.json"
DATA: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
GOOD = [row for row in DATA["vectors"] if row["expect"] == "decrypts"]
OLD = [row for row in DATA["vectors"] if row["expect"] == "error"]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

keys = st.integers(1, ORDER - 1).map(lambda number: secret_from_bytes(number.to_bytes(32)))
passwords = texts


def name_of(row: dict[str, Any]) -> str:
    return f"log_n={row['log_n']}-{row['password']!a}"


def payload(log_n: int = 1, version: int = 2, size: int = 91) -> str:
    raw = bytes([version, log_n]) + bytes(max(size - 2, 0))
    return bech32.join("ncryptsec", raw[:size])


def sealed(raw: bytes, password: bytes = b"pw") -> str:
    """Encrypt bytes that need not be a key, as a faulty program might."""
    salt, nonce, flag = bytes(16), bytes(24), b"\x02"
    key = keyfile._stretch(password.decode(), salt, 1)
    box = xchacha.encrypt(key, nonce, raw, flag)
    return bech32.join("ncryptsec", b"\x02\x01" + salt + nonce + flag + box)


def test_the_vectors_are_all_there() -> None:
    assert (len(GOOD), len(OLD)) == (13, 1)


@pytest.mark.parametrize("row", GOOD, ids=name_of)
def test_each_vector_opens(row: dict[str, Any]) -> None:
    """NIP-49, and what nostr-tools, nak and rust-nostr made of it."""
    assert decrypt(row["ncryptsec"], row["password"]) == secret_from_hex(row["seckey"])


@pytest.mark.parametrize("row", GOOD, ids=name_of)
def test_each_vector_stays_shut_for_another_password(row: dict[str, Any]) -> None:
    with pytest.raises(WrongPassword) as caught:
        decrypt(row["ncryptsec"], row["wrong_password"]["password"])
    raw = bytes.fromhex(row["seckey"])
    assert leaks(whole_story(caught.value, show_locals=True), raw) == []


@pytest.mark.parametrize("row", OLD, ids=lambda row: row["source"])
def test_a_code_of_the_draft_before_the_nip_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(SigningError, match="version"):
        decrypt(row["ncryptsec"], row["password"])


def test_passwords_are_normalised_as_the_nip_shows() -> None:
    """NIP-49, password Unicode normalization."""
    typed = bytes.fromhex(DATA["nfkc"]["input_utf8_hex"]).decode()
    assert keyfile._normalised(typed).hex() == DATA["nfkc"]["normalized_utf8_hex"]


def test_a_key_opens_however_the_keyboard_composes_the_password() -> None:
    code = encrypt(marked(), "\u212b\u2126\u1e9b\u0323", log_n=1)
    assert decrypt(code, "\u00c5\u03a9\u1e69") == marked()


@settings(deadline=None)
@given(keys, passwords, st.integers(1, 5), st.sampled_from(KeySecurity))
def test_decrypting_undoes_encrypting(
    secret: SecretKey, password: str, log_n: int, security: KeySecurity
) -> None:
    code = encrypt(secret, password, log_n=log_n, security=security)
    assert decrypt(code, password) == secret


def test_the_code_is_laid_out_as_the_nip_draws_it() -> None:
    """NIP-49: 91 bytes: version, log_n, salt, nonce, security, ciphertext."""
    prefix, raw = bech32.split(encrypt(marked(), "pw", log_n=3, security=KeySecurity.SECURE))
    assert (prefix, len(raw), raw[0], raw[1], raw[42]) == ("ncryptsec", 91, 2, 3, 1)


def test_the_same_key_never_gives_the_same_code() -> None:
    codes = {encrypt(marked(), "pw", log_n=1) for _ in range(20)}
    parts = [bech32.split(code)[1] for code in codes]
    assert len({raw[2:18] for raw in parts}) == len({raw[18:42] for raw in parts}) == 20


def test_the_default_cost_is_64_mib_and_the_security_is_untracked() -> None:
    _, raw = bech32.split(encrypt(marked(), "pw"))
    assert (raw[1], raw[42]) == (16, KeySecurity.UNTRACKED)


def test_a_code_in_upper_case_or_with_white_space_around_opens() -> None:
    code = encrypt(marked(), "pw", log_n=1)
    assert decrypt(code.upper(), "pw") == decrypt(f" {code}\n", "pw") == marked()


@pytest.mark.parametrize("log_n", [0, 23, 31, 255])
def test_an_absurd_cost_is_refused_before_it_takes_memory(log_n: int) -> None:
    with pytest.raises(SigningError, match="4 GiB"):
        decrypt(payload(log_n), "pw")


@pytest.mark.parametrize("log_n", [-1, 0, 23, 256, 2**70])
def test_an_absurd_cost_is_refused_when_encrypting_without_showing_the_key(log_n: int) -> None:
    with pytest.raises(SigningError, match="4 GiB") as caught:
        encrypt(marked(), "pw", log_n=log_n)
    assert leaks(whole_story(caught.value, show_locals=True)) == []


@pytest.mark.parametrize(("log_n", "amount"), [(1, "1 MiB"), (16, "64 MiB"), (20, "1 GiB")])
def test_too_little_memory_is_said_with_the_amount(
    monkeypatch: pytest.MonkeyPatch, log_n: int, amount: str
) -> None:
    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(
        "cryptography.hazmat.primitives.kdf.scrypt.Scrypt.derive", fail, raising=False
    )
    with pytest.raises(SigningError, match=amount):
        decrypt(payload(log_n), "pw")


@pytest.mark.parametrize("version", [0, 1, 3, 255])
def test_another_version_is_refused(version: int) -> None:
    with pytest.raises(SigningError, match="version"):
        decrypt(payload(version=version), "pw")


@pytest.mark.parametrize("size", [0, 1, 2, 90, 92])
def test_a_code_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(SigningError):
        decrypt(payload(size=size), "pw")


def test_a_code_with_any_character_changed_is_refused() -> None:
    code = encrypt(marked(), "pw", log_n=1)
    for place in range(len("ncryptsec1"), len(code), 7):
        other = "q" if code[place] != "q" else "p"
        with pytest.raises(SigningError, match="damaged"):
            decrypt(code[:place] + other + code[place + 1 :], "pw")


@settings(deadline=None)
@given(st.integers(2, 90), st.integers(1, 255))
def test_bytes_changed_under_a_good_checksum_never_open(place: int, change: int) -> None:
    _, raw = bech32.split(encrypt(marked(), "pw", log_n=1))
    changed = bytearray(raw)
    changed[place] ^= change
    with pytest.raises(SigningError):
        decrypt(bech32.join("ncryptsec", bytes(changed)), "pw")


@pytest.mark.parametrize("prefix", ["nsec", "npub", "ncryptse", "ncryptsecx"])
def test_another_prefix_is_refused(prefix: str) -> None:
    _, raw = bech32.split(encrypt(marked(), "pw", log_n=1))
    with pytest.raises(SigningError, match="not an ncryptsec"):
        decrypt(bech32.join(prefix, raw), "pw")


@pytest.mark.parametrize("text", ["", "ncryptsec", "ncryptsec1", "hello", "\ud800", "1" * 6000])
def test_what_is_no_code_at_all_is_refused(text: str) -> None:
    with pytest.raises(SigningError):
        decrypt(text, "pw")


def test_a_plain_nsec_given_by_mistake_is_not_repeated() -> None:
    code = nip19.encode(marked())
    for text in (code, code[:-1]):
        with pytest.raises(SigningError) as caught:
            decrypt(text, "pw")
        assert leaks(whole_story(caught.value)) == []


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_what_opens_to_no_key_is_refused(number: int) -> None:
    with pytest.raises(SigningError, match="not a valid secret key"):
        decrypt(sealed(number.to_bytes(32)), "pw")


@pytest.mark.parametrize("number", [0, ORDER])
def test_what_is_no_key_is_not_encrypted(number: int) -> None:
    with pytest.raises(SigningError, match="not a valid secret key"):
        encrypt(SecretKey(number.to_bytes(32).hex()), "pw", log_n=1)


def test_a_password_that_is_not_text_is_refused_without_being_kept() -> None:
    """A terminal in another encoding gives lone surrogates (PEP 383)."""
    with pytest.raises(SigningError, match="UTF-8") as caught:
        encrypt(marked(), "correct horse\udcff", log_n=1)
    assert "correct" not in whole_story(caught.value)


def test_nothing_of_the_key_is_readable_in_its_code() -> None:
    assert leaks(encrypt(marked(), "pw", log_n=1)) == []
