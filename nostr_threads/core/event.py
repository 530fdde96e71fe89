"""The event in its three stages: `Draft` (what a signer gets), `Event`, `Verified`.

Knows NIP-01's shape, canonical bytes, id and signature. Knows nothing of what a kind or tag means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NewType

import msgspec

from nostr_threads.core import schnorr
from nostr_threads.errors import InvalidEvent

__all__ = ["MAX_CREATED_AT", "MAX_KIND", "Draft", "Event", "Tag", "Tags", "Verified", "verify"]

Tag = tuple[str, ...]
Tags = tuple[Tag, ...]

MAX_KIND = 65_535
# The largest integer that every JSON reader keeps exactly; also fits a database's 64 bits.
MAX_CREATED_AT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Draft:
    """What a signer is given: everything that an author decides. `created_at` in unix seconds.

    Tags that are given as lists become tuples: an event has no others.
    """

    created_at: int
    kind: int
    tags: Tags
    content: str

    def __post_init__(self) -> None:
        given: Any = self.tags
        # Only lists: a word in the place of a tag would fall into its letters.
        tags = tuple(tuple(tag) if isinstance(tag, list) else tag for tag in given)
        object.__setattr__(self, "tags", tags)

    def id_for(self, pubkey: str) -> str:
        """Return the NIP-01 id this draft gets when `pubkey` (64 hex digits) signs it.

        Raises `InvalidEvent` for text that no UTF-8 can carry.
        """
        return _digest(pubkey, self.created_at, self.kind, self.tags, self.content).hex()


@dataclass(frozen=True, slots=True)
class Event:
    """A signed event as NIP-01 draws it. Nothing is known of its truth until `verify`."""

    id: str
    pubkey: str
    created_at: int
    kind: int
    tags: Tags
    content: str
    sig: str

    @classmethod
    def from_json(cls, data: str | bytes) -> Event:
        """Decode one JSON object. Raises `InvalidEvent` for whatever NIP-01 does not allow.

        Unknown fields are dropped: they are not signed. Neither id nor signature is checked.
        """
        try:
            event = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise InvalidEvent(_plain(error)) from None
        if (fault := _shape_fault(event)) is not None:
            raise InvalidEvent(fault)
        return event

    def to_json(self) -> str:
        """Encode as one line of JSON, fields in NIP-01's order, the inverse of `from_json`."""
        return _encoder.encode(self).decode()

    def tag_values(self, name: str) -> tuple[str, ...]:
        """Return the first value of every tag called `name`, in order."""
        return tuple(tag[1] for tag in self.tags if len(tag) > 1 and tag[0] == name)


Verified = NewType("Verified", Event)
"""An event whose id and signature were checked. Only `verify` makes one."""


def verify(event: Event) -> Verified:
    """Check shape, id and signature (NIP-01, BIP-340). Raises `InvalidEvent` with the reason."""
    if (fault := _number_fault(event)) is not None:
        raise InvalidEvent(fault)
    digest = _digest(event.pubkey, event.created_at, event.kind, event.tags, event.content)
    if digest.hex() != event.id:
        raise InvalidEvent("the id is not the hash of the event")
    if not schnorr.verify(event.pubkey, digest, event.sig):
        raise InvalidEvent("the signature does not fit the event and its author")
    return Verified(event)


_decoder = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()
_HEX_FIELDS = re.compile("[0-9a-f]{64} [0-9a-f]{64} [0-9a-f]{128}")


def _digest(pubkey: str, created_at: int, kind: int, tags: Tags, content: str) -> bytes:
    # NIP-01 lists seven escapes and says everything else goes verbatim. The ids that exist on the
    # network follow JSON: the other control characters are \u00XX, which is what msgspec writes.
    try:
        canonical = _encoder.encode((0, pubkey, created_at, kind, tags, content))
    except UnicodeEncodeError:
        raise InvalidEvent("text holds a lone surrogate, which no UTF-8 can carry") from None
    return sha256(canonical).digest()


def _number_fault(event: Event) -> str | None:
    # The number itself stays out of the sentence: a stranger may send one of thousands of digits.
    if not 0 <= event.kind <= MAX_KIND:
        return f"kind is not between 0 and {MAX_KIND}"
    if not 0 <= event.created_at <= MAX_CREATED_AT:
        return "created_at is not a unix time in seconds"
    return None


def _shape_fault(event: Event) -> str | None:
    # All three at once: this runs for every event that a store gives.
    if not _HEX_FIELDS.fullmatch(f"{event.id} {event.pubkey} {event.sig}"):
        return _hex_fault(event)
    return _number_fault(event)


def _hex_fault(event: Event) -> str:
    name, digits = next(
        (name, digits)
        for name, digits in (("id", 64), ("pubkey", 64), ("sig", 128))
        if not re.fullmatch(f"[0-9a-f]{{{digits}}}", getattr(event, name))
    )
    return f"{name} is not {digits} lowercase hex digits"


def _plain(error: Exception) -> str:
    """Say what msgspec found, without its notation for the root of the document."""
    # Bytes that are not UTF-8 raise Python's own error up to msgspec 0.22, and msgspec's from 0.23.
    if isinstance(error, UnicodeError) or "UTF-8" in str(error):
        return "not UTF-8"
    text = str(error).replace("`$.", "`").replace(" - at `$`", "")
    return text if text.startswith("JSON") else text[:1].lower() + text[1:]
