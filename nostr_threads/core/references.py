"""What an event answers: root, parent, mentions and quotes.

Knows NIP-10 (marked and positional), NIP-22, NIP-7D, and the targets of NIP-09, 18, 25 and 57.
Knows one event at a time: whether a claimed root is true is for `thread` to find out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Event, Tag

__all__ = ["Pointer", "References", "Relation", "parse_address", "references"]

_HEX_64 = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"([0-9]{1,5}):([0-9a-f]{64}):(.*)", re.DOTALL)
_REPLY_MARKERS = frozenset(("root", "reply"))


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a tag points at: one of `id`, `address` (`kind:pubkey:d`) and `external` is set.

    `author` and `relays` (normalised URLs) are a stranger's hints: for looking, not for trust.
    """

    id: str | None = None
    address: str | None = None
    external: str | None = None
    author: str | None = None
    relays: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The one string that names the target in a thread."""
        return self.id or self.address or self.external or ""


class Relation(Enum):
    """What an event is to the one it points at."""

    ROOT = "root"
    REPLY = "reply"
    REACTION = "reaction"
    REPOST = "repost"
    ZAP = "zap"
    DELETION = "deletion"


@dataclass(frozen=True, slots=True)
class References:
    """What an event points at. `root` is the furthest ancestor that it names, true or not.

    With only a NIP-10 "reply" marker that is its parent. Both are None when it answers nothing.
    """

    relation: Relation
    root: Pointer | None = None
    parent: Pointer | None = None
    mentions: tuple[Pointer, ...] = ()
    quotes: tuple[Pointer, ...] = ()


_TARGETS = {
    kinds.REACTION: Relation.REACTION,
    kinds.REPOST: Relation.REPOST,
    kinds.GENERIC_REPOST: Relation.REPOST,
    kinds.ZAP: Relation.ZAP,
    kinds.DELETION: Relation.DELETION,
}


def references(event: Event) -> References:
    """Read the tags of `event`. Never raises: tags that name nothing valid are passed over."""
    reader = _Reader(event)
    if event.kind in _TARGETS:
        return reader.target(_TARGETS[event.kind])
    if event.kind == kinds.COMMENT and (comment := reader.comment()) is not None:
        return comment
    return reader.note()


class _Reader:
    """Reads one event's tags; exists to hold what every rule needs of them."""

    def __init__(self, event: Event) -> None:
        self._event = event
        # One relay an author: a thousand `p` tags must not send us to a thousand relays.
        self._hints: dict[str, tuple[str, ...]] = {}
        for tag in event.tags:
            if tag[:1] in (("p",), ("P",)) and (hints := _relays(tag)):
                self._hints.setdefault(tag[1], hints)
        self._quotes = tuple(self._pointers("q"))

    def target(self, relation: Relation) -> References:
        """Reactions name their target last (NIP-25); the others name only targets."""
        pointers = (*self._pointers("a"), *self._pointers("e"))
        parent = pointers[-1] if pointers else None
        return References(relation, None, parent, pointers[:-1], self._quotes)

    def comment(self) -> References | None:
        """NIP-22: upper case is the root's scope, lower case the parent. None without either."""
        root = self._scope("A", "E", "I", "P")
        parent = self._scope("a", "e", "i", "p")
        if root is None and parent is None:
            return None
        if root is None and self._marked():
            return None
        # NIP-7D leaves the parent out: the comment answers the root.
        parent = parent or root
        mentions = self._without(self._pointers("e"), root, parent)
        if parent is not None and parent.address is not None:
            mentions = ()  # the `e` beside an `a` names the version that was read
        return References(Relation.REPLY, root or parent, parent, mentions, self._quotes)

    def note(self) -> References:
        """NIP-10. Only kind 1 counts positional tags: elsewhere an unmarked `e` is a mention."""
        marked = self._marked()
        if marked:
            root = next((pointer for marker, pointer in marked if marker == "root"), None)
            reply = next((pointer for marker, pointer in marked if marker == "reply"), None)
        else:
            root, reply = self._positional()
        root, parent = root or reply, reply or root
        everything = (*self._pointers("e"), *self._pointers("a"))
        mentions = self._without(everything, root, parent)
        relation = Relation.ROOT if parent is None else Relation.REPLY
        return References(relation, root, parent, mentions, self._quotes)

    def _marked(self) -> list[tuple[str, Pointer]]:
        found = [
            (tag[3], pointer)
            for tag in self._event.tags
            if len(tag) > 3 and tag[3] in _REPLY_MARKERS and tag[0] in ("e", "a")
            if (pointer := self._pointer(tag)) is not None
        ]
        # An article is tagged by address and by version: the address is what lasts.
        found.sort(key=lambda item: item[1].address is None)
        return found

    def _positional(self) -> tuple[Pointer | None, Pointer | None]:
        if self._event.kind != kinds.NOTE:
            return None, None
        unmarked = [
            pointer
            for tag in self._event.tags
            if tag[:1] == ("e",) and tag[3:4] != ("mention",)
            if (pointer := self._pointer(tag)) is not None
        ]
        return (unmarked[0], unmarked[-1]) if unmarked else (None, None)

    def _scope(self, address: str, event_id: str, external: str, author: str) -> Pointer | None:
        """The first valid tag of a NIP-22 scope; its author may stand in the P or p tag."""
        for name in (address, event_id, external):
            for pointer in self._pointers(name):
                if pointer.author or pointer.external:
                    return pointer
                named = next(iter(self._event.tag_values(author)), "")
                known = named if _HEX_64.fullmatch(named) else None
                relays = _merged(pointer.relays, self._hints.get(named, ()))
                return Pointer(pointer.id, pointer.address, None, known, relays)
        return None

    def _pointers(self, name: str) -> Iterable[Pointer]:
        for tag in self._event.tags:
            if tag[:1] == (name,) and (pointer := self._pointer(tag)) is not None:
                yield pointer

    def _pointer(self, tag: Tag) -> Pointer | None:
        name, value = tag[0], tag[1] if len(tag) > 1 else ""
        if name in ("i", "I"):
            return Pointer(external=value) if value else None
        if name not in ("a", "A") and _HEX_64.fullmatch(value):
            author = _author(tag)
            return Pointer(id=value, author=author, relays=self._all_relays(tag, author))
        if name not in ("e", "E") and (parsed := parse_address(value)) is not None:
            author = parsed[1]
            return Pointer(address=value, author=author, relays=self._all_relays(tag, author))
        return None

    def _all_relays(self, tag: Tag, author: str | None) -> tuple[str, ...]:
        return _merged(_relays(tag), self._hints.get(author or "", ()))

    @staticmethod
    def _without(pointers: Iterable[Pointer], *taken: Pointer | None) -> tuple[Pointer, ...]:
        keys = {pointer.key for pointer in taken if pointer is not None}
        return tuple(pointer for pointer in pointers if pointer.key not in keys)


def parse_address(value: str) -> tuple[int, str, str] | None:
    """Take `kind:pubkey:d` apart (NIP-01), or return None when it is no address."""
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match[1]) > 65_535:
        return None
    return int(match[1]), match[2], match[3]


def _author(tag: Tag) -> str | None:
    """The author hint: fifth after a NIP-10 marker, fourth in the other NIPs."""
    return next((item for item in tag[3:5] if _HEX_64.fullmatch(item)), None)


def _relays(tag: Tag) -> tuple[str, ...]:
    if len(tag) < 3 or not tag[2]:
        return ()
    try:
        return (normalize(tag[2]),)
    except InvalidRelayUrl:
        return ()


def _merged(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
