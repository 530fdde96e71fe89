"""Secret keys made, read and opened: the ways in and out of `core.entities.SecretKey`.

Knows which numbers are a key. Knows nothing of signing, passwords or files. The way back to an nsec
is `core.nip19.encode`.
"""

from __future__ import annotations

import secrets

from nostr_threads.core import nip19
from nostr_threads.core.entities import SecretKey
from nostr_threads.errors import InvalidCode, SigningError

__all__ = [
    "ORDER",
    "SecretKey",
    "new_secret",
    "secret_bytes",
    "secret_from_bytes",
    "secret_from_hex",
    "secret_from_nsec",
]

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order n of secp256k1's group (SEC 2, 2.4.1): a key is a number from 1 to n - 1 (BIP-340)."""


def new_secret() -> SecretKey:
    """Make a new key from the operating system's randomness."""
    while not _is_key(raw := secrets.token_bytes(32)):
        pass
    return SecretKey(raw.hex())


def secret_from_bytes(raw: bytes) -> SecretKey:
    """Take 32 bytes as a key. Raises `SigningError`, which does not show them."""
    if not _is_key(raw):
        raise _refusal()
    return SecretKey(raw.hex())


def secret_from_hex(text: str) -> SecretKey:
    """Read 64 hex digits, of either case. Raises `SigningError`, which does not show them."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise _refusal() from None
    # bytes.fromhex skips white space.
    if len(text) != 64:
        raise _refusal()
    return secret_from_bytes(raw)


def secret_from_nsec(code: str) -> SecretKey:
    """Read an nsec (NIP-19). Raises `SigningError`, which does not show it."""
    try:
        found = nip19.decode(code)
    except InvalidCode:
        raise _refusal() from None
    if not isinstance(found, SecretKey):
        raise _refusal()
    return secret_from_bytes(secret_bytes(found))


def secret_bytes(secret: SecretKey) -> bytes:
    """Reveal the 32 bytes. Raises `SigningError` if they are no key: the type alone is no proof."""
    raw = secret.reveal_bytes()
    if not _is_key(raw):
        raise _refusal()
    return raw


def _is_key(raw: bytes) -> bool:
    return len(raw) == 32 and 0 < int.from_bytes(raw) < ORDER


def _refusal() -> SigningError:
    return SigningError("not a valid secret key")
