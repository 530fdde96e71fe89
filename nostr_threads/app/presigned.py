"""A plan that is signed elsewhere, at once: whoever has the key is given drafts and brings events.

Knows that exactly what was planned must come back, signed. Knows nothing of who signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from nostr_threads.core.event import verify
from nostr_threads.errors import InvalidEvent, InvalidInput, NoSigner, SigningError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Draft, Event, Verified

__all__ = ["Presigned"]


class Presigned:
    """A `Signer` for `drafts` alone, which `events` are, in order, signed by `public_key`.

    Raises `InvalidInput` for events that are not these drafts, or whose signature is wrong.
    """

    def __init__(self, public_key: str, drafts: Sequence[Draft], events: Sequence[Event]) -> None:
        self.public_key = public_key
        if len(events) != len(drafts):
            raise InvalidInput(f"{len(events)} events came back for {len(drafts)} drafts")
        self._signed = {
            event.id: event
            for place, (draft, event) in enumerate(zip(drafts, events, strict=True), 1)
            for event in [_checked(place, draft.id_for(public_key), event)]
        }

    async def sign(self, draft: Draft) -> Verified:
        """Return the event that was signed for `draft`. Raises `SigningError`."""
        try:
            return self._signed[draft.id_for(self.public_key)]
        except KeyError:
            raise SigningError("this was not among what was signed") from None

    async def nip44_encrypt(self, peer: str, text: str) -> NoReturn:  # noqa: ARG002 - the Protocol's
        """Raise `NoSigner`: there is no key here."""
        raise NoSigner(f"there is no key here to encrypt for {peer[:8]}")

    async def nip44_decrypt(self, peer: str, payload: str) -> NoReturn:  # noqa: ARG002 - the Protocol's
        """Raise `NoSigner`: there is no key here."""
        raise NoSigner(f"there is no key here to read what {peer[:8]} wrote")

    async def close(self) -> None:
        """Do nothing: there is no key to let go of."""


def _checked(place: int, wanted: str, event: Event) -> Verified:
    if event.id != wanted:
        raise InvalidInput(
            f"part {place} came back changed: it was signed as another text, time or tag"
        )
    try:
        return verify(event)
    except InvalidEvent as error:
        raise InvalidInput(f"part {place}: {error.reason}") from None
