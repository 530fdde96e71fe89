"""BIP-340 signature checks: the only door to the curve library.

Knows how to check one signature fast. Knows nothing of events, and cannot sign.
"""

from __future__ import annotations

from functools import lru_cache

from coincurve import PublicKeyXOnly

from nostr_threads.errors import InvalidCode

__all__ = ["is_public_key", "require_public_key", "verify"]

# Parsing a key lifts it onto the curve, a sixth of a verification's cost; threads repeat authors.
_PARSED_KEYS = 4096


@lru_cache(maxsize=_PARSED_KEYS)
def _parse(public_key: str) -> PublicKeyXOnly | None:
    try:
        raw = bytes.fromhex(public_key)
    except ValueError:
        return None
    # bytes.fromhex takes upper case and white space, NIP-01 does not.
    if len(raw) != 32 or raw.hex() != public_key:
        return None
    try:
        return PublicKeyXOnly(raw)
    except ValueError:
        return None


def is_public_key(public_key: str) -> bool:
    """Whether 64 lowercase hex digits name a point on the curve."""
    return _parse(public_key) is not None


def require_public_key(public_key: str) -> None:
    """Raise `InvalidCode` for what is none, without showing it: it may be a secret one."""
    if not is_public_key(public_key):
        raise InvalidCode("a public key is 64 lowercase hex digits that name a curve point")


def verify(public_key: str, message: bytes, signature: str) -> bool:
    """Check `signature` (128 lowercase hex digits) over the 32-byte `message`. Never raises."""
    key = _parse(public_key)
    if key is None:
        return False
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    if len(raw) != 64 or raw.hex() != signature:
        return False
    return bool(key.verify(raw, message))
