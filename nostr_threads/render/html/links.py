"""Where the links of a page lead: to pages of the viewer, or to places of one file.

Knows anchors and codes. Knows nothing of what is linked.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from nostr_threads.core.entities import HEX_64
from nostr_threads.render.wording import code_of, npub

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["InFile", "Links", "anchor"]


class Links(Protocol):
    """Where a page's links lead; "" where nothing is to be linked."""

    def note(self, key: str) -> str:
        """Return where the event of a key (id, address or external id) is shown in its thread."""

    def article(self, key: str) -> str:
        """Return where a long text can be read by itself."""

    def person(self, pubkey: str) -> str:
        """Return where more is said of somebody."""

    def hashtag(self, name: str) -> str:
        """Return where all notes of a hashtag are."""

    def picture(self, url: str) -> str:
        """Return where a picture is shown once somebody asks for it."""


def anchor(key: str) -> str:
    """Return the id that an element has for the event of a key: ids as they are, others hashed."""
    return f"n-{key if HEX_64.fullmatch(key) else sha256(key.encode()).hexdigest()}"


class InFile:
    """The links of a file that stands alone: to the notes in it, else NIP-21's `nostr:` links."""

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = keys

    def note(self, key: str) -> str:
        """Return its place in the file, or the link that a client opens."""
        if key in self._keys:
            return f"#{anchor(key)}"
        code = code_of(key)
        return f"nostr:{code}" if code else ""

    def article(self, key: str) -> str:  # noqa: ARG002 - the Protocol's: it is in the file
        """Return nothing: all of it is in the file."""
        return ""

    def person(self, pubkey: str) -> str:
        """Return the link that a client opens."""
        return f"nostr:{npub(pubkey)}"

    def hashtag(self, name: str) -> str:  # noqa: ARG002 - the Protocol's: a file cannot be asked
        """Return nothing: the file has this thread alone."""
        return ""

    def picture(self, url: str) -> str:  # noqa: ARG002 - the Protocol's: it would not be alone
        """Return nothing: the link itself has to do."""
        return ""
