"""When a thread was written, as bars: one for each stretch of time.

Knows numbers. How bars are drawn is the template's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.render.html.entries import time_of
from nostr_threads.render.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.render.html.entries import Time

__all__ = ["Bar", "Plot", "plot"]

_BARS = 48
_HEIGHT = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time: its place from 0, its height of `Plot.height`, and what it says."""

    place: int
    height: int
    words: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars of a thread from its first note to its last, and the same in words."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    first: Time
    last: Time
    words: str


def plot(times: Sequence[int], among: Sequence[int] = ()) -> Plot | None:
    """Return the notes written at `times` (unix seconds) by stretches of equal length.

    With `among`, of all of which they are some, it covers the time of these. None where that is one
    second. A few that are far off leave the others in one bar: nothing is left out.
    """
    whole = among or times
    if not whole or (first := min(whole)) == (last := max(whole)):
        return None
    width = -(-(last - first + 1) // _BARS)
    heights: dict[int, int] = {}
    for each in times:
        place = (each - first) // width
        heights[place] = heights.get(place, 0) + 1
    most = max(heights.values(), default=1)
    bars = tuple(
        Bar(
            place,
            # One note among thousands is still to be seen.
            max(1, round(number * _HEIGHT / most)),
            f"{time_of(first + place * width, None).words}: {counted(number, 'note')}",
        )
        for place, number in sorted(heights.items())
    )
    ends = time_of(first, None), time_of(last, None)
    words = f"{counted(len(times), 'note')} from {ends[0].words} to {ends[1].words}"
    return Plot(bars, _BARS, _HEIGHT, *ends, words)
