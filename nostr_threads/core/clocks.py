"""Whose clock is wrong: ours against those of the relays, and complaints about time.

Knows how far clocks may differ, and the words of relays. Reads no clock.
"""

from __future__ import annotations

import re
from math import isfinite
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["about_time", "skewed"]

# Seconds. Relays agree when their clocks differ by no more than this.
_AGREEMENT = 30.0
_NOTICEABLE = 60.0
# A single relay is as likely to be wrong as we are, unless it is this much.
_NOTICEABLE_ALONE = 600.0

_MOST_WORDS = 300
_TIME = re.compile(
    r"created[_ ]?at|creation (?:date|time)|time ?stamp|system clock"
    r"|in the (?:future|past)|event (?:is )?too (?:old|new|early|late)"
)
# About a time that the author has chosen, not about the clock (NIP-40); and no time at all.
_OTHER = re.compile(r"expir|missing|not an? (?:integer|number)")


def skewed(skews: Mapping[str, float]) -> float | None:
    """Return by how many seconds relays say that our clock is slow; None: it seems right.

    `skews` tells how many seconds each relay, by URL, is ahead of us. Our clock is wrong when most
    of at least two relays agree within 30 seconds that it is off by more than 60, or when a single
    relay says that it is off by more than 600. Negative: our clock is fast.
    """
    said = sorted(skew for skew in skews.values() if isfinite(skew))
    if len(said) < 2:
        return next((skew for skew in said if abs(skew) > _NOTICEABLE_ALONE), None)
    agreeing = max(_neighbours(said), key=len)
    off = median(agreeing)
    is_most = 2 * len(agreeing) > len(said)
    return off if is_most and len(agreeing) > 1 and abs(off) > _NOTICEABLE else None


def about_time(reason: str) -> bool:
    """Whether a relay's reason for refusing an event is that it is too old or in the future."""
    said = reason[:_MOST_WORDS].lower()
    return _TIME.search(said) is not None and _OTHER.search(said) is None


def _neighbours(ordered: list[float]) -> Iterable[list[float]]:
    """For each clock those that are ahead of it by no more than they may differ, and itself."""
    for index, least in enumerate(ordered):
        yield [skew for skew in ordered[index:] if skew - least <= _AGREEMENT]
