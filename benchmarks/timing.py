"""Jobs run in turn, and the table of their ratios.

Knows how to measure on a machine whose speed changes. Knows nothing of what is measured.
"""

from __future__ import annotations

import gc
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Job", "in_turn", "ratio", "table"]

Job: TypeAlias = "Callable[[], float]"
"""Does its work once, and returns the seconds that count."""


def in_turn(jobs: Mapping[str, Job], rounds: int) -> dict[str, list[float]]:
    """Run every job once a round; return the seconds of each, round by round."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            # What the job before has left behind is not this one's cost.
            gc.collect()
            seconds[name].append(job())
    return seconds


def table(seconds: Mapping[str, Sequence[float]], *, unit: str, per: float = 1.0) -> None:
    """Print milliseconds or microseconds (`unit`) a piece, `per` pieces in each job."""
    scale = {"ms": 1e3, "us": 1e6}[unit] / per
    print(f"  {'':48}{'median':>10}{'min':>10}{'max':>10}  {unit}")
    for name, each in seconds.items():
        figures = "".join(f"{scale * of(each):10.2f}" for of in (median, min, max))
        print(f"  {name:48}{figures}")


def ratio(name: str, first: Sequence[float], second: Sequence[float], goal: str) -> None:
    """Print `first` / `second` of each round: the median, the least and the greatest.

    A `goal` "at least 1.4" or "at most 0.3" is said to be reached, or missed, by the median.
    """
    ratios = [one / other for one, other in zip(first, second, strict=True)]
    figures = "".join(f"{of(ratios):10.2f}" for of in (median, min, max))
    print(f"  {name:48}{figures}  {_judged(goal, median(ratios))}")


def _judged(goal: str, value: float) -> str:
    words, _, bound = goal.rpartition(" ")
    # As it is printed: nobody wants to hear that 0.55 misses 0.55.
    value = round(value, 2)
    match words:
        case "at least":
            return f"{goal}: {'reached' if value >= float(bound) else 'MISSED'}"
        case "at most":
            return f"{goal}: {'reached' if value <= float(bound) else 'MISSED'}"
    return goal
