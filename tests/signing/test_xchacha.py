from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.signing import xchacha

KEY = bytes(range(0x80, 0xA0))
NONCE = bytes(range(0x40, 0x58))
ASSOCIATED = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
PLAINTEXT = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
CIPHERTEXT = bytes.fromhex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
    "21f9664c97637da9768812f615c68b13b52e"
)
TAG = bytes.fromhex("c0875924c1c7987947deafd8780acf49")


def test_hchacha20_gives_the_subkey_of_the_draft() -> None:
    """draft-irtf-cfrg-xchacha-03, section 2.2.1."""
    key = bytes(range(32))
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert xchacha.hchacha20(key, nonce).hex() == subkey


def test_encryption_gives_the_ciphertext_of_the_draft() -> None:
    """draft-irtf-cfrg-xchacha-03, appendix A.3.1."""
    assert xchacha.encrypt(KEY, NONCE, PLAINTEXT, ASSOCIATED) == CIPHERTEXT + TAG


def test_decryption_gives_the_plaintext_of_the_draft() -> None:
    """draft-irtf-cfrg-xchacha-03, appendix A.3.1."""
    assert xchacha.decrypt(KEY, NONCE, CIPHERTEXT + TAG, ASSOCIATED) == PLAINTEXT


@settings(deadline=None)
@given(st.integers(0, len(CIPHERTEXT + TAG) * 8 - 1))
def test_any_flipped_bit_is_refused(position: int) -> None:
    changed = bytearray(CIPHERTEXT + TAG)
    changed[position // 8] ^= 1 << position % 8
    with pytest.raises(InvalidTag):
        xchacha.decrypt(KEY, NONCE, bytes(changed), ASSOCIATED)


def test_other_associated_data_are_refused() -> None:
    with pytest.raises(InvalidTag):
        xchacha.decrypt(KEY, NONCE, CIPHERTEXT + TAG, ASSOCIATED + b"\x00")


@pytest.mark.parametrize("length", [0, 12, 16, 23, 25])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="24 bytes"):
        xchacha.encrypt(KEY, bytes(length), b"", b"")


@settings(deadline=None)
@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=24, max_size=24),
    st.binary(),
    st.binary(),
)
def test_decrypting_undoes_encrypting(
    key: bytes, nonce: bytes, plaintext: bytes, associated: bytes
) -> None:
    sealed = xchacha.encrypt(key, nonce, plaintext, associated)
    assert xchacha.decrypt(key, nonce, sealed, associated) == plaintext
