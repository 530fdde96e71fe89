"""What NIP-19's codes stand for, as values.

Knows what each holds, and that a secret key never shows itself. Knows nothing of how they are
written: see `nip19`, which also exports these names.
"""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from nostr_threads.errors import InvalidCode, SigningError

__all__ = [
    "HEX_64",
    "Address",
    "Entity",
    "EventPointer",
    "Note",
    "Profile",
    "PublicKey",
    "SecretKey",
]

HEX_64 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`npub`: a public key, 64 hex digits."""

    hex: str


class SecretKey:
    """`nsec`: a secret key that shows itself only when asked. Cannot be copied, pickled or hashed.

    Its bytes are overwritten when nobody holds it any more; what it revealed is not. Raises
    `InvalidCode` unless given 64 lowercase hex digits.
    """

    # Not a dataclass: `dataclasses.asdict` of whatever holds the key would show it.
    __slots__ = ("__raw",)
    __hash__ = None  # type: ignore[assignment]  # as Python itself marks the unhashable

    def __init__(self, secret_hex: str) -> None:
        if HEX_64.fullmatch(secret_hex) is None:
            raise InvalidCode("a secret key is 64 lowercase hex digits")
        self.__raw = bytearray.fromhex(secret_hex)

    def reveal(self) -> str:
        """Return the secret as 64 hex digits. Raises `SigningError` once it was wiped."""
        return self.reveal_bytes().hex()

    def reveal_bytes(self) -> bytes:
        """Return the secret as 32 bytes. Raises `SigningError` once it was wiped."""
        if not self.__raw:
            raise SigningError("this secret key was wiped")
        return bytes(self.__raw)

    def wipe(self) -> None:
        """Overwrite the secret now, for all who hold it."""
        self.__raw[:] = bytes(len(self.__raw))
        self.__raw = bytearray()

    def __repr__(self) -> str:
        return "SecretKey(<hidden>)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretKey):
            return NotImplemented
        return hmac.compare_digest(self.__raw, other.__raw)

    def __del__(self) -> None:
        # There is nothing yet where it could not be made.
        with suppress(AttributeError):
            self.wipe()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret key is not copied or pickled")


@dataclass(frozen=True, slots=True)
class Note:
    """`note`: an event id, 64 hex digits."""

    id: str


@dataclass(frozen=True, slots=True)
class Profile:
    """`nprofile`: a public key (hex) and relays where its owner may be found."""

    pubkey: str
    relays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventPointer:
    """`nevent`: an event id (hex), relays that may have it; author (hex) and kind where known."""

    id: str
    relays: tuple[str, ...] = ()
    author: str | None = None
    kind: int | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """`naddr`: a replaceable event by kind, author (hex) and `d` tag; relays that may have it."""

    kind: int
    pubkey: str
    identifier: str
    relays: tuple[str, ...] = ()

    @property
    def coordinate(self) -> str:
        """`kind:pubkey:identifier`, as it stands in an `a` tag (NIP-01)."""
        return f"{self.kind}:{self.pubkey}:{self.identifier}"


Entity: TypeAlias = PublicKey | SecretKey | Note | Profile | EventPointer | Address
