"""When an event's author wanted it gone (NIP-40).

Knows the `expiration` tag. Knows no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

__all__ = ["expires_at"]

# A number with more digits lies beyond every calendar, and beyond 64 bits.
_DIGITS = 15


def expires_at(event: Event) -> int | None:
    """Return the unix time of the first `expiration` tag; None without one that can come."""
    for tag in event.tags:  # of every event, whenever it is looked at
        if len(tag) > 1 and tag[0] == "expiration":
            value = tag[1]
            break
    else:
        return None
    usable = value.isascii() and value.isdigit() and len(value) <= _DIGITS
    return int(value) if usable else None
