"""A signer elsewhere that has to be waited for: a person is told, once.

Knows how long nobody wonders. Knows nothing of what is asked, or of how it is answered.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nostr_threads.cli.console import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.signing import Signer

__all__ = ["Awaited"]

_SECONDS = 3.0


class Awaited:
    """Passes everything on to `signer`, and says when that takes its time."""

    __slots__ = ("_is_told", "_signer")

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._is_told = False

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits."""
        return self._signer.public_key

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `SigningError`."""
        with self._patience():
            return await self._signer.sign(draft)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt `text` for `peer` (NIP-44). Raises as `Signer` does."""
        with self._patience():
            return await self._signer.nip44_encrypt(peer, text)

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share (NIP-44). Raises as `Signer` does."""
        with self._patience():
            return await self._signer.nip44_decrypt(peer, payload)

    async def close(self) -> None:
        """Close the signer."""
        await self._signer.close()

    def __repr__(self) -> str:
        return f"Awaited({self._signer!r})"

    @contextmanager
    def _patience(self) -> Iterator[None]:
        telling = asyncio.get_running_loop().call_later(_SECONDS, self._tell)
        try:
            yield
        finally:
            telling.cancel()

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            say("waiting for the bunker: somebody may have to say yes there")
