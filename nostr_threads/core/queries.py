"""The filters that ask for the notes of a thread, for what answers them, and for their authors.

Knows which tags and kinds name what. Knows nothing of who is asked.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.filters import Filter
from nostr_threads.core.references import parse_address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["PEOPLE", "about", "answers", "on_social", "seek", "social"]

PEOPLE = (kinds.PROFILE, kinds.VANISH, kinds.RELAY_LIST)
"""What people say of themselves."""

_ANSWERS = (kinds.NOTE, kinds.DELETION, kinds.FORUM_THREAD, kinds.COMMENT, kinds.ARTICLE)
_COMMENTS = (kinds.COMMENT,)
_SOCIAL = (kinds.REPOST, kinds.REACTION, kinds.GENERIC_REPOST, kinds.ZAP)


def seek(keys: Sequence[str]) -> Iterator[Filter]:
    """Ask for events by id and by address; an external id has none."""
    if ids := tuple(key for key in keys if _letter(key) == "e"):
        yield Filter(ids=ids)
    for key in keys:
        if (address := parse_address(key)) is not None:
            kind, author, identifier = address
            tags = {"d": (identifier,)} if kinds.is_addressable(kind) else {}
            yield Filter(kinds=(kind,), authors=(author,), tags=tags)


def answers(keys: Sequence[str], roots: Collection[str]) -> Iterator[Filter]:
    """Ask for what answers each key, and for comments that name one of `roots` as theirs (NIP-22).

    Many clients name only the parent.
    """
    groups = defaultdict(list)
    for key in keys:
        letter = _letter(key)
        groups[letter, _COMMENTS if letter == "i" else _ANSWERS].append(key)
        if key in roots:
            groups[letter.upper(), _COMMENTS].append(key)
    for (letter, wanted), values in groups.items():
        yield Filter(kinds=wanted, tags={letter: tuple(values)})


def social(keys: Sequence[str]) -> Iterator[Filter]:
    """Ask for reactions, reposts and zaps (NIP-25, NIP-18, NIP-57)."""
    for letter in ("e", "a"):
        if values := tuple(key for key in keys if _letter(key) == letter):
            yield Filter(kinds=_SOCIAL, tags={letter: values})


def on_social(ids: Sequence[str]) -> Iterator[Filter]:
    """Ask for what answers reactions, reposts and zaps, as one may, or takes them back (NIP-09)."""
    yield Filter(kinds=(kinds.NOTE, kinds.DELETION, kinds.COMMENT), tags={"e": tuple(ids)})


def about(people: Sequence[str], viewer: str | None) -> Iterator[Filter]:
    """Ask what people say of themselves, and whom the `viewer` among them mutes (NIP-51)."""
    yield Filter(kinds=PEOPLE, authors=tuple(people))
    if viewer is not None and viewer in people:
        yield Filter(kinds=(kinds.MUTE_LIST,), authors=(viewer,))


@lru_cache(maxsize=65_536)  # each relay is asked about each key, twice at least
def _letter(key: str) -> str:
    """The tag in which answers name a key."""
    if HEX_64.fullmatch(key):
        return "e"
    return "a" if parse_address(key) is not None else "i"
