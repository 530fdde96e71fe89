"""How often each note was reacted to, reposted and zapped (NIP-25, NIP-18, NIP-57).

Knows what counts, and whose. Knows nothing of amounts: a zap receipt proves none to who has not
asked the wallet's server, so a receipt is counted and never added up.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.node import State
from nostr_threads.core.references import references
from nostr_threads.core.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nostr_threads.core.event import Verified

__all__ = ["DISLIKE", "LIKE", "Tally", "tallies"]

LIKE, DISLIKE = "+", "-"

# An emoji of joined emoji has a dozen code points; a shortcode is a name.
_LONGEST_REACTION = 40
_MOST_REACTIONS = 50
_UNSHOWN = frozenset(("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Tally:
    """Reactions by what they say, the most frequent first; people who reposted; zap receipts.

    `+` is a like, `-` a dislike; everything else is an emoji, or `:shortcode:` (NIP-30).
    """

    reactions: Mapping[str, int] = field(default_factory=dict)
    reposts: int = 0
    zaps: int = 0


def tallies(events: Iterable[Verified], *, now: int | None = None) -> Mapping[str, Tally]:
    """Return the tally of each note that `events` react to, repost or zap, by its key.

    The key is an id or an address (`kind:pubkey:d`). What is addressable has one tally for all its
    versions, found by the address and by the id of each version among `events`. A person counts
    once for each reaction to a note. What its author deleted does not count, nor what has expired
    at `now` (unix seconds; without it nothing has).
    """
    unique = list({event.id: event for event in events}.values())
    standing = Standing(unique, now)
    names = {event.id: kinds.address_of(event) or event.id for event in unique}
    heaps: defaultdict[str, _Heap] = defaultdict(_Heap)
    for event in unique:
        if event.kind in _COUNTED and standing.verdict(event).state is State.PRESENT:
            target = _target(event, names)
            if target is not None:
                heaps[target].add(event)
    found = {key: tally for key, heap in heaps.items() if (tally := heap.tally()) != Tally()}
    return found | {name: found[key] for name, key in names.items() if key in found}


_COUNTED = frozenset((kinds.REACTION, kinds.REPOST, kinds.GENERIC_REPOST, kinds.ZAP))


@dataclass(slots=True)
class _Heap:
    """Who did what to one note: sets, so that nobody counts twice."""

    reactions: set[tuple[str, str]] = field(default_factory=set)
    reposts: set[str] = field(default_factory=set)
    zaps: set[str] = field(default_factory=set)

    def add(self, event: Verified) -> None:
        match event.kind:
            case kinds.REACTION:
                if (said := _said(event.content)) is not None:
                    self.reactions.add((said, event.pubkey))
            case kinds.ZAP:
                # NIP-57: a receipt holds its invoice, and one invoice is paid once.
                self.zaps.update(event.tag_values("bolt11")[:1])
            case _:
                self.reposts.add(event.pubkey)

    def tally(self) -> Tally:
        counts = Counter(said for said, _ in self.reactions)
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_REACTIONS]
        return Tally(dict(most), len(self.reposts), len(self.zaps))


def _target(event: Verified, names: Mapping[str, str]) -> str | None:
    """The key of what `event` is about: the last `e`, or the address that stands for it.

    Reactions to a version that is not here are for its address. An `a` beside the `e` of a note
    that is here is none of its own: older clients copied the tags of what they reacted to.
    """
    refs = references(event)
    if refs.parent is None:
        return None
    if refs.parent.id is None or refs.parent.id in names:
        return names.get(refs.parent.key, refs.parent.key)
    beside = next((each.address for each in refs.mentions if each.address is not None), None)
    return beside or refs.parent.key


def _said(content: str) -> str | None:
    """What a reaction says; None for what is too long or cannot be shown."""
    said = content.strip()
    if not said:
        return LIKE
    if len(said) > _LONGEST_REACTION or any(
        unicodedata.category(char) in _UNSHOWN for char in said
    ):
        return None
    return said
