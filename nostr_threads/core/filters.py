"""NIP-01 filters: from and to the wire, and matching an event exactly.

Knows what a filter means. Knows nothing of relays' limits or of how to answer one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND
from nostr_threads.errors import InvalidFilter

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

__all__ = ["Filter"]

_HEX_64 = re.compile(r"[0-9a-f]{64}")
_TAG_KEY = re.compile(r"#[a-zA-Z]")
_HEX_TAGS = frozenset("ep")
_NO_TAGS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


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
        return (
            (self.kinds is None or event.kind in self.kinds)
            and (self.ids is None or event.id in self.ids)
            and (self.authors is None or event.pubkey in self.authors)
            and (self.since is None or event.created_at >= self.since)
            and (self.until is None or event.created_at <= self.until)
            and all(_has_tag(event, letter, values) for letter, values in self.tags.items())
        )


def _has_tag(event: Event, letter: str, values: tuple[str, ...]) -> bool:
    return any(len(tag) > 1 and tag[0] == letter and tag[1] in values for tag in event.tags)


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
