"""A secret key under a password, as one line of text: `ncryptsec` (NIP-49).

Knows the format. Knows nothing of files or of who asks for the password.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

from nostr_threads.core import bech32
from nostr_threads.errors import InvalidCode, SigningError, WrongPassword
from nostr_threads.signing.secret import SecretKey, secret_bytes, secret_from_bytes

__all__ = ["DEFAULT_LOG_N", "MAX_LOG_N", "KeySecurity", "decrypt", "encrypt", "hardness"]

DEFAULT_LOG_N = 16
"""scrypt's cost as a power of two: 64 MiB and about 0.3 s. Each step up doubles both."""

# NIP-49's own table ends here, at 4 GiB. A code from a stranger must not ask for more.
MAX_LOG_N = 22

_PREFIX = "ncryptsec"
_VERSION = 2
# version, log_n, 16 salt, 24 nonce, security, 32 key, 16 tag
_LENGTH = 91


class KeySecurity(IntEnum):
    """How the key was handled before it was encrypted (NIP-49's key security byte)."""

    INSECURE = 0
    SECURE = 1
    UNTRACKED = 2


@dataclass(frozen=True, slots=True)
class _Box:
    """The fields of a decoded ncryptsec; `sealed` is ciphertext and tag."""

    log_n: int
    salt: bytes
    nonce: bytes
    security: bytes
    sealed: bytes


def encrypt(
    secret: SecretKey,
    password: str,
    *,
    log_n: int = DEFAULT_LOG_N,
    security: KeySecurity = KeySecurity.UNTRACKED,
) -> str:
    """Return `secret` as an ncryptsec (NIP-49), different every time.

    scrypt takes `2**log_n` KiB of memory. Raises `SigningError` for a `log_n` outside 1 to 22.
    """
    from nostr_threads.signing import xchacha

    salt, nonce, flag = secrets.token_bytes(16), secrets.token_bytes(24), bytes([security])
    key = _stretch(password, salt, log_n)
    # Revealed last: a failure above would leave it among a traceback's locals.
    sealed = xchacha.encrypt(key, nonce, secret_bytes(secret), flag)
    return bech32.join(_PREFIX, bytes([_VERSION, log_n]) + salt + nonce + flag + sealed)


def decrypt(ncryptsec: str, password: str) -> SecretKey:
    """Open an ncryptsec (NIP-49).

    Raises `WrongPassword`, and `SigningError` for a code that is damaged, of another version or
    asks for more than 4 GiB of memory.
    """
    from cryptography.exceptions import InvalidTag

    from nostr_threads.signing import xchacha

    box = _parse(ncryptsec)
    key = _stretch(password, box.salt, box.log_n)
    try:
        raw = xchacha.decrypt(key, box.nonce, box.sealed, box.security)
    except InvalidTag:
        raise WrongPassword("the password does not open this key") from None
    return secret_from_bytes(raw)


def hardness(ncryptsec: str) -> tuple[int, KeySecurity]:
    """Return the `log_n` of an ncryptsec, and how its key was handled. Raises `SigningError`."""
    box = _parse(ncryptsec)
    known = box.security[0] in {each.value for each in KeySecurity}
    return box.log_n, KeySecurity(box.security[0]) if known else KeySecurity.UNTRACKED


def _parse(ncryptsec: str) -> _Box:
    try:
        prefix, raw = bech32.split(ncryptsec.strip())
    except InvalidCode as error:
        raise SigningError(f"this ncryptsec is damaged: {error}") from None
    if prefix != _PREFIX:
        # Not even the prefix is repeated: someone's hand-made code may hold anything there.
        raise SigningError("this code is not an ncryptsec")
    if raw[:1] != bytes([_VERSION]):
        raise SigningError(f"this ncryptsec is not of version {_VERSION}, the only one known")
    if len(raw) != _LENGTH:
        raise SigningError(f"an ncryptsec holds {_LENGTH} bytes, this one {len(raw)}")
    return _Box(raw[1], raw[2:18], raw[18:42], raw[42:43], raw[43:])


def _stretch(password: str, salt: bytes, log_n: int) -> bytes:
    """Turn a password into a 32-byte key (scrypt, r = 8, p = 1)."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    if not 1 <= log_n <= MAX_LOG_N:
        raise SigningError(
            f"scrypt cost (log_n) {log_n} is not between 1 and {MAX_LOG_N}: each step doubles the "
            f"memory, and {MAX_LOG_N} takes 4 GiB"
        )
    typed = _normalised(password)
    try:
        return Scrypt(salt=salt, length=32, n=1 << log_n, r=8, p=1).derive(typed)
    except MemoryError:
        raise SigningError(
            f"this key needs {_memory(log_n)} of memory to open (log_n {log_n})"
        ) from None


def _normalised(password: str) -> bytes:
    # Asked before encoding: Python's own error would carry the whole password.
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise SigningError("the password is not text that UTF-8 can carry")
    return unicodedata.normalize("NFKC", password).encode()


def _memory(log_n: int) -> str:
    kibibytes = 1 << log_n
    return f"{kibibytes >> 20} GiB" if log_n >= 20 else f"{max(kibibytes >> 10, 1)} MiB"
