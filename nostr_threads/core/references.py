"""What an event answers: root, parent, mentions and quotes.

Knows NIP-10 (marked and positional), NIP-22, NIP-7D, and the targets of NIP-09, 18, 25 and 57.
Knows one event at a time: whether a claimed root is true is for `thread` to find out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from nostr_threads.core import kinds
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Event, Tag, Tags

    # A tag and what it points at.
    _Pointing: TypeAlias = tuple[Tag, "Pointer"]

__all__ = [
    "CITATION",
    "Pointer",
    "References",
    "Relation",
    "parse_address",
    "pointer_of",
    "pointer_to",
    "references",
]

_PEOPLE = frozenset("pP")
_POINTING = frozenset("aAeEiIq")
# Characters in the tags that `pointer_of` remembers, so that its memory is bounded.
_LONGEST_KEPT = 500
_is_hex = re.compile(r"[0-9a-f]{64}").fullmatch
_ADDRESS = re.compile(r"([0-9]{1,5}):([0-9a-f]{64}):(.*)", re.DOTALL)
CITATION = re.compile(r"#\[(0|[1-9][0-9]{0,5})\]")
"""NIP-08's `#[n]`. More digits than six would be more than any list of tags has places."""


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


# A tuple takes a third of the time to make, and one is made for every event that arrives.
class References(NamedTuple):
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
    """Read the tags of `event`. Never raises: tags that name nothing valid are passed over.

    `quotes` are those of the `q` tags; `content.quotes` adds what only the text names.
    """
    tags = _Tags(event.tags)
    kind = event.kind
    if kind in _TARGETS:
        return _target(_TARGETS[kind], tags)
    if kind == kinds.COMMENT and (comment := _comment(tags)) is not None:
        return comment
    return _note(event, tags)


class _Tags:
    """The `count` tags that point at something, by their names, each with what it points at."""

    # This runs for every event that arrives, and again wherever its thread is put together.
    __slots__ = ("_all", "_hinting", "_hints", "count", "named")

    def __init__(self, tags: Tags) -> None:
        self._all = tags
        self._hinting: list[Tag] = []
        self._hints: dict[str, str] | None = None
        named: dict[str, list[_Pointing]] = {}
        count = 0
        for tag in tags:
            if len(tag) < 2:
                continue
            name = tag[0]
            if name in _PEOPLE:
                if len(tag) > 2 and tag[2]:
                    self._hinting.append(tag)
            elif (pointer := pointer_of(tag)) is not None:
                if name in named:
                    named[name].append((tag, pointer))
                else:
                    named[name] = [(tag, pointer)]
                count += 1
        self.named, self.count = named, count

    def pointer(self, pointing: _Pointing, person: str | None = None) -> Pointer:
        """Return what a tag points at, with the hints of the other tags.

        `person` is its author, unless the tag itself names one.
        """
        pointer = pointing[1]
        author = pointer.author or person
        if author is None or pointer.external is not None:
            return pointer
        hint = self._hint(author) if self._hinting else ""
        is_new = bool(hint) and hint not in pointer.relays
        if author == pointer.author and not is_new:
            return pointer
        relays = (*pointer.relays, hint) if is_new else pointer.relays
        return Pointer(pointer.id, pointer.address, None, author, relays)

    def pointers(self, name: str) -> tuple[Pointer, ...]:
        """All that the tags of one name point at, in order."""
        found = self.named.get(name)
        return tuple([self.pointer(each) for each in found]) if found else ()

    def others(self, names: str, *taken: str) -> tuple[Pointer, ...]:
        """What the tags of these one-letter names point at, without the keys that are `taken`."""
        rest = [
            each for name in names for each in self.named.get(name, ()) if each[1].key not in taken
        ]
        return tuple([self.pointer(each) for each in rest]) if rest else ()

    def first(self, name: str) -> str:
        """Return the first value of any tag called `name`, or nothing."""
        return next((tag[1] for tag in self._all if len(tag) > 1 and tag[0] == name), "")

    def _hint(self, author: str) -> str:
        """One relay an author: a thousand `p` tags must not send us to a thousand relays."""
        if self._hints is None:
            self._hints = {}
            for tag in self._hinting:
                if relay := _relay(tag[2]):
                    self._hints.setdefault(tag[1], relay)
        return self._hints.get(author, "")


def _target(relation: Relation, tags: _Tags) -> References:
    """Reactions name their target last (NIP-25); the others name only targets."""
    pointers = (*tags.pointers("a"), *tags.pointers("e"))
    parent = pointers[-1] if pointers else None
    return References(relation, None, parent, pointers[:-1], tags.pointers("q"))


