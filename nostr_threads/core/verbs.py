"""The small things one does to an event: delete it, react to it, repost it, quote it.

Knows NIP-09, NIP-25, NIP-18 and NIP-30. Signs and sends nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.content import mention_tags
from nostr_threads.core.entities import Address, EventPointer
from nostr_threads.core.event import Draft
from nostr_threads.core.nip19 import encode
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.core.answering import Target
    from nostr_threads.core.event import Event, Tag, Tags

__all__ = ["MAX_DELETED", "deletion", "is_protected", "quote", "reaction", "repost"]

MAX_DELETED = 40
"""Events in one request for deletion: with an address and a kind each, most relays take it."""

_LONGEST_REACTION = 20
_SHORTCODE = re.compile(r":([A-Za-z0-9_-]{1,64}):")
_IMAGE = re.compile(r"https?://[^\s/]+(?:/\S*)?", re.IGNORECASE)
_LONGEST_URL = 2_048


def deletion(
    events: Sequence[Event], *, author: str, created_at: int, reason: str = ""
) -> list[Draft]:
    """Return requests to delete `events`, `MAX_DELETED` in each (NIP-09).

    What has an address is named by it too, with all its versions until `created_at` (unix seconds),
    which is moved up to that of the newest. Raises `InvalidInput` for no events, for those of
    anybody but `author` and for a deletion, which nothing can take back.
    """
    each = list({event.id: event for event in events}.values())
    if not each:
        raise InvalidInput("there is nothing to delete")
    if any(event.pubkey != author for event in each):
        raise InvalidInput("only its own author can ask for an event's deletion")
    if any(event.kind == kinds.DELETION for event in each):
        raise InvalidInput("the request for a deletion cannot be deleted (NIP-09)")
    when = max(created_at, *(event.created_at for event in each))
    return [
        Draft(when, kinds.DELETION, _deleted(each[start : start + MAX_DELETED]), reason)
        for start in range(0, len(each), MAX_DELETED)
    ]


def reaction(target: Target, *, created_at: int, content: str = "+", image: str = "") -> Draft:
    """Return a reaction (NIP-25): `+`, `-`, one emoji, or `:shortcode:` with its `image` URL.

    Raises `InvalidInput` for whatever else: words are an answer.
    """
    said = content.strip()
    if not said.replace("\u200d", "").isprintable():
        raise InvalidInput("a reaction holds a control character")
    event, relay = target.event, target.relay
    address = kinds.address_of(event)
    tags: list[Tag] = [] if address is None else [("a", address, relay, event.pubkey)]
    tags += [
        ("e", event.id, relay, event.pubkey),
        _hinted("p", event.pubkey, relay),
        ("k", str(event.kind)),
        *_emoji(said, image.strip()),
    ]
    return Draft(created_at, kinds.REACTION, tuple(tags), said)


def repost(target: Target, *, created_at: int) -> Draft:
    """Return a repost (NIP-18): kind 6 of a note, kind 16 of anything else.

    It carries the event itself, unless that is protected (NIP-70): then it only says where it is.
    Raises `InvalidInput` without the URL of a relay that has it, which is a must.
    """
    event, relay = target.event, target.relay
    if not relay:
        raise InvalidInput("a repost has to say where the event is found: give a relay that has it")
    tags: list[Tag] = [("e", event.id, relay, event.pubkey), ("p", event.pubkey)]
    is_note = event.kind == kinds.NOTE
    if not is_note:
        tags.append(("k", str(event.kind)))
        if (address := kinds.address_of(event)) is not None:
            tags.append(("a", address, relay))
    content = "" if is_protected(event) else event.to_json()
    kind = kinds.REPOST if is_note else kinds.GENERIC_REPOST
    return Draft(created_at, kind, tuple(tags), content)


def quote(text: str, target: Target) -> str:
    """Return `text` with the `nostr:` code of `target` below it (NIP-27), for `compose` to tag.

    A text that names the event already stays as it is.
    """
    event = target.event
    relays = (target.relay,) if target.relay else ()
    address = kinds.address_of(event)
    if {event.id, address} & {tag[1] for tag in mention_tags(text) if tag[0] == "q"}:
        return text
    entity: Address | EventPointer = EventPointer(event.id, relays, event.pubkey, event.kind)
    if address is not None:
        entity = Address(event.kind, event.pubkey, kinds.identifier_of(event), relays)
    code = f"nostr:{encode(entity)}"
    return f"{text.rstrip()}\n\n{code}" if text.strip() else code


def is_protected(event: Event) -> bool:
    """Whether relays are to take `event` from its author alone (NIP-70)."""
    return any(tag[:1] == ("-",) for tag in event.tags)


def _deleted(events: Sequence[Event]) -> Tags:
    ids = (("e", event.id) for event in events)
    named = (kinds.address_of(event) for event in events)
    addresses = (("a", address) for address in dict.fromkeys(named) if address is not None)
    numbers = (("k", str(kind)) for kind in dict.fromkeys(event.kind for event in events))
    return (*ids, *addresses, *numbers)


def _emoji(content: str, image: str) -> Iterator[Tag]:
    """Yield NIP-30's tag of a custom emoji."""
    match = _SHORTCODE.fullmatch(content)
    if match is None:
        if not content or len(content) > _LONGEST_REACTION or any(map(str.isspace, content)):
            raise InvalidInput("a reaction is +, -, one emoji or :shortcode:; words are an answer")
        if image:
            raise InvalidInput(f"an image belongs to a :shortcode:, and {content!r} is none")
        return
    if len(image) > _LONGEST_URL or _IMAGE.fullmatch(image) is None:
        raise InvalidInput(f"{content} needs the URL of its image (NIP-30)")
    yield ("emoji", match[1], image)


def _hinted(name: str, value: str, relay: str) -> Tag:
    return (name, value, relay) if relay else (name, value)
