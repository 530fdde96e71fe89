"""Parts and what they answer, made into a chain of drafts with the right tags.

Knows NIP-10 (kind 1 under kind 1) and NIP-22 (kind 1111 under everything else), who is notified,
and how large the signed events become. Knows nothing of where a text is cut, and signs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.content import mention_tags
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.event import Draft, Event
from nostr_threads.core.join import PART_TAG_BYTES, Part
from nostr_threads.core.references import parse_address, references
from nostr_threads.core.split import Limit, split
from nostr_threads.errors import LimitTooSmall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.core.event import Tag, Tags
    from nostr_threads.core.references import Pointer

__all__ = ["Target", "compose", "event_bytes", "split_for"]

MAX_NOTIFIED = 100
"""People tagged by the first part at most; a thread of thousands is no reason to call them all."""

# The tags of a comment's root, and what tells a valid value.
_ROOT_SCOPE: dict[str, Callable[[str], object]] = {
    "A": parse_address,
    "E": HEX_64.fullmatch,
    "I": bool,
    "K": bool,
    "P": HEX_64.fullmatch,
}
# How often a text is cut again to make room for the tags of its mentions.
_ROUNDS = 40
# A time as long as those of this century are: sizes are measured with it.
_SOME_TIME = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """The event that is answered, and a relay URL where others may find it ("" if unknown)."""

    event: Event
    relay: str = ""


def compose(
    parts: Sequence[Part],
    *,
    author: str,
    created_at: int,
    target: Target | None = None,
    relay: str = "",
) -> list[Draft]:
    """Return one draft a part: the first answers `target`, each other the one before it.

    `author` is the key (64 hex digits) that will sign: the ids of the chain depend on it.
    `created_at` (unix seconds) is the first part's, and one second more for each part, so that what
    is sorted by time is in order. `relay` is a URL at which the parts will be found. People are
    tagged once, by the first part.
    """
    drafts: list[Draft] = []
    before = target
    for part in parts:
        kind, place = _place(before)
        notified = () if drafts else _notified(target, author)
        part_tag = (part.tag(),) if part.needs_tag else ()
        tags = _once((*place, *notified, *mention_tags(part.text), *part_tag))
        draft = Draft(created_at + len(drafts), kind, tags, part.text)
        drafts.append(draft)
        before = Target(_as_event(draft, author), relay)
    return drafts


def split_for(
    text: str,
    limit: Limit,
    *,
    author: str,
    marker: str,
    target: Target | None = None,
    relay: str = "",
) -> list[Part]:
    """Split so that every signed event obeys `limit`, whose `bytes` are those of the whole JSON.

    Raises `LimitTooSmall` when the tags alone exceed it, and what `split` raises.
    """
    if limit.bytes is None:
        return split(text, limit, marker=marker)
    tight = replace(limit, overhead=_bare_bytes(author, target, relay) + PART_TAG_BYTES)
    for _ in range(_ROUNDS):
        parts = split(text, tight, marker=marker)
        drafts = compose(parts, author=author, created_at=_SOME_TIME, target=target, relay=relay)
        # How many people and notes a part mentions is known only once it is cut.
        excess, size = max(
            (event_bytes(draft) - limit.bytes, part.bytes)
            for draft, part in zip(drafts, parts, strict=True)
        )
        if excess <= 0:
            return parts
        # A mention that is left out takes its tag along: half the excess may be enough.
        tight = replace(tight, overhead=limit.bytes - (size - excess // 2 - 1))
    raise LimitTooSmall(f"tags and mentions do not fit into {limit.bytes} bytes; raise the limit")


def event_bytes(draft: Draft) -> int:
    """Return the bytes of the JSON of the event that signing `draft` will give."""
    return len(_as_event(draft, "0" * 64).to_json().encode())


def _bare_bytes(author: str, target: Target | None, relay: str) -> int:
    """The bytes of the largest event of the chain, without content and `part` tag."""
    empty = [Part(1, 2, ""), Part(2, 2, "")]
    drafts = compose(empty, author=author, created_at=_SOME_TIME, target=target, relay=relay)
    return max(event_bytes(draft) for draft in drafts)


def _as_event(draft: Draft, author: str) -> Event:
    """The event a draft becomes, all but its signature."""
    return Event(
        draft.id_for(author),
        author,
        draft.created_at,
        draft.kind,
        draft.tags,
        draft.content,
        "0" * 128,
    )


def _place(before: Target | None) -> tuple[int, Tags]:
    """The kind and the tags that say what a part answers."""
    if before is None:
        return kinds.NOTE, ()
    if before.event.kind == kinds.NOTE:
        return kinds.NOTE, _nip10(before)
    return kinds.COMMENT, _nip22(before)


def _nip10(target: Target) -> Tags:
    """A direct answer to the root has one marked tag; others name the root, then the parent."""
    event, refs = target.event, references(target.event)
    if refs.root is None:
        return (("e", event.id, target.relay, "root", event.pubkey),)
    root = refs.root
    name = "e" if root.id is not None else "a"
    hint = root.relays[0] if root.relays else target.relay
    return (
        _trim((name, root.key, hint, "root", root.author or "")),
        ("e", event.id, target.relay, "reply", event.pubkey),
    )


def _nip22(target: Target) -> Tags:
    """The root's scope in upper case, the parent in lower case, each with its kind and author."""
    own = _scope(target)
    root = _root_scope(target.event) if target.event.kind == kinds.COMMENT else ()
    if not root:
        addressed = own[0][0] == "a"
        root = tuple((tag[0].upper(), *tag[1:]) for tag in own if tag[0] != "e" or not addressed)
    return (*root, *own)


