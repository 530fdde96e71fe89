"""What somebody wants to have whole: a thread, an author, a hashtag, a search, or any filter.

Knows how each is named, written down, and asked for. Knows nothing of relays that answer, or of
what is there already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from nostr_threads.core import nip19
from nostr_threads.core.filters import Filter
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidCode, InvalidFilter, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Source", "SourceKind"]

_LONGEST_WORDS = 500


class SourceKind(Enum):
    """What a source is, by the word that stands before its value."""

    THREAD = "thread"
    AUTHOR = "author"
    HASHTAG = "hashtag"
    SEARCH = "search"
    FILTER = "filter"


@dataclass(frozen=True, slots=True)
class Source:
    """Something to be kept whole.

    `value` is a thread's key (id or address), an author's public key in hex, a hashtag in lower
    case, words, or a filter as JSON. It is got from `relays`, by their normalised URLs; where there
    are none, from those that are usual, and from `hints`, which the code named. With `replies` the
    threads under an author's notes are wanted, too; `depth` is how many generations of a thread,
    None for all. `since` (unix seconds) is for who wants no more than that this time: it is neither
    kept with a source nor part of its name.
    """

    kind: SourceKind
    value: str
    relays: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    replies: bool = False
    depth: int | None = None
    since: int = 0

    @classmethod
    def parse(
        cls,
        kind: SourceKind,
        text: str,
        *,
        relays: tuple[str, ...] = (),
        replies: bool = False,
        depth: int | None = None,
    ) -> Source:
        """Make a source of what a person typed.

        Raises `InvalidCode`, `InvalidFilter` and `InvalidRelayUrl` for what cannot be read, and
        `InvalidInput` for what does not go together.
        """
        if replies and kind is not SourceKind.AUTHOR:
            raise InvalidInput(f"the replies of a {kind.value} are not asked for: only an author's")
        if depth is not None and not (kind is SourceKind.THREAD or replies):
            raise InvalidInput(
                "a depth is that of threads: of a thread, or with an author's replies"
            )
        if depth is not None and depth < 0:
            raise InvalidInput(f"a depth of {depth} is less than nothing")
        value, hints = _READERS[kind](text)
        urls = tuple(dict.fromkeys(map(normalize, relays)))
        return cls(kind, value, urls, hints, replies, depth)

    @classmethod
    def from_json(cls, text: str) -> Source:
        """Undo `to_json`. Raises `InvalidInput` for what is damaged."""
        try:
            fields = json.loads(text)
            return cls(
                SourceKind(fields["kind"]),
                str(fields["value"]),
                tuple(map(str, fields["relays"])),
                tuple(map(str, fields["hints"])),
                bool(fields["replies"]),
                None if fields["depth"] is None else int(fields["depth"]),
            )
        except (ValueError, KeyError, TypeError):
            raise InvalidInput("a source in the store is damaged") from None

    def to_json(self) -> str:
        """Write it down."""
        fields: dict[str, Any] = {
            "kind": self.kind.value,
            "value": self.value,
            "relays": self.relays,
            "hints": self.hints,
            "replies": self.replies,
            "depth": self.depth,
        }
        return json.dumps(fields, ensure_ascii=False)

    @property
    def name(self) -> str:
        """What tells it from others and can be typed: its kind, and its value or code (NIP-19)."""
        value = self.value
        if self.kind is SourceKind.AUTHOR:
            value = nip19.encode(nip19.PublicKey(self.value))
        elif self.kind is SourceKind.THREAD and ":" in self.value:
            kind, pubkey, identifier = self.value.split(":", 2)
            value = nip19.encode(nip19.Address(int(kind), pubkey, identifier))
        return f"{self.kind.value} {value}"

    @property
    def filter(self) -> Filter | None:
        """What is asked of a relay; None for a thread, which no filter describes."""
        match self.kind:
            case SourceKind.AUTHOR:
                return Filter(authors=(self.value,))
            case SourceKind.HASHTAG:
                return Filter(tags={"t": (self.value,)})
            case SourceKind.SEARCH:
                return Filter(search=self.value)
            case SourceKind.FILTER:
                return Filter.from_wire(json.loads(self.value))
        return None

    @property
    def first(self) -> int:
        """The second from which on it is wanted, in unix time."""
        return max(self.since, (self.filter and self.filter.since) or 0)

    def within(self, first: int, last: int) -> Filter:
        """Return its filter for the seconds from `first` to `last`. Not for a thread."""
        if (whole := self.filter) is None:
            raise ValueError("a thread is not got by seconds")
        return replace(whole, since=first, until=last)


def _thread(text: str) -> tuple[str, tuple[str, ...]]:
    match nip19.parse_event(text):
        case nip19.Address() as found:
            return found.coordinate, found.relays
        case found:
            return found.id, found.relays


def _author(text: str) -> tuple[str, tuple[str, ...]]:
    found = nip19.parse_pubkey(text)
    return found.pubkey, found.relays


def _hashtag(text: str) -> tuple[str, tuple[str, ...]]:
    tag = text.strip().removeprefix("#").lower()
    if not tag or any(each.isspace() for each in tag):
        raise InvalidCode(f"{text!r} is no hashtag: one word, with or without # in front")
    return tag, ()


def _words(text: str) -> tuple[str, tuple[str, ...]]:
    words = " ".join(text.split())
    if not words or len(words) > _LONGEST_WORDS:
        raise InvalidInput(f"a search has 1 to {_LONGEST_WORDS} characters")
    return words, ()


def _filter(text: str) -> tuple[str, tuple[str, ...]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFilter("a filter is a JSON object, in quotes of the shell") from None
    found = Filter.from_wire(value)
    if found.since is not None and found.until is not None and found.since > found.until:
        raise InvalidFilter("nothing is between these times: since is later than until")
    if found.limit is not None:
        raise InvalidFilter("everything is wanted of a source: leave out the limit")
    return json.dumps(found.to_wire(), ensure_ascii=False, sort_keys=True), ()


_READERS: dict[SourceKind, Callable[[str], tuple[str, tuple[str, ...]]]] = {
    SourceKind.THREAD: _thread,
    SourceKind.AUTHOR: _author,
    SourceKind.HASHTAG: _hashtag,
    SourceKind.SEARCH: _words,
    SourceKind.FILTER: _filter,
}
