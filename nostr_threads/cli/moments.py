"""Moments as people type them: how long from now, a date, or unix seconds.

Knows the forms. Reads no clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from nostr_threads.errors import InvalidInput

__all__ = ["moment"]

_FROM_NOW = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNIX = re.compile(r"[0-9]{9,11}")
_FORMS = "7d, 12h, 2026-12-31, 2026-12-31T10:00Z or unix seconds"


def moment(text: str, now: int) -> int:
    """Return the unix seconds that `text` names: `7d` from `now`, a date, or a number.

    A date is its first second, and a time without a zone is UTC. Raises `InvalidInput` for anything
    else, and for what is not after `now`.
    """
    if (match := _FROM_NOW.fullmatch(text)) is not None:
        found = now + int(match[1]) * _SECONDS[match[2]]
    elif _UNIX.fullmatch(text):
        found = int(text)
    else:
        found = _date(text)
    if found <= now:
        raise InvalidInput(f"{text!r} is over already")
    return found


def _date(text: str) -> int:
    try:
        date = datetime.fromisoformat(text)
        return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise InvalidInput(f"{text!r} is no moment: write {_FORMS}") from None
