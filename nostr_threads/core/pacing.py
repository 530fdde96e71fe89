"""How fast a relay takes events: learned from what it refuses, and from what its software is like.

Knows how a gap grows and shrinks, and what well-known relays do unless told otherwise. Reads no
clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Pace", "usual_gap"]

# Seconds.
_FIRST_GAP = 1.0
_LONGEST_GAP = 60.0
_SHORTEST_GAP = 0.1
_EASING = 0.8
_SECONDS = re.compile(r"\b(\d{1,3}) ?(?:s|sec|secs|seconds?)\b")

# Seconds between two notes that a relay takes once its allowance is used up, as its software comes:
# khatru's ApplySaneDefaults (2 in 3 minutes after the first 10), the inbox of haven's .env.example
# (10 a minute after 20), nostream's default-settings.yaml (12 a minute). Others come without one.
_USUAL = (("khatru", 90.0), ("haven", 6.0), ("nostream", 5.0))


def usual_gap(software: str) -> float:
    """Return how many seconds relays of that `software` (NIP-11) want between notes, 0 if unknown.

    Told only by a relay's first refusal: its owner may have set another limit, or none.
    """
    name = software.lower()
    return next((gap for known, gap in _USUAL if known in name), 0.0)


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

    def refused(self, reason: str, *, usual: float = 0.0) -> Pace:
        """Return the pace after a `rate-limited:`: twice as slow, or what the relay asks for.

        Where it does not say, `usual` is the least (see `usual_gap`), which may be longer than a
        minute; otherwise a gap is not.
        """
        asked = max((float(found) for found in _SECONDS.findall(reason)), default=0.0)
        longer = min(_LONGEST_GAP, max(_FIRST_GAP, 2 * self.gap, asked))
        return Pace(longer if asked else max(longer, usual), self.sent_at)

    def taken(self) -> Pace:
        """Return the pace after an event was taken: a little faster."""
        gap = self.gap * _EASING
        return Pace(gap if gap >= _SHORTEST_GAP else 0.0, self.sent_at)
