"""What became of a part at a relay, and when it is tried again.

Knows the outcomes, which are final, and how long to wait after a failure. Knows nothing of how they
came about, and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from nostr_threads.core.wire import prefix_of

__all__ = ["GIVE_UP_AFTER", "Delivery", "Status", "after_failure"]

GIVE_UP_AFTER = 7 * 24 * 3600
"""Seconds after which nobody tries again by itself."""

_MINUTE, _HOUR = 60, 3600
# Seconds after the first failure, the second, and so on; the last one again and again.
_PAUSES = (
    *(_MINUTE, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 6 * _HOUR, 12 * _HOUR, 24 * _HOUR),
)
# A pause grows by up to this share: those whom one relay failed do not all come back at once.
_SPREAD = 0.25


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
    GIVEN_UP = "given-up"
    """Tried for days; nobody tries again by itself."""
    CANCELLED = "cancelled"
    """Its author wants it sent no more; no relay had taken it."""

    @property
    def taken(self) -> bool:
        """Whether the relay has the part, as far as anybody knows."""
        return self in (Status.STORED, Status.ACCEPTED, Status.DUPLICATE)

    @property
    def arrived(self) -> bool:
        """Whether the relay has the part, had it, or may have it: it cannot be called back."""
        return self.taken or self in (Status.LOST, Status.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One part at one relay. `part` counts from 1; `reason` is the relay's own words, hostile.

    `tries` counts the sendings that failed in a row, 0 after a success; before `retry_at` (unix
    seconds) it is not tried again by itself.
    """

    part: int
    relay: str
    status: Status
    reason: str = ""
    tries: int = 0
    retry_at: int = 0

    @property
    def final(self) -> bool:
        """Whether nothing is left to do: read back, rejected for good, given up or cancelled."""
        if self.status is Status.REJECTED:
            return prefix_of(self.reason) not in _PASSING
        return self.status in _FINAL

    def due(self, now: int) -> bool:
        """Whether something is left to do, and the time for it has come."""
        return not self.final and self.retry_at <= now


def after_failure(delivery: Delivery, *, now: int, since: int, jitter: float) -> Delivery:
    """Count one more failed try, and say when the next is due, or that there is none.

    `now` and `since` (the posting's `created_at`) are unix seconds; `jitter`, from 0 to 1, spreads
    the pauses. More than `GIVE_UP_AFTER` seconds after `since` the delivery is given up, with its
    last reason. What a relay has taken is never given up: its word stands, and only reading back
    has failed. What is final stays as it is.
    """
    if delivery.final:
        return delivery
    tries = delivery.tries + 1
    if now - since > GIVE_UP_AFTER and not delivery.status.taken:
        return replace(delivery, status=Status.GIVEN_UP, tries=tries, retry_at=0)
    pause = _PAUSES[min(tries, len(_PAUSES)) - 1]
    return replace(delivery, tries=tries, retry_at=now + round(pause * (1 + _SPREAD * jitter)))


_FINAL = frozenset((Status.STORED, Status.GIVEN_UP, Status.CANCELLED))
# Reasons that time, an identity or a better connection may mend (NIP-01, NIP-42).
_PASSING = frozenset(("rate-limited", "auth-required", "error"))
