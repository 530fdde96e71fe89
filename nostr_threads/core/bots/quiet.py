"""The hours in which a bot says nothing.

Knows how they are written, and when they end. Knows no clock, and the time zone
that it is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

__all__ = ["Quiet", "parse_quiet", "quiet_until"]

_DAY = 24 * 60
_HOURS = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-4]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `start` up to, not including, `end`, in minutes of the day on the wall (0 to 1439).

    An `end` before `start` is on the next day.
    """

    start: int
    end: int

    def __str__(self) -> str:
        return "-".join(f"{at // 60:02}:{at % 60:02}" for at in (self.start, self.end))

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day is one of these."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def parse_quiet(text: str) -> Quiet:
    """Read "22:00-07:00". Raises `InvalidInput`; also for hours that never end."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise InvalidInput('quiet hours are written "22:00-07:00"')
    start, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
    if start >= _DAY or end > _DAY:
        raise InvalidInput("a day ends at 24:00")
    if start == end % _DAY:
        raise InvalidInput("these quiet hours never end")
    return Quiet(start, end % _DAY)


def quiet_until(hours: Sequence[Quiet], now: int, zone: tzinfo = UTC) -> int | None:
    """Return when it is quiet no more (unix seconds, after `now`), or None if it is not quiet.

    Hours that follow each other count as one. Where they leave no gap it is a day from `now`.
    """
    at = now
    for _ in range(2 * len(hours) + 1):
        holding = next((each for each in hours if each.holds(_minute(at, zone))), None)
        if holding is None:
            return at if at > now else None
        at = _end(holding, at, zone)
    return now + _DAY * 60


def _minute(at: int, zone: tzinfo) -> int:
    local = datetime.fromtimestamp(at, zone)
    return local.hour * 60 + local.minute


def _end(hours: Quiet, at: int, zone: tzinfo) -> int:
    local = datetime.fromtimestamp(at, zone)
    end = local.replace(hour=hours.end // 60, minute=hours.end % 60, second=0, microsecond=0)
    if (end.hour, end.minute) <= (local.hour, local.minute):
        end += timedelta(days=1)
    # When clocks are set back an hour comes twice, and what was reckoned may be over already.
    until = int(end.timestamp())
    return until if until > at else at + 60