def _root_scope(comment: Event) -> Tags:
    """What a comment says of its root, each thing once; what is broken is not passed on."""
    said: dict[str, Tag] = {}
    for tag in comment.tags:
        if len(tag) > 1 and tag[0] in _ROOT_SCOPE and _ROOT_SCOPE[tag[0]](tag[1]):
            said.setdefault(tag[0], tag)
    root = references(comment).root
    if root is None or not root.key:
        return ()
    if said.keys().isdisjoint("AEI"):
        # Against NIP-22, and seen all the same: only the parent is named, or as NIP-10 does.
        name = "E" if root.id is not None else "A" if root.address is not None else "I"
        kind = next(iter(comment.tag_values("k")), str(kinds.NOTE))
        hint = root.relays[0] if root.relays else ""
        return (_trim((name, root.key, hint, root.author or "")), said.get("K", ("K", kind)))
    # The root's kind is a must of NIP-22, whether or not the comment said it.
    said.setdefault("K", ("K", _kind_of(root, comment)))
    return tuple(said.values())


def _kind_of(root: Pointer, comment: Event) -> str:
    if root.address is not None:
        return root.address.partition(":")[0]
    parent = references(comment).parent
    named = comment.tag_values("k") if parent is not None and parent.key == root.key else ()
    return next(iter(named), str(kinds.NOTE))


def _scope(target: Target) -> Tags:
    event, relay = target.event, target.relay
    named: list[Tag] = [_trim(("e", event.id, relay, event.pubkey))]
    if (address := kinds.address_of(event)) is not None:
        # The address is what lasts; the id says which version was read.
        named.insert(0, _trim(("a", address, relay)))
    return (*named, ("k", str(event.kind)), _trim(("p", event.pubkey, relay)))


def _notified(target: Target | None, author: str) -> Tags:
    """Those who take part in the conversation so far (NIP-10), without the author.

    NIP-22 names the parent's author only, which its scope does.
    """
    if target is None or target.event.kind != kinds.NOTE:
        return ()
    people = dict.fromkeys((target.event.pubkey, *target.event.tag_values("p")))
    # Relays refuse a note for one broken `p` tag, and this one would be a stranger's.
    valid = (person for person in people if person != author and HEX_64.fullmatch(person))
    return tuple(("p", person) for person in islice(valid, MAX_NOTIFIED))


def _once(tags: Tags) -> Tags:
    """Leave out `p` tags for people who are tagged already."""
    called: set[str] = set()
    kept = []
    for tag in tags:
        if tag[0] != "p":
            kept.append(tag)
        elif tag[1] not in called:
            called.add(tag[1])
            kept.append(tag)
    return tuple(kept)


def _trim(tag: Tag) -> Tag:
    while not tag[-1]:
        tag = tag[:-1]
    return tag
