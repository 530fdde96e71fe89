"""What a note's text mentions: the `nostr:` codes of NIP-27.

Knows where a code stands in a text and what it names. Knows nothing of how it is shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core.entities import Address, EventPointer, Note, Profile, PublicKey
from nostr_threads.core.nip19 import decode
from nostr_threads.errors import InvalidCode

if TYPE_CHECKING:
    from nostr_threads.core.event import Tag

__all__ = ["mention_tags"]

# No code is longer than NIP-19's 5,000 characters; a name has no digit "1", so the prefix is sure.
_CODE = re.compile(r"\bnostr:((?:npub|nprofile|note|nevent|naddr)1[02-9ac-hj-np-z]{6,5000})")


def mention_tags(text: str) -> tuple[Tag, ...]:
    """Return the `p` and `q` tags (NIP-27, NIP-18) for the codes in `text`, once each, in order."""
    tags: dict[tuple[str, str], Tag] = {}
    for match in _CODE.finditer(text):
        try:
            tag = _tag(decode(match[1]))
        except InvalidCode:
            continue
        tags.setdefault((tag[0], tag[1]), tag)
    return tuple(tags.values())


def _tag(entity: object) -> Tag:
    match entity:
        case PublicKey():
            return ("p", entity.hex)
        case Profile():
            return _trimmed("p", entity.pubkey, _first(entity.relays))
        case Note():
            return ("q", entity.id)
        case EventPointer():
            return _trimmed("q", entity.id, _first(entity.relays), entity.author or "")
        case Address():
            return _trimmed("q", entity.coordinate, _first(entity.relays))
    raise InvalidCode("this code cannot be mentioned")


def _first(relays: tuple[str, ...]) -> str:
    return relays[0] if relays else ""


def _trimmed(*values: str) -> Tag:
    """Leave out empty values at the end of a tag."""
    tag = list(values)
    while not tag[-1]:
        tag.pop()
    return tuple(tag)
