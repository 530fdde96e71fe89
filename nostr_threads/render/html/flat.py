"""Notes of any threads in a row, each by itself.

Knows how a note stands alone. What is shown of it is in `entries`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.node import Node, State, part_of
from nostr_threads.core.thread import Thread
from nostr_threads.render.html.entries import Entries, Entry, Left
from nostr_threads.render.outline import Block

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nostr_threads.core.event import Verified
    from nostr_threads.render.html.links import Links
    from nostr_threads.render.setting import Setting

__all__ = ["flat"]


def flat(
    events: Iterable[Verified], setting: Setting, links: Links, *, fresh: Collection[str] = ()
) -> list[Entry | Left]:
    """Return what is shown of each note, in the order given."""
    nodes = tuple(
        Node(event.id, None, 0, State.PRESENT, event, part=part_of(event)) for event in events
    )
    entries = Entries(Thread(nodes), setting, links, fresh=fresh)
    return [entries.entry(Block((node,), 0, True, None, None)) for node in nodes]
