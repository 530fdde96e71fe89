from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import nip19
from nostr_threads.errors import SigningError
from nostr_threads.signing import (
    KeySigner,
    SecretKey,
    new_secret,
    secret_bytes,
    secret_from_bytes,
    secret_from_hex,
    secret_from_nsec,
)
from tests.signing.leaks import MARKED_HEX, MARKED_RAW, leaks, marked, whole_story

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32))


@settings(deadline=None)
@given(keys)
def test_hex_nsec_and_bytes_lead_to_the_same_key(raw: bytes) -> None:
    secret = secret_from_bytes(raw)
    assert secret == secret_from_hex(raw.hex()) == secret_from_nsec(nip19.encode(secret))
    assert secret_bytes(secret) == raw


def test_the_nsec_of_nip_19_opens() -> None:
    """NIP-19, examples."""
    code = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
    digits = "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa"
    assert secret_from_nsec(code) == secret_from_hex(digits)


def test_hex_in_upper_case_is_the_same_key() -> None:
    assert secret_from_hex(MARKED_HEX.upper()) == marked()


def test_the_ends_of_the_range_are_keys() -> None:
    for number in (1, ORDER - 1):
        assert secret_bytes(secret_from_bytes(number.to_bytes(32))) == number.to_bytes(32)


@pytest.mark.parametrize("number", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_a_number_outside_the_range_is_no_key(number: int) -> None:
    """BIP-340: 1 to n - 1."""
    raw = number.to_bytes(32)
    tries: tuple[Callable[[], object], ...] = (
        lambda: secret_from_bytes(raw),
        lambda: secret_from_hex(raw.hex()),
        lambda: secret_from_nsec(nip19.encode(SecretKey(raw.hex()))),
        lambda: secret_bytes(SecretKey(raw.hex())),
        lambda: KeySigner(SecretKey(raw.hex())),
    )
    for attempt in tries:
        with pytest.raises(SigningError, match=r"^not a valid secret key$"):
            attempt()


@pytest.mark.parametrize(
    "text",
    [
        "",
        MARKED_HEX[:-1],
        MARKED_HEX + "0",
        MARKED_HEX[:-1] + "g",
        "0x" + MARKED_HEX[2:],
        " " + MARKED_HEX[1:-1] + " ",
        MARKED_HEX[:30] + "  " + MARKED_HEX[32:],
        MARKED_HEX + "  ",
        MARKED_HEX[:-1] + "\N{FULLWIDTH DIGIT ONE}",
        MARKED_HEX[:-1] + "\ud800",
    ],
)
def test_what_is_not_64_hex_digits_is_refused_unseen(text: str) -> None:
    with pytest.raises(SigningError) as caught:
        secret_from_hex(text)
    assert leaks(whole_story(caught.value)) == []


def test_a_damaged_nsec_is_refused_unseen() -> None:
    code = nip19.encode(marked())
    for damaged in (
        code[:-1] + "q",
        code[:-1],
        code[:-6],
        "nostr:" + code,
        code + "1",
        code.title(),
    ):
        with pytest.raises(SigningError) as caught:
            secret_from_nsec(damaged)
        assert leaks(whole_story(caught.value)) == []


@pytest.mark.parametrize("kind", [nip19.PublicKey, nip19.Note])
def test_another_code_is_not_taken_for_an_nsec(kind: Callable[[str], nip19.Entity]) -> None:
    with pytest.raises(SigningError):
        secret_from_nsec(nip19.encode(kind(MARKED_HEX)))


def test_new_keys_differ() -> None:
    assert len({secret_bytes(new_secret()) for _ in range(50)}) == 50


def test_a_new_key_is_drawn_again_until_it_is_in_range(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter((bytes(32), b"\xff" * 32, ORDER.to_bytes(32), MARKED_RAW))
    monkeypatch.setattr("secrets.token_bytes", lambda _: next(draws))
    assert new_secret() == marked()


def test_neither_key_nor_signer_shows_the_secret() -> None:
    """Architecture, rule 7."""
    secret, signer = marked(), KeySigner(marked())
    shown = f"{secret} {secret!r} {secret!s:>9} {[secret]} {signer} {signer!r} {[signer]}"
    assert leaks(shown) == []


def test_a_signer_offers_the_secret_under_no_public_name() -> None:
    signer = KeySigner(marked())
    public = [name for name in dir(signer) if not name.startswith("_")]
    assert public == ["close", "nip44_decrypt", "nip44_encrypt", "public_key", "sign"]
    assert not hasattr(signer, "__dict__")
    assert not hasattr(marked(), "__dict__")


@pytest.mark.parametrize(
    "how",
    [copy.copy, copy.deepcopy, *(lambda value, p=p: pickle.dumps(value, p) for p in range(6))],
)
def test_key_and_signer_refuse_to_be_copied_or_pickled(how: Callable[[object], object]) -> None:
    for value in (marked(), KeySigner(marked())):
        with pytest.raises(TypeError, match="not copied or pickled"):
            how(value)


def test_a_key_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(marked())


def test_keys_compare_by_value_and_with_nothing_else() -> None:
    assert marked() == marked()
    assert marked() != new_secret()
    assert marked() != MARKED_HEX
    assert marked() != MARKED_RAW


def bytes_of(secret: SecretKey) -> bytearray:
    """The memory in which it lies."""
    held: bytearray = getattr(secret, "_SecretKey__raw")  # noqa: B009 - the name is mangled
    return held


def test_a_key_is_overwritten_when_nobody_holds_it_any_more() -> None:
    secret = marked()
    memory = bytes_of(secret)
    assert bytes(memory) == MARKED_RAW
    del secret
    assert bytes(memory) == bytes(32)


async def test_a_signer_that_is_closed_holds_it_no_more() -> None:
    secret = marked()
    memory, signer = bytes_of(secret), KeySigner(secret)
    del secret
    assert bytes(memory) == MARKED_RAW
    await signer.close()
    assert bytes(memory) == bytes(32)


def test_a_key_that_was_wiped_says_so_and_is_none() -> None:
    secret = marked()
    secret.wipe()
    secret.wipe()
    for reveal in (secret.reveal, lambda: secret_bytes(secret), lambda: KeySigner(secret)):
        with pytest.raises(SigningError, match="wiped"):
            reveal()
    assert secret != marked()
