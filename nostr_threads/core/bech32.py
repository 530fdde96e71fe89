"""Bech32 strings, without meaning.

Knows BIP-173's checksum and NIP-19's length. Knows nothing of what a payload holds.
"""

from __future__ import annotations

from nostr_threads.errors import InvalidCode

__all__ = ["MAX_LENGTH", "join", "split"]

MAX_LENGTH = 5000
"""NIP-19: strings SHOULD be limited to this many characters."""


def split(code: str) -> tuple[str, bytes]:
    """Return prefix (lower case) and payload of a bech32 string of at most `MAX_LENGTH` characters.

    Raises `InvalidCode`, which repeats nothing of `code`: it may be a secret key.
    """
    # Here and not above: `import nostr_threads` and `--help` must not pay for pynostr.
    from pynostr.bech32 import Encoding, bech32_decode, convertbits

    if (fault := _text_fault(code)) is not None:
        raise InvalidCode(fault)
    prefix, words, encoding = bech32_decode(code)
    if prefix is None:
        raise InvalidCode("its checksum does not fit, so a character is wrong or missing")
    if encoding is not Encoding.BECH32:
        raise InvalidCode("its checksum is bech32m, where NIP-19 wants bech32")
    payload = convertbits(words, 5, 8, False)
    if payload is None:
        raise InvalidCode("it does not hold whole bytes")
    return prefix, bytes(payload)


def join(prefix: str, payload: bytes) -> str:
    """Return the lower-case string, the inverse of `split`. Raises `InvalidCode` if too long."""
    from pynostr.bech32 import Encoding, bech32_encode, convertbits  # as in `split`

    code: str = bech32_encode(prefix, convertbits(payload, 8, 5), Encoding.BECH32)
    if len(code) > MAX_LENGTH:
        raise InvalidCode(f"the {prefix} would be longer than {MAX_LENGTH} characters")
    return code


def _text_fault(code: str) -> str | None:
    """Say what is wrong before the checksum: pynostr answers every fault with the same None."""
    if len(code) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    if "1" not in code:
        return "it has no prefix such as npub1 or nevent1"
    if not code.isascii() or not code.isprintable() or " " in code:
        return "it holds a character that no code has"
    if code not in (code.lower(), code.upper()):
        return "it mixes upper and lower case"
    return None