def _comment(tags: _Tags) -> References | None:
    """NIP-22: upper case is the root's scope, lower case the parent. None without either."""
    root = _scope(tags, "AEI", "P")
    parent = _scope(tags, "aei", "p")
    if root is None and (parent is None or any(_marked(tags))):
        return None
    # NIP-7D leaves the parent out: the comment answers the root.
    parent = parent or root
    # The `e` beside an `a` names the version that was read.
    beside = "e" if parent is not None and parent.address is None else ""
    mentions = tags.others(beside, *(each.key for each in (root, parent) if each is not None))
    return References(Relation.REPLY, root or parent, parent, mentions, tags.pointers("q"))


def _scope(tags: _Tags, names: str, author: str) -> Pointer | None:
    """The first valid tag of a NIP-22 scope; its author may stand in the P or p tag."""
    for name in names:
        if found := tags.named.get(name):
            person = tags.first(author)
            return tags.pointer(found[0], person if _is_hex(person) else None)
    return None


def _note(event: Event, tags: _Tags) -> References:
    """NIP-10. Only kind 1 counts positional tags: elsewhere an unmarked `e` is a mention."""
    root, reply = _marked(tags)
    if root is None and reply is None and event.kind == kinds.NOTE:
        root, reply = _positional(event, tags.named.get("e", ()))
    root, reply = root or reply, reply or root
    if root is None or reply is None:
        return References(Relation.ROOT, None, None, tags.others("ea"), tags.pointers("q"))
    parent = tags.pointer(reply)
    top = parent if root is reply else tags.pointer(root)
    # Most answers name these two, and nothing else.
    is_all = tags.count == (1 if root is reply else 2)
    mentions = () if is_all else tags.others("ea", top.key, parent.key)
    return References(Relation.REPLY, top, parent, mentions, tags.pointers("q"))


def _marked(tags: _Tags) -> tuple[_Pointing | None, _Pointing | None]:
    """The first tags marked root and reply; an address before an id, as it is what lasts."""
    root = reply = None
    for name in ("a", "e"):
        for pointing in tags.named.get(name, ()):
            tag = pointing[0]
            if len(tag) < 4:
                continue
            if tag[3] == "root":
                root = root or pointing
            elif tag[3] == "reply":
                reply = reply or pointing
    return root, reply


def _positional(
    event: Event, pointing: Sequence[_Pointing]
) -> tuple[_Pointing | None, _Pointing | None]:
    unmarked = [each for each in pointing if each[0][3:4] != ("mention",)]
    if "#[" in event.content:
        # NIP-08 cites a tag in the text by its number. When all are cited NIP-10's letter holds:
        # one `e` tag is the id of the event to which this event is a reply.
        cited = _cited(event)
        unmarked = [each for each in unmarked if each[0] not in cited] or unmarked
    return (unmarked[0], unmarked[-1]) if unmarked else (None, None)


def _cited(event: Event) -> frozenset[Tag]:
    """The tags that the text names as `#[n]` (NIP-08), n counting from 0."""
    numbers = {int(match[1]) for match in CITATION.finditer(event.content)}
    return frozenset(event.tags[n] for n in numbers if n < len(event.tags))


def pointer_of(tag: Tag) -> Pointer | None:
    """Return what one tag points at; None for a tag that points at nothing valid."""
    if len(tag) < 2 or tag[0] not in _POINTING:
        return None
    # A thread's events name the same few again and again.
    read = _remembered if len("".join(tag)) <= _LONGEST_KEPT else _read
    return read(tag)


def _read(tag: Tag) -> Pointer | None:
    name, value = tag[0], tag[1]
    if name in ("i", "I"):
        return Pointer(external=value) if value else None
    own = _relay(tag[2]) if len(tag) > 2 and tag[2] else ""
    relays = (own,) if own else ()
    if name not in ("a", "A") and _is_hex(value):
        return Pointer(value, author=_author(tag), relays=relays)
    if name not in ("e", "E") and (address := parse_address(value)) is not None:
        return Pointer(None, value, author=address[1], relays=relays)
    return None


_remembered = lru_cache(maxsize=4096)(_read)


def pointer_to(key: str) -> Pointer:
    """Return the pointer whose key is `key`."""
    if _is_hex(key):
        return Pointer(id=key)
    return Pointer(address=key) if parse_address(key) is not None else Pointer(external=key)


def parse_address(value: str) -> tuple[int, str, str] | None:
    """Take `kind:pubkey:d` apart (NIP-01), or return None when it is no address."""
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match[1]) > 65_535:
        return None
    return int(match[1]), match[2], match[3]


def _author(tag: Tag) -> str | None:
    """The author hint: fifth after a NIP-10 marker, fourth in the other NIPs."""
    for item in tag[3:5]:
        if len(item) == 64 and _is_hex(item):
            return item
    return None


def _relay(url: str) -> str:
    """The relay hint in its one spelling, or nothing."""
    try:
        return normalize(url)
    except InvalidRelayUrl:
        return ""
