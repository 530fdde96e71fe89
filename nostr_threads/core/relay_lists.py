"""Where somebody writes and reads (NIP-65).

Knows one relay list event. Knows nothing of which relays may be dialled or are worth it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Event

__all__ = ["MOST_RELAYS", "RelayList", "relay_list_of"]

# NIP-65 asks for two to four of each. The rest of a longer list is not worth anybody's time.
MOST_RELAYS = 20
# Tags looked at: a list of invalid URLs alone must not cost more than a list that is used.
_MOST_TAGS = 200


@dataclass(frozen=True, slots=True)
class RelayList:
    """The relays somebody writes to and reads mentions from: normalised URLs, in their order."""

    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def relay_list_of(event: Event) -> RelayList:
    """Read the `r` tags of a kind 10002 event (NIP-65); the kind is not looked at.

    No marker means both, and so does an empty one; a tag with a marker that NIP-65 does not have is
    dropped, as is one whose URL is invalid. At most `MOST_RELAYS` are kept of each, doubles once.
    Local URLs stay in: they are a stranger's word, see `relay_url.is_local`. Never raises.
    """
    write: dict[str, None] = {}
    read: dict[str, None] = {}
    for url, marker in _relays(event):
        if marker != "read" and len(write) < MOST_RELAYS:
            write[url] = None
        if marker != "write" and len(read) < MOST_RELAYS:
            read[url] = None
    return RelayList(tuple(write), tuple(read))


def _relays(event: Event) -> Iterator[tuple[str, str]]:
    tags = [tag for tag in event.tags if len(tag) > 1 and tag[0] == "r"]
    for tag in tags[:_MOST_TAGS]:
        marker = tag[2] if len(tag) > 2 else ""
        if marker not in ("", "read", "write"):
            continue
        try:
            yield normalize(tag[1]), marker
        except InvalidRelayUrl:
            continue
