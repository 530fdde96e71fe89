"""What is inside nprofile, nevent and naddr: NIP-19's list of type, length, value.

Knows which types each must have and what they mean. Knows nothing of bech32 around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core import relay_url
from nostr_threads.core.entities import HEX_64, Address, EventPointer, Profile
from nostr_threads.core.event import MAX_KIND
from nostr_threads.errors import InvalidCode, InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "key_from_bytes",
    "key_to_bytes",
    "read_address",
    "read_pointer",
    "read_profile",
    "write",
]

_Values: TypeAlias = dict[int, list[bytes]]

_SPECIAL, _RELAY, _AUTHOR, _KIND = range(4)
_KEY_SIZE = 32
_KIND_SIZE = 4
_MAX_VALUE_SIZE = 255


def read_profile(payload: bytes) -> Profile:
    """Read an nprofile's payload. Raises `InvalidCode`."""
    values = _split(payload)
    return Profile(key_from_bytes(_first(values, _SPECIAL)), _relays(values))


def read_pointer(payload: bytes) -> EventPointer:
    """Read an nevent's payload. Raises `InvalidCode`."""
    values = _split(payload)
    author = key_from_bytes(_first(values, _AUTHOR)) if _AUTHOR in values else None
    kind = _kind_from_bytes(_first(values, _KIND)) if _KIND in values else None
    return EventPointer(key_from_bytes(_first(values, _SPECIAL)), _relays(values), author, kind)


def read_address(payload: bytes) -> Address:
    """Read an naddr's payload. Raises `InvalidCode`."""
    values = _split(payload)
    return Address(
        kind=_kind_from_bytes(_first(values, _KIND)),
        pubkey=key_from_bytes(_first(values, _AUTHOR)),
        identifier=_text("identifier", _first(values, _SPECIAL)),
        relays=_relays(values),
    )


def write(entity: Profile | EventPointer | Address) -> bytes:
    """Return the payload of `entity`, its types in rising order. Raises `InvalidCode`."""
    match entity:
        case Profile(pubkey, relays):
            return _joined(key_to_bytes(pubkey), relays, None, None)
        case EventPointer(event_id, relays, author, kind):
            return _joined(key_to_bytes(event_id), relays, author, kind)
        case Address(kind, pubkey, identifier, relays):
            return _joined(_text_to_bytes(identifier), relays, pubkey, kind)


def key_from_bytes(value: bytes) -> str:
    """Return a key or event id as 64 hex digits. Raises `InvalidCode` unless it has 32 bytes."""
    if len(value) != _KEY_SIZE:
        raise InvalidCode(f"a key or id in it has {len(value)} bytes, not {_KEY_SIZE}")
    return value.hex()


def key_to_bytes(key: str) -> bytes:
    """Return the 32 bytes of a key or event id. Raises `InvalidCode`, without repeating it."""
    if HEX_64.fullmatch(key) is None:
        raise InvalidCode("a key or event id is not 64 lowercase hex digits")
    return bytes.fromhex(key)


def _split(payload: bytes) -> _Values:
    """Return the values of each type, in order, also of types that no NIP names."""
    values: _Values = {}
    at = 0
    while at < len(payload):
        start = at + 2
        if start > len(payload) or (end := start + payload[at + 1]) > len(payload):
            raise InvalidCode("its list of values is cut off")
        values.setdefault(payload[at], []).append(payload[start:end])
        at = end
    return values


def _first(values: _Values, wanted: int) -> bytes:
    if wanted not in values:
        raise InvalidCode(f"it lacks the value of type {wanted} that NIP-19 requires")
    return values[wanted][0]


def _kind_from_bytes(value: bytes) -> int:
    kind = int.from_bytes(value, "big")
    if len(value) != _KIND_SIZE or kind > MAX_KIND:
        raise InvalidCode(f"its kind is not a number up to {MAX_KIND} in {_KIND_SIZE} bytes")
    return kind


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidCode(f"its {name} is not UTF-8") from None


def _relays(values: _Values) -> tuple[str, ...]:
    kept: dict[str, None] = {}
    for value in values.get(_RELAY, []):
        url = _text("relay", value)
        try:
            kept[relay_url.normalize(url)] = None
        except InvalidRelayUrl:
            # A hint is optional: one that leads nowhere takes nothing from the code.
            continue
    return tuple(kept)


def _joined(special: bytes, relays: Iterable[str], author: str | None, kind: int | None) -> bytes:
    items = [(_SPECIAL, special), *((_RELAY, _text_to_bytes(relay)) for relay in relays)]
    if author is not None:
        items.append((_AUTHOR, key_to_bytes(author)))
    if kind is not None:
        items.append((_KIND, _kind_to_bytes(kind)))
    return b"".join(_item(number, value) for number, value in items)


def _item(number: int, value: bytes) -> bytes:
    if len(value) > _MAX_VALUE_SIZE:
        raise InvalidCode(f"a relay or identifier is longer than {_MAX_VALUE_SIZE} bytes")
    return bytes((number, len(value))) + value


def _kind_to_bytes(kind: int) -> bytes:
    if not 0 <= kind <= MAX_KIND:
        raise InvalidCode(f"kind {kind} is not between 0 and {MAX_KIND}")
    return kind.to_bytes(_KIND_SIZE, "big")


def _text_to_bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidCode("a relay or identifier holds a lone surrogate") from None
