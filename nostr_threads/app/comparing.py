"""Which relays may find out what they and we do not share (NIP-77).

Knows what a relay says of itself, and which have failed since. How it is done is `net`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.app.documents import Documents

__all__ = ["Comparing"]

_NEGENTROPY = 77


class Comparing:
    """One for all jobs: a relay that says nothing of itself is tried once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._unable: set[str] = set()

    async def may(self, url: str) -> bool:
        """Whether a relay says that it can, or does not say what it can, and has not failed yet."""
        nips = (await self._documents.of(url)).supported_nips
        return _NEGENTROPY in nips or (not nips and url not in self._unable)

    def failed(self, url: str) -> None:
        """Note that a relay did not do it: unless it says that it can, it is not tried again."""
        self._unable.add(url)
