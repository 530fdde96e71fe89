"""How an event says what it answers: the kind it must have, and the tags that name root and parent.

Knows NIP-10 (kind 1 under kind 1) and NIP-22 (kind 1111 under everything else). Knows nothing of
who else is called, and nothing of parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.references import parse_address, references

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.event import Event, Tag, Tags
    from nostr_threads.core.references import Pointer

__all__ = ["Target", "answering", "stands_flat", "trimmed"]

# The tags of a comment's root, and what tells a valid value.
_ROOT_SCOPE: dict[str, Callable[[str], object]] = {
    "A": parse_address,
    "E": HEX_64.fullmatch,
    "I": bool,
    "K": bool,
    "P": HEX_64.fullmatch,
}


@dataclass(frozen=True, slots=True)
class Target:
    """The event that is answered, and a relay URL where others may find it ("" if unknown)."""

    event: Event
    relay: str = ""


def answering(target: Target) -> tuple[int, Tags]:
    """Return the kind an answer to `target` must have, and the tags that say what it answers.

    With NIP-22 they name the parent's author too, which is a must of it; NIP-10's name nobody.
    """
    if target.event.kind == kinds.NOTE:
        return kinds.NOTE, _nip10(target)
    return kinds.COMMENT, _nip22(target)


def stands_flat(event: Event) -> bool:
    """Whether answers to `event` are to stand side by side: in forum threads (NIP-7D)."""
    if event.kind == kinds.COMMENT:
        return next(iter(event.tag_values("K")), "") == str(kinds.FORUM_THREAD)
    return event.kind == kinds.FORUM_THREAD


def trimmed(tag: Tag) -> Tag:
    """Leave out empty values at the end of a tag."""
    while not tag[-1]:
        tag = tag[:-1]
    return tag


def _nip10(target: Target) -> Tags:
    """A direct answer to the root has one marked tag; others name the root, then the parent."""
    event, refs = target.event, references(target.event)
    if refs.root is None:
        return (("e", event.id, target.relay, "root", event.pubkey),)
    root = refs.root
    name = "e" if root.id is not None else "a"
    hint = root.relays[0] if root.relays else target.relay
    return (
        trimmed((name, root.key, hint, "root", root.author or "")),
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
        return (trimmed((name, root.key, hint, root.author or "")), said.get("K", ("K", kind)))
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
    named: list[Tag] = [trimmed(("e", event.id, relay, event.pubkey))]
    if (address := kinds.address_of(event)) is not None:
        # The address is what lasts; the id says which version was read.
        named.insert(0, trimmed(("a", address, relay)))
    return (*named, ("k", str(event.kind)), trimmed(("p", event.pubkey, relay)))
