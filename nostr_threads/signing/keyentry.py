"""What a file of the key folder says of a key: where it is, its public half, and the way there.

Knows the form of it. Knows no files, and not what is done with the way to another place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from nostr_threads.core import schnorr
from nostr_threads.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PLACES", "KeyEntry", "Kind", "fields_of", "read_entry", "require_public_key"]


class Kind(Enum):
    """Where a key is."""

    PASSWORD = "password"  # noqa: S105 - in the file, under a password
    KEYRING = "keyring"
    BUNKER = "bunker"
    COMMAND = "command"
    PLUGIN = "plugin"
    NOWHERE = "nowhere"
    """Only its public half is known."""


PLACES = {
    Kind.PASSWORD: "in a file",
    Kind.KEYRING: "in the system's keyring",
    Kind.BUNKER: "at a bunker",
    Kind.COMMAND: "with another program",
    Kind.PLUGIN: "with a plugin",
    Kind.NOWHERE: "nowhere here: only its public half is known",
}
"""Where each is, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What a file says: where the key is, its public half (hex), and the way there.

    `details` depend on the kind, and may be secret: they are not in the repr.
    """

    kind: Kind
    public_key: str
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


def require_public_key(entry: KeyEntry) -> None:
    """Raise `SigningError` for an entry whose public key is none."""
    # Not echoed: what stands in the place of a public key may be a secret one.
    if not schnorr.is_public_key(entry.public_key):
        raise SigningError("this has no valid public key, and is not kept")


def fields_of(entry: KeyEntry) -> dict[str, Any]:
    """Return what is written of a key that is elsewhere; `read_entry` undoes it."""
    return {"kind": entry.kind.value, "public_key": entry.public_key, **entry.details}


def read_entry(text: str, *, is_encrypted: bool) -> KeyEntry | None:
    """Read the text of a file; None for what is damaged."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    kind = fields.pop("kind", None)
    public_key = fields.pop("public_key", None)
    if not isinstance(public_key, str) or not schnorr.is_public_key(public_key):
        return None
    if is_encrypted:
        has_code = isinstance(fields.get("ncryptsec"), str)
        return KeyEntry(Kind.PASSWORD, public_key, fields) if has_code else None
    elsewhere = [each.value for each in Kind if each is not Kind.PASSWORD]
    return KeyEntry(Kind(kind), public_key, fields) if kind in elsewhere else None
