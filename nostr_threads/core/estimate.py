"""How many events there probably are in all, from how the answers of relays overlap.

Knows sets of ids. Knows nothing of how they were fetched, or of which answers were complete.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["Estimate", "estimate"]

# The normal quantile of a 95% interval.
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many events there are in all, seen or not; `low` to `high` is the 95% interval.

    Never less than what was seen: seen <= low <= total <= high.
    """

    total: int
    low: int
    high: int


def estimate(samples: Sequence[Collection[str]]) -> Estimate | None:
    """Estimate the number of events from what each relay had that answered completely: Chao2.

    Each sample holds the ids of one relay, and may be empty. None with fewer than two samples, or
    when nobody had anything. The estimate is Chao2 (Chao 1987, Biometrics 43, 783-791) in its
    bias-corrected form: with Q1 ids that one relay alone has and Q2 ids that exactly two have,
    seen + share * Q1 (Q1 - 1) / (2 (Q2 + 1)); its interval is the log-normal one of the same paper.
    Chao2 takes (m - 1) / m for `share`, which holds for m samples of one size. Relays differ: here
    it is the part of all pairs of lonely ids that lie at two different relays, as Chao (1989,
    Biometrics 45, 427-438) does for unequal samples. So a relay that has everything adds nothing,
    and two relays give the estimate of Chapman (1951).

    It takes relays for independent samples, and they are not: people publish to several, relays
    copy each other, and some events are rarer everywhere. All that makes overlap larger than
    chance would, so the number is in practice a lower bound, and the interval is too narrow. The
    opposite is rarer: relays with readers of their own, or with spam, overlap less and raise it.
    """
    distinct = [frozenset(sample) for sample in samples]
    holders = Counter(event_id for sample in distinct for event_id in sample)
    if len(distinct) < 2 or not holders:
        return None
    alone = [sum(holders[event_id] == 1 for event_id in sample) for sample in distinct]
    return _chao2(Counter(holders.values()), _share(alone), len(distinct))


def _share(alone: Sequence[int]) -> float:
    """Return which part of the pairs of lonely ids lies at two relays; `alone` counts by relay."""
    total = sum(alone)
    if total < 2:
        return 0.0
    return (total**2 - sum(count**2 for count in alone)) / (total * (total - 1))


def _chao2(frequencies: Mapping[int, int], share: float, samples: int) -> Estimate:
    """Estimate from how many ids (value) were in how many samples (key)."""
    seen = sum(frequencies.values())
    q1, q2 = frequencies.get(1, 0), frequencies.get(2, 0)
    unseen = share * q1 * (q1 - 1) / (2 * (q2 + 1))
    if unseen == 0:
        return Estimate(seen, seen, _high_without_unseen(frequencies, samples))
    spread = exp(_Z * sqrt(log(1 + _variance(q1, q2, share) / unseen**2)))
    return Estimate(
        round(seen + unseen), floor(seen + unseen / spread), ceil(seen + unseen * spread)
    )


def _variance(q1: int, q2: int, share: float) -> float:
    """Return the variance of bias-corrected Chao2, as EstimateS and SpadeR have it."""
    return (
        share * q1 * (q1 - 1) / (2 * (q2 + 1))
        + share**2 * q1 * (2 * q1 - 1) ** 2 / (4 * (q2 + 1) ** 2)
        + share**2 * q1**2 * q2 * (q1 - 1) ** 2 / (4 * (q2 + 1) ** 4)
    )


def _high_without_unseen(frequencies: Mapping[int, int], samples: int) -> int:
    """Return the upper bound where Chao2 expects nothing more, as EstimateS and SpadeR do.

    It takes each id that was seen k times for a Poisson count of k: how many like it were missed?
    """
    seen = sum(frequencies.values())
    missed = sum(count * exp(-times) for times, count in frequencies.items()) / seen
    variance = (
        sum(count * (exp(-times) - exp(-2 * times)) for times, count in frequencies.items())
        - sum(times * count * exp(-times) for times, count in frequencies.items()) ** 2 / samples
    )
    return max(seen, ceil((seen + _Z * sqrt(max(variance, 0.0))) / (1 - missed)))
