"""A key from the words that a wallet shows (NIP-06: BIP-39 and BIP-32).

Knows the way from words to a key. The words' lists and their checksum are `mnemonic`'s to know. The
derivation is our own: the packages that have it pin another libsecp256k1, or bring a wallet along.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from nostr_threads.errors import SigningError
from nostr_threads.signing.secret import ORDER, SecretKey, secret_from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MAX_ACCOUNT", "secret_from_words"]

MAX_ACCOUNT = 2**31 - 1

_HARDENED = 1 << 31
_PURPOSE, _NOSTR = 44, 1237


def secret_from_words(words: str, *, passphrase: str = "", account: int = 0) -> SecretKey:
    """Derive the key of an account: `m/44'/1237'/<account>'/0/0` (NIP-06).

    Raises `SigningError`, which does not show them, for what are no 12 to 24 words of one of
    BIP-39's languages with their checksum, and where the extra `words` is not installed.
    """
    if not 0 <= account <= MAX_ACCOUNT:
        raise SigningError(f"an account is a number from 0 to {MAX_ACCOUNT}")
    key, chain = _split(hmac.digest(b"Bitcoin seed", _seed(words, passphrase), "sha512"))
    path = (_PURPOSE + _HARDENED, _NOSTR + _HARDENED, account + _HARDENED, 0, 0)
    key = _derived(key, chain, path)
    return secret_from_bytes(key.to_bytes(32))


def _seed(words: str, passphrase: str) -> bytes:
    try:
        from mnemonic import Mnemonic
    except ImportError:
        raise SigningError(
            "reading words needs an extra: pip install 'nostr-threads[words]'"
        ) from None
    plain = Mnemonic.normalize_string(" ".join(words.split()))
    for language in Mnemonic.list_languages():
        checker = Mnemonic(language)
        # Its own lists are not all in the form in which it looks for a word.
        checker.wordlist = [Mnemonic.normalize_string(word) for word in checker.wordlist]
        if checker.check(plain):
            return bytes(Mnemonic.to_seed(plain, passphrase))
    raise SigningError(
        "these are not 12, 15, 18, 21 or 24 words of one BIP-39 list with the right checksum"
    )


def _derived(key: int, chain: bytes, path: Iterable[int]) -> int:
    """Follow a path of private keys (BIP-32, CKDpriv)."""
    for index in path:
        head = b"\0" + key.to_bytes(32) if index >= _HARDENED else _public(key)
        left, chain = _split(hmac.digest(chain, head + index.to_bytes(4), "sha512"))
        key = (left + key) % ORDER
        if left >= ORDER or key == 0:
            # One in 2**127: BIP-32 says to take the next, and so would no other program.
            raise SigningError("these words have no key on this path")
    return key


def _split(digest: bytes) -> tuple[int, bytes]:
    return int.from_bytes(digest[:32]), digest[32:]


def _public(key: int) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = ec.derive_private_key(key, ec.SECP256K1()).public_key()
    return point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
