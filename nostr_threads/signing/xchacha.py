"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), built on the ChaCha20 that `cryptography` has.

HAZARDOUS: nonces must never repeat under one key, and nothing here chooses them. Use `keyfile`.
Knows the construction. Knows nothing of keys, passwords or NIP-49.
"""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

__all__ = ["decrypt", "encrypt", "hchacha20"]

_CONSTANT = b"expand 32-byte k"


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Return ciphertext and 16-byte tag. `key` is 32 bytes, `nonce` 24."""
    subkey, short_nonce = _narrow(key, nonce)
    return ChaCha20Poly1305(subkey).encrypt(short_nonce, plaintext, associated)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """Undo `encrypt`. Raises `cryptography.exceptions.InvalidTag` if anything was changed."""
    subkey, short_nonce = _narrow(key, nonce)
    return ChaCha20Poly1305(subkey).decrypt(short_nonce, ciphertext, associated)


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Derive a 32-byte subkey from a 32-byte `key` and a 16-byte `nonce` (draft, section 2.2)."""
    # One ChaCha20 block is the permuted state plus the state; HChaCha20 is the first and last
    # row of the permuted state alone. So take a block and subtract what was added.
    block = Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    state = struct.unpack("<16I", _CONSTANT + key + nonce)
    permuted = [
        (word - added) & 0xFFFFFFFF
        for word, added in zip(struct.unpack("<16I", block), state, strict=True)
    ]
    return struct.pack("<8I", *permuted[:4], *permuted[12:])


def _narrow(key: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """Turn a 24-byte nonce into the subkey and 12-byte nonce of RFC 8439 (section 2.3)."""
    if len(nonce) != 24:
        raise ValueError(f"an XChaCha20 nonce is 24 bytes, not {len(nonce)}")
    return hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
