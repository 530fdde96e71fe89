"""The key that two people share and nobody else can derive (NIP-44), and texts under it.

Knows whose keys make it. How a text is encrypted is `core.nip44`'s to know.
"""

from __future__ import annotations

import secrets

from nostr_threads.core import nip44, schnorr
from nostr_threads.signing.secret import SecretKey, secret_bytes

__all__ = ["decrypt", "encrypt", "shared_key"]


def shared_key(secret: SecretKey, peer: str) -> bytes:
    """Return the 32-byte conversation key of `secret` and `peer`, a public key in hex.

    It is the same with the roles changed. Raises `InvalidCode` for what is no public key.
    """
    # Only here: pynostr takes 0.2 s to import.
    from pynostr.key import PrivateKey

    schnorr.require_public_key(peer)
    return nip44.conversation_key(PrivateKey(secret_bytes(secret)).ecdh(peer))


def encrypt(secret: SecretKey, peer: str, text: str) -> str:
    """Encrypt for `peer` and for oneself. Raises `InvalidCode`, `CannotEncrypt`."""
    return nip44.encrypt(text, shared_key(secret, peer), secrets.token_bytes(32))


def decrypt(secret: SecretKey, peer: str, payload: str) -> str:
    """Read what `peer` encrypted for us, or we for them. Raises `InvalidCode`, `CannotDecrypt`."""
    return nip44.decrypt(payload, shared_key(secret, peer))
