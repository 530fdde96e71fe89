"""Text encrypted between two people (NIP-44 version 2, with its long form of June 2026).

HAZARDOUS: a nonce must be random and never used twice, and none is chosen here. Use a `Signer`.
Knows the payload. Knows nothing of keys: a conversation key comes from `signing.conversation`.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from typing import NamedTuple

from nostr_threads.errors import CannotDecrypt, CannotEncrypt

__all__ = [
    "MAX_PAYLOAD",
    "MessageKeys",
    "conversation_key",
    "decrypt",
    "encrypt",
    "message_keys",
    "padded_length",
]

MAX_PAYLOAD = 64 * 2**20
"""Characters of the longest payload that is decrypted; the NIP allows 5.7 GB."""

_VERSION = 2
_SALT = b"nip44-v2"
# From here on six bytes tell the length, and not two.
_LONG = 65_536
_LONGEST = 2**32 - 1
_SHORTEST_PAYLOAD, _SHORTEST_DATA = 132, 99
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


class MessageKeys(NamedTuple):
    """The keys of one message: 32 bytes, 12 bytes, 32 bytes."""

    chacha_key: bytes
    chacha_nonce: bytes
    hmac_key: bytes


def conversation_key(shared_x: bytes) -> bytes:
    """Derive the 32-byte key of two people from the x coordinate of their shared point."""
    return hmac.digest(_SALT, shared_x, "sha256")


def message_keys(key: bytes, nonce: bytes) -> MessageKeys:
    """Derive the keys of one message from a conversation key and a nonce, 32 bytes each."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    if len(key) != 32 or len(nonce) != 32:
        raise ValueError("a conversation key and a nonce are 32 bytes each")
    keys = HKDFExpand(SHA256(), 76, nonce).derive(key)
    return MessageKeys(keys[:32], keys[32:44], keys[44:])


def padded_length(length: int) -> int:
    """Return to how many bytes a text of `length` bytes, 1 or more, is filled up."""
    if length <= 32:
        return 32
    power = 1 << (length - 1).bit_length()
    chunk = max(32, power // 8)
    return chunk * ((length - 1) // chunk + 1)


def encrypt(text: str, key: bytes, nonce: bytes) -> str:
    """Encrypt `text` under a conversation key. Raises `CannotEncrypt` for what has no form.

    `nonce` is 32 random bytes that are used for nothing else, ever.
    """
    try:
        plain = text.encode()
    except UnicodeEncodeError:
        raise CannotEncrypt("this text holds a lone surrogate, which no UTF-8 can carry") from None
    if not 1 <= len(plain) <= _LONGEST:
        raise CannotEncrypt(f"a text of {len(plain)} bytes cannot be encrypted (NIP-44)")
    keys = message_keys(key, nonce)
    sealed = _chacha20(keys, _padded(plain))
    mac = hmac.digest(keys.hmac_key, nonce + sealed, "sha256")
    return b64encode(bytes([_VERSION]) + nonce + sealed + mac).decode()


def decrypt(payload: str, key: bytes) -> str:
    """Undo `encrypt`. Raises `CannotDecrypt` with the reason; a wrong key is a wrong MAC."""
    data = _data(payload)
    nonce, sealed, mac = data[1:33], data[33:-32], data[-32:]
    keys = message_keys(key, nonce)
    if not hmac.compare_digest(hmac.digest(keys.hmac_key, nonce + sealed, "sha256"), mac):
        raise CannotDecrypt("invalid MAC: it was changed, or is for somebody else")
    try:
        return _unpadded(_chacha20(keys, sealed)).decode()
    except UnicodeDecodeError:
        raise CannotDecrypt("what was encrypted is not UTF-8") from None


def _data(payload: str) -> bytes:
    length = len(payload)
    if payload.startswith("#"):
        raise CannotDecrypt("unknown encryption version")
    if not _SHORTEST_PAYLOAD <= length <= MAX_PAYLOAD:
        raise CannotDecrypt(f"invalid payload length: {length}")
    # Python's decoder passes over what follows the end.
    if length % 4 or _BASE64.fullmatch(payload) is None:
        raise CannotDecrypt("invalid base64")
    try:
        data = b64decode(payload, validate=True)
    except binascii.Error:
        raise CannotDecrypt("invalid base64") from None
    if data[0] != _VERSION:
        raise CannotDecrypt(f"unknown encryption version {data[0]}")
    if len(data) < _SHORTEST_DATA:
        raise CannotDecrypt(f"invalid data length: {len(data)}")
    return data


def _padded(plain: bytes) -> bytes:
    length = len(plain)
    prefix = length.to_bytes(2) if length < _LONG else bytes(2) + length.to_bytes(4)
    return (prefix + plain).ljust(len(prefix) + padded_length(length), b"\0")


def _unpadded(padded: bytes) -> bytes:
    length, start = int.from_bytes(padded[:2]), 2
    if length == 0:
        length, start = int.from_bytes(padded[2:6]), 6
        if length < _LONG:
            raise CannotDecrypt("invalid padding")
    if len(padded) != start + padded_length(length):
        raise CannotDecrypt("invalid padding")
    return padded[start : start + length]


def _chacha20(keys: MessageKeys, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

    # RFC 8439's block counter, from 0, stands before the nonce.
    cipher = Cipher(ChaCha20(keys.chacha_key, bytes(4) + keys.chacha_nonce), mode=None)
    return cipher.encryptor().update(data)
