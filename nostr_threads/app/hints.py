"""Where what a text mentions is found, and whose it is, as far as the store knows.

Asks nobody. What becomes of it in tags is `core.content`'s to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.content import Hint, mention_tags
from nostr_threads.core.filters import Filter
from nostr_threads.core.references import parse_address
from nostr_threads.core.relay_lists import relay_list_of
from nostr_threads.core.relay_url import is_local

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Tag
    from nostr_threads.store.base import Store

__all__ = ["hints_of"]


def hints_of(text: str, store: Store, now: int) -> dict[str, Hint]:
    """Return what `mention_tags` may add to the tags of `text`, by event id, address or key.

    Relays on this machine are nobody else's to find anything at.
    """
    tags = mention_tags(text)
    wanted = [_filter(tag) for tag in tags if tag[0] in ("p", "q")]
    known = store.query(wanted, now=now, strict=True) if wanted else []
    seen = store.sightings([event.id for event in known])
    hints: dict[str, Hint] = {}
    for event in known:
        if event.kind == kinds.RELAY_LIST:
            hints[event.pubkey] = Hint(_public(relay_list_of(event).write))
        hint = Hint(_public(seen[event.id]), event.pubkey)
        hints |= dict.fromkeys((event.id, kinds.address_of(event) or event.id), hint)
    return hints


def _filter(tag: Tag) -> Filter:
    """What tells of the person or the event that a tag names."""
    if tag[0] == "p":
        return Filter(kinds=(kinds.RELAY_LIST,), authors=(tag[1],))
    if (address := parse_address(tag[1])) is None:
        return Filter(ids=(tag[1],))
    kind, author, identifier = address
    return Filter(kinds=(kind,), authors=(author,), tags={"d": (identifier,)})


def _public(urls: Iterable[str]) -> str:
    return next((url for url in urls if not is_local(url)), "")
