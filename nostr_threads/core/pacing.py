"""How fast a relay takes events: learned from what it refuses.

Knows how a gap grows and shrinks. Reads no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Pace"]

# Seconds.
_FIRST_GAP = 1.0
_LONGEST_GAP = 60.0
_SHORTEST_GAP = 0.1
_EASING = 0.8
_SECONDS = re.compile(r"\b(\d{1,3}) ?(?:s|sec|secs|seconds?)\b")


@dataclass(frozen=True, slots=True)
class Pace:
    """What a relay has taught: `gap` is how many seconds pass between two events sent to it.

    `sent_at` is when the last was sent, on any clock that does not jump.
    """

    gap: float = 0.0
    sent_at: float = float("-inf")

    def wait(self, now: float) -> float:
        """Return how many seconds have to pass before the next event, never more than the gap."""
        return min(self.gap, max(0.0, self.sent_at + self.gap - now))

    def sent(self, now: float) -> Pace:
        """Return the pace after an event was sent."""
        return Pace(self.gap, now)

    def refused(self, reason: str) -> Pace:
        """Return the pace after a `rate-limited:`: twice as slow, or what the relay asks for."""
        asked = max((float(found) for found in _SECONDS.findall(reason)), default=0.0)
        return Pace(min(_LONGEST_GAP, max(_FIRST_GAP, 2 * self.gap, asked)), self.sent_at)

    def taken(self) -> Pace:
        """Return the pace after an event was taken: a little faster."""
        gap = self.gap * _EASING
        return Pace(gap if gap >= _SHORTEST_GAP else 0.0, self.sent_at)
