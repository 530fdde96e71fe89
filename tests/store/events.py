"""Events for the store's tests: real ids, and no signatures, as `Verified` is the store's proof."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from nostr_threads.core.event import Draft, Event, Verified

if TYPE_CHECKING:
    from nostr_threads.core.event import Tag

NOW = 1_800_000_000
THEN = 1_700_000_000

ALICE, BOB, CAROL = (sha256(name).hexdigest() for name in (b"alice", b"bob", b"carol"))
UNKNOWN = sha256(b"never stored").hexdigest()


def made(
    kind: int = 1, *tags: Tag, author: str = ALICE, at: int = THEN, content: str = ""
) -> Verified:
    draft = Draft(at, kind, tags, content)
    event_id = draft.id_for(author)
    return Verified(Event(event_id, author, at, kind, tags, content, "0" * 128))


def reply(parent: str, root: str, *, author: str = BOB, at: int = THEN, text: str = "") -> Verified:
    """A NIP-10 reply to an id below a root that it claims."""
    tags: list[Tag] = [("e", root, "", "root")]
    if parent != root:
        tags.append(("e", parent, "", "reply"))
    return made(1, *tags, author=author, at=at, content=text)


def comment(parent: str, root: str, *, author: str = CAROL, text: str = "") -> Verified:
    """A NIP-22 comment on an id, an address or an external id."""
    return made(
        1111, (_letter(root).upper(), root), (_letter(parent), parent), content=text, author=author
    )


def article(d: str = "a", *tags: Tag, at: int = THEN, author: str = ALICE) -> Verified:
    return made(30023, ("d", d), *tags, at=at, author=author)


def address(d: str = "a", author: str = ALICE) -> str:
    return f"30023:{author}:{d}"


def deletion(*tags: Tag, author: str = ALICE, at: int = THEN) -> Verified:
    return made(5, *tags, author=author, at=at)


def _letter(key: str) -> str:
    if key.startswith("https:"):
        return "i"
    return "a" if ":" in key else "e"
