"""NIP-01 filters: from and to the wire, matching an event exactly, and smaller ones that add up.

Knows what a filter means. Knows nothing of which relay takes how much, or of how to answer one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND
from nostr_threads.errors import InvalidFilter

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

__all__ = ["Filter"]

_HEX_64 = re.compile(r"[0-9a-f]{64}")
_TAG_KEY = re.compile(r"#[a-zA-Z]")
_HEX_TAGS = frozenset("ep")
_NO_TAGS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class _Wanted(NamedTuple):
    """The lists of a filter as sets: a list of a hundred values is slow to look through."""

    ids: frozenset[str] | None
    authors: frozenset[str] | None
    kinds: frozenset[int] | None
    tags: tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """One NIP-01 filter. None is no condition; an empty tuple is one that nothing meets.

    `tags` maps a single letter to the values of which an event must have one. `since` and `until`
    are unix seconds, both inclusive. `limit` bounds only what comes out of the store. `search` is
    NIP-50's.
    """

    ids: tuple[str, ...] | None = None
    authors: tuple[str, ...] | None = None
    kinds: tuple[int, ...] | None = None
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_TAGS)
    since: int | None = None
    until: int | None = None
    limit: int | None = None
    search: str | None = None
    _wanted: _Wanted = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the lists as sets, too."""
        wanted = _Wanted(
            None if self.ids is None else frozenset(self.ids),
            None if self.authors is None else frozenset(self.authors),
            None if self.kinds is None else frozenset(self.kinds),
            tuple((letter, frozenset(values)) for letter, values in self.tags.items()),
        )
        object.__setattr__(self, "_wanted", wanted)

    def __hash__(self) -> int:
        tags = frozenset(self.tags.items())
        times = (self.since, self.until, self.limit)
        return hash((self.ids, self.authors, self.kinds, tags, times, self.search))

    @classmethod
    def from_wire(cls, value: object) -> Filter:
        """Read the JSON object of a REQ. Raises `InvalidFilter` for what NIP-01 does not allow."""
        if not isinstance(value, Mapping):
            raise InvalidFilter("a filter is a JSON object")
        known = {str(key): item for key, item in value.items() if item is not None}
        tags = {
            key[1]: _values(key, known.pop(key)) for key in list(known) if _TAG_KEY.fullmatch(key)
        }
        made = cls(
            ids=_hex_values("ids", known.pop("ids", None)),
            authors=_hex_values("authors", known.pop("authors", None)),
            kinds=_kinds(known.pop("kinds", None)),
            tags=tags,
            since=_number("since", known.pop("since", None), MAX_CREATED_AT),
            until=_number("until", known.pop("until", None), MAX_CREATED_AT),
            limit=_number("limit", known.pop("limit", None), MAX_CREATED_AT),
            search=_text("search", known.pop("search", None)),
        )
        if known:
            raise InvalidFilter(f"unsupported filter key {min(known)!r}")
        return made

    def to_wire(self) -> dict[str, object]:
        """Return the JSON object for a REQ, without the conditions that are not set."""
        wire: dict[str, object] = {}
        for name in ("ids", "authors", "kinds"):
            if (values := getattr(self, name)) is not None:
                wire[name] = list(values)
        wire.update({f"#{letter}": list(values) for letter, values in self.tags.items()})
        for name in ("since", "until", "limit", "search"):
            if (value := getattr(self, name)) is not None:
                wire[name] = value
        return wire

    def matches(self, event: Event) -> bool:
        """Whether `event` meets every condition of NIP-01 (not `limit`, not `search`)."""
        wanted = self._wanted
        return (
            (wanted.kinds is None or event.kind in wanted.kinds)
            and (wanted.ids is None or event.id in wanted.ids)
            and (wanted.authors is None or event.pubkey in wanted.authors)
            and (self.since is None or event.created_at >= self.since)
            and (self.until is None or event.created_at <= self.until)
            and (not wanted.tags or _has_tags(event, wanted.tags))
        )

    def halves(self) -> tuple[Filter, Filter] | None:
        """Cut the longest list in two; None when no list has two values.

        Together the halves match what the whole matches. An event with tag values of both is
        matched by both.
        """
        cut = _cut(self, 2)
        return (cut[0], cut[1]) if cut else None

    def split(self, *, values: int, size: int) -> tuple[Filter, ...]:
        """Cut into filters of at most `values` values in all lists and `size` bytes of JSON.

        Together they match what the whole matches. What cannot be cut further is given as it is.
        """
        waiting, pieces = [self], list[Filter]()
        while waiting:
            piece = waiting.pop()
            cut = _cut(piece, _parts(piece, values, size))
            waiting.extend(reversed(cut))
            if not cut:
                pieces.append(piece)
        return tuple(pieces)


