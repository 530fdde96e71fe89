"""Messages between a client and a signer elsewhere, sealed into events and opened again (NIP-46).

Knows the event that carries one. What is in a message is `core.nip46`'s to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nostr_threads.core import kinds
from nostr_threads.core.event import Draft
from nostr_threads.errors import CannotDecrypt

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.signing.signer import Signer

__all__ = ["Wire", "open_sealed", "plain", "seal"]

_LONGEST_WORDS = 300


class Wire(Protocol):
    """The relays over which one end reaches the other."""

    async def send(self, event: Verified) -> None:
        """Send an event to all of them. Raises `BunkerError` when none takes it."""
        ...

    def move(self, relays: tuple[str, ...]) -> None:
        """Go on at other relays, by their URLs."""
        ...

    def refusal(self) -> str:
        """Return which relay has refused something and why, fit to be shown; "" for none."""
        ...


async def seal(text: str, own: Signer, peer: str, now: int) -> Verified:
    """Encrypt a message for `peer` and sign it with one's own key, dated `now` (unix seconds)."""
    payload = await own.nip44_encrypt(peer, text)
    return await own.sign(Draft(now, kinds.REMOTE_SIGNING, (("p", peer),), payload))


async def open_sealed(event: Verified, own: Signer) -> str | None:
    """Return the message in an event that is for `own`, None where there is none."""
    if event.kind != kinds.REMOTE_SIGNING or own.public_key not in event.tag_values("p"):
        return None
    try:
        return await own.nip44_decrypt(event.pubkey, event.content)
    except CannotDecrypt:
        return None


def plain(words: str, *, most: int = _LONGEST_WORDS, nothing: str = "nothing") -> str:
    """Return a stranger's words for an error or a log: one line, cut, nothing that moves a cursor.

    `nothing` stands for no words at all.
    """
    cut = words[:most] + ("…" if len(words) > most else "")
    return "".join(each if each.isprintable() else " " for each in cut).strip() or nothing
