"""Whether an event still stands: deleted by its author, expired, hidden by its reader, or present.

Knows NIP-09, NIP-62, NIP-40 and mutes. Knows no clock, and nothing of where an event hangs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nostr_threads.core import kinds
from nostr_threads.core.expiry import expires_at
from nostr_threads.core.mutes import IN_MUTED_THREAD, Mutes
from nostr_threads.core.node import State
from nostr_threads.core.references import references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Verified

__all__ = ["Standing", "Verdict"]

_EVERYWHERE = "ALL_RELAYS"


class Verdict(NamedTuple):
    """The state of an event that is there, and why; `kept` is what it would be if nothing were."""

    state: State
    why: str = ""
    kept: State | None = None


_STANDS = Verdict(State.PRESENT)


class Standing:
    """What the deletions among some events leave of the others.

    `now` (unix seconds) decides what has expired; without it nothing has. With `keep` what was
    deleted or has expired is there all the same, and what it is is told.
    """

    def __init__(
        self,
        events: Iterable[Verified],
        now: int | None = None,
        mutes: Mutes | None = None,
        *,
        keep: bool = False,
    ) -> None:
        self._now = now
        self._keep = keep
        self._mutes = mutes or Mutes()
        self._deletions: dict[tuple[str, str], Verified] = {}
        self._vanished: dict[str, int] = {}
        for event in events:
            if event.kind == kinds.DELETION:
                self._note_deletion(event)
            elif event.kind == kinds.VANISH and _EVERYWHERE in event.tag_values("relay"):
                known = self._vanished.get(event.pubkey, event.created_at)
                self._vanished[event.pubkey] = max(known, event.created_at)

    @property
    def muted_threads(self) -> frozenset[str]:
        """The ids of notes below which everything is hidden."""
        return self._mutes.threads

    def verdict(self, event: Verified, *, in_muted_thread: bool = False) -> Verdict:
        """Return the state of an event that is there. Kept or not, the muted stay hidden."""
        over = self._over(event)
        if over is not None and not self._keep:
            return over
        reason = self._mutes.reason(event)
        if reason is None and in_muted_thread:
            reason = IN_MUTED_THREAD
        if reason is not None:
            return Verdict(State.HIDDEN, reason)
        return _STANDS if over is None else Verdict(State.PRESENT, over.why, over.state)

    def _over(self, event: Verified) -> Verdict | None:
        """What its author has made of an event; None where it stands."""
        if (deletion := self._deletion(event)) is not None:
            return Verdict(State.DELETED, deletion.content or "its author asked for its deletion")
        if self._vanished.get(event.pubkey, -1) >= event.created_at:
            return Verdict(State.DELETED, "its author asked to vanish")
        if self._has_expired(event):
            return Verdict(State.EXPIRED, "its author gave it an end")
        return None

    def _note_deletion(self, deletion: Verified) -> None:
        """Keep the newest for each target; the author is checked when a target is judged."""
        refs = references(deletion)
        for pointer in (refs.parent, *refs.mentions):
            if pointer is not None:
                at = deletion.pubkey, pointer.key
                known = self._deletions.get(at, deletion)
                self._deletions[at] = max(known, deletion, key=lambda e: (e.created_at, e.id))

    def _deletion(self, event: Verified) -> Verified | None:
        """The author's own kind 5 for the id, or for the address up to its time (NIP-09)."""
        by_id = self._deletions.get((event.pubkey, event.id))
        if by_id is not None:
            return by_id
        by_address = self._deletions.get((event.pubkey, kinds.address_of(event) or ""))
        if by_address is not None and by_address.created_at >= event.created_at:
            return by_address
        return None

    def _has_expired(self, event: Verified) -> bool:
        if self._now is None:
            return False
        end = expires_at(event)
        return end is not None and end <= self._now