def _has_tags(event: Event, wanted: tuple[tuple[str, frozenset[str]], ...]) -> bool:
    """Whether there is a tag for each letter. Plain loops: this is asked of every event twice."""
    for letter, values in wanted:
        for tag in event.tags:
            if len(tag) > 1 and tag[0] == letter and tag[1] in values:
                break
        else:
            return False
    return True


def _lists(whole: Filter) -> list[tuple[str, tuple[Any, ...]]]:
    """Wire name and values of each list, the longest first; kinds last among equals."""
    named = [(f"#{letter}", values) for letter, values in whole.tags.items()]
    own = (("authors", whole.authors), ("ids", whole.ids), ("kinds", whole.kinds))
    lists = [*named, *((name, values) for name, values in own if values is not None)]
    return sorted(lists, key=lambda item: -len(item[1]))


def _parts(whole: Filter, values: int, size: int) -> int:
    """Into how many parts the longest list is to be cut; 1 when the filter is small enough."""
    first, *others = [len(each) for _, each in _lists(whole)] or [0]
    rest = sum(others)
    if first + rest > values:
        # Beside lists that take most of the room, the parts would be too many.
        return -(-first // (values - rest)) if 2 * rest < values else 2
    text = json.dumps(whole.to_wire(), ensure_ascii=False, separators=(",", ":"))
    return 1 if len(text.encode("utf-8", "surrogatepass")) <= size else 2


def _cut(whole: Filter, parts: int) -> tuple[Filter, ...]:
    """Cut the longest list into `parts` of about one length; () when there is nothing to cut."""
    name, values = next(iter(_lists(whole)), ("", ()))
    parts = min(parts, len(values))
    if parts < 2:
        return ()
    bounds = pairwise(len(values) * part // parts for part in range(parts + 1))
    return tuple(_with(whole, name, values[start:end]) for start, end in bounds)


def _with(whole: Filter, name: str, values: tuple[Any, ...]) -> Filter:
    if name.startswith("#"):
        return replace(whole, tags={**whole.tags, name[1:]: values})
    changed: dict[str, Any] = {name: values}
    return replace(whole, **changed)


def _values(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidFilter(f"{key} is not a list of strings")
    if key[-1] in _HEX_TAGS and not all(_HEX_64.fullmatch(item) for item in value):
        raise InvalidFilter(f"{key} holds a value that is not 64 lowercase hex digits")
    return tuple(value)


def _hex_values(key: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    values = _values(key, value)
    if not all(_HEX_64.fullmatch(item) for item in values):
        raise InvalidFilter(f"{key} holds a value that is not 64 lowercase hex digits")
    return values


def _kinds(value: object) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidFilter("kinds is not a list")
    return tuple(_bounded("kinds", item, MAX_KIND) for item in value)


def _number(key: str, value: object, most: int) -> int | None:
    return None if value is None else _bounded(key, value, most)


def _bounded(key: str, value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise InvalidFilter(f"{key} is not a whole number between 0 and {most}")
    return value


def _text(key: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidFilter(f"{key} is not a string")
    return value
