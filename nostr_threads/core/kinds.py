"""The kinds this package knows by name, and NIP-01's ranges.

Knows which versions of an event replace each other. Knows nothing of what an event answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.event import Draft, Event

__all__ = [
    "ARTICLE",
    "AUTH",
    "COMMENT",
    "DELETION",
    "FORUM_THREAD",
    "GENERIC_REPOST",
    "MUTE_LIST",
    "NOTE",
    "PROFILE",
    "REACTION",
    "RELAY_LIST",
    "REMOTE_SIGNING",
    "REPOST",
    "VANISH",
    "WRITTEN",
    "ZAP",
    "address_of",
    "is_addressable",
    "is_ephemeral",
    "is_replaceable",
]

PROFILE = 0
NOTE = 1
DELETION = 5
REPOST = 6
REACTION = 7
FORUM_THREAD = 11
GENERIC_REPOST = 16
VANISH = 62
COMMENT = 1111
ZAP = 9735
MUTE_LIST = 10000
RELAY_LIST = 10002
AUTH = 22242
REMOTE_SIGNING = 24133
ARTICLE = 30023

WRITTEN = (NOTE, FORUM_THREAD, COMMENT, ARTICLE)
"""What people say in words of their own."""


def is_replaceable(kind: int) -> bool:
    """Whether only the newest event of this kind counts, for each author."""
    return kind in (0, 3) or 10_000 <= kind < 20_000


def is_ephemeral(kind: int) -> bool:
    """Whether relays pass this kind on without keeping it."""
    return 20_000 <= kind < 30_000


def is_addressable(kind: int) -> bool:
    """Whether only the newest event of this kind counts, for each author and `d` tag."""
    return 30_000 <= kind < 40_000


def address_of(event: Event) -> str | None:
    """Return `kind:pubkey:d` (NIP-01) when versions of this event replace each other."""
    if is_addressable(event.kind):
        return f"{event.kind}:{event.pubkey}:{identifier_of(event)}"
    if is_replaceable(event.kind):
        return f"{event.kind}:{event.pubkey}:"
    return None


def identifier_of(event: Event | Draft) -> str:
    """Return the value of the first `d` tag, or the empty string."""
    for tag in event.tags:
        if tag and tag[0] == "d":
            return tag[1] if len(tag) > 1 else ""
    return ""
