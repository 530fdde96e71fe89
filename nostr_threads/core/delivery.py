"""What became of a part at a relay.

Knows the outcomes and which are final. Knows nothing of how they came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from nostr_threads.core.wire import prefix_of

__all__ = ["Delivery", "Status"]


class Status(Enum):
    """What became of one part at one relay."""

    QUEUED = "queued"
    """Signed and kept, not sent yet."""
    STORED = "stored"
    """Accepted, and read back by its id."""
    ACCEPTED = "accepted"
    """The relay said OK; it could not be asked whether it has it."""
    DUPLICATE = "duplicate"
    """The relay said that it had it before; not read back."""
    REJECTED = "rejected"
    """The relay said no."""
    NO_ANSWER = "no-answer"
    """Sent, and nothing came back in time."""
    UNREACHABLE = "unreachable"
    LOST = "lost"
    """The relay said OK and does not have it."""

    @property
    def taken(self) -> bool:
        """Whether the relay has the part, as far as anybody knows."""
        return self in (Status.STORED, Status.ACCEPTED, Status.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One part at one relay. `part` counts from 1; `reason` is the relay's own words, hostile."""

    part: int
    relay: str
    status: Status
    reason: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing is left to do: it was read back, or will be rejected again."""
        if self.status is Status.REJECTED:
            return prefix_of(self.reason) not in _PASSING
        return self.status is Status.STORED


# Reasons that time, an identity or a better connection may mend (NIP-01, NIP-42).
_PASSING = frozenset(("rate-limited", "auth-required", "error"))
