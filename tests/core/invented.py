"""Events that nobody signed, with any id: for code that takes what was verified before."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from nostr_threads.core.event import Event, Verified

if TYPE_CHECKING:
    from nostr_threads.core.event import Tags

__all__ = ["START", "answer", "hex_of", "invented"]

START = 1_700_000_000


def hex_of(name: str) -> str:
    """Return 64 hex digits that stand for a name."""
    return sha256(name.encode()).hexdigest()


def invented(
    name: str,
    *tags: tuple[str, ...],
    kind: int = 1,
    at: int = START,
    by: str = "alice",
    content: str = "",
) -> Verified:
    """Make an event whose id is `hex_of(name)` and whose author is `hex_of(by)`."""
    made = Event(hex_of(name), hex_of(by), at, kind, tags, content or name, "0" * 128)
    return Verified(made)


def answer(
    name: str,
    parent: str,
    root: str | None = None,
    *,
    at: int = START,
    by: str = "alice",
    more: Tags = (),
) -> Verified:
    """Make a kind 1 note with NIP-10's markers; without `root` it names its parent alone."""
    tags: Tags = (("e", hex_of(parent), "", "reply"),)
    if root is not None:
        tags = (("e", hex_of(root), "", "root"), *tags)
    return invented(name, *tags, *more, at=at, by=by)
