"""What a bot must never say: words, regular expressions, and people and events by their codes.

Knows how each is written, and finds it however it is spelt. Knows nothing of what is done then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.bots.patterns import Pattern, has_word, marks_of, plain, unmarked
from nostr_threads.core.entities import Address, EventPointer, Note, Profile, PublicKey
from nostr_threads.core.nip19 import decode
from nostr_threads.errors import InvalidCode, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.core.entities import Entity

__all__ = ["Never", "first_said", "parse_never"]

_CODE = re.compile(r"(?:npub|nprofile|note|nevent|naddr)1[02-9ac-hj-np-z]{6,5000}+")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Never:
    """One thing that is never said: a `word`, a `pattern`, or a `key` (hex or address)."""

    word: str = ""
    pattern: Pattern | None = None
    key: str = ""

    def is_in(self, said: _Said) -> bool:
        """Whether it stands in what is said, with or without marks on its letters.

        A regular expression that runs out of time counts as found: better silent than sorry.
        """
        if self.pattern is not None:
            found = map(self.pattern.search, (said.text, said.plain, said.bare))
            return any(each.is_there or each.gave_up for each in found)
        if self.key:
            return self.key in said.keys or self.key in said.plain or self.key in said.bare
        word, own = plain(self.word), marks_of(self.word)
        texts = (said.plain, unmarked(said.text, own) if own else said.bare)
        # What is no word, such as a number or a part of a key, may hide within a longer one.
        if all(char.isalpha() or char.isspace() for char in word):
            return any(has_word(text, word) for text in texts)
        return any(word in text for text in texts)


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as it is, as it is compared, and that without marks; `keys` are named by its codes."""

    text: str
    plain: str
    bare: str
    keys: frozenset[str]

    @classmethod
    def of(cls, text: str) -> _Said:
        seen, bare = plain(text), unmarked(text)
        return cls(text, seen, bare, frozenset((*_named(seen), *_named(bare))))


def parse_never(entry: str) -> Never:
    """Read `word or words`, `/regex/`, an npub, note or other code, or 64 hex digits.

    Raises `InvalidInput` for what is nothing, and for a regular expression that fits every text.
    """
    text = entry.strip()
    if len(text) > 2 and text[0] == text[-1] == "/":
        pattern = Pattern(text[1:-1])
        if pattern.search("").is_there:
            raise InvalidInput("this regular expression fits every text")
        return Never(pattern=pattern)
    if not plain(text).strip():
        raise InvalidInput("there is nothing in it that could be said")
    code = text.lower().removeprefix("nostr:")
    if _HEX.fullmatch(code):
        return Never(key=code)
    if _CODE.fullmatch(code):
        return Never(key=_keys(decode(code))[0])
    return Never(word=text)


def first_said(never: Sequence[Never], text: str) -> int | None:
    """Return the place (from 1) of the first of `never` that stands in `text`, None for none."""
    said = _Said.of(text)
    places = (place for place, each in enumerate(never, 1) if each.is_in(said))
    return next(places, None)


def _named(text: str) -> Iterator[str]:
    for match in _CODE.finditer(text):
        try:
            yield from _keys(decode(match[0]))
        except InvalidCode:
            continue


def _keys(entity: Entity) -> tuple[str, ...]:
    """What a code names, and who wrote that: a note of somebody unmentionable is one, too."""
    match entity:
        case PublicKey(pubkey) | Profile(pubkey):
            return (pubkey,)
        case Note(event_id):
            return (event_id,)
        case EventPointer():
            return (entity.id, entity.author) if entity.author else (entity.id,)
        case Address():
            return entity.coordinate, entity.pubkey
    return ()
