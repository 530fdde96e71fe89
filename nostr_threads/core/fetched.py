"""How whole a thread was found when it was fetched last: the report, kept as JSON.

Knows how it is written and read. Knows nothing of where it is kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nostr_threads.core.coverage import Coverage, Finish, RelayCoverage
from nostr_threads.core.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fetched"]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch that ended at `at` (unix seconds) could say of a thread; see `Found`.

    Why each relay was asked is not in it.
    """

    at: int
    coverage: Coverage
    budget_hit: str | None = None

    @property
    def whole(self) -> bool:
        """Whether every relay answered completely and no budget was hit."""
        return not self.coverage.unsure and self.budget_hit is None

    def to_json(self) -> str:
        """Return all of it but the time."""
        made = self.coverage.estimate
        return json.dumps(
            {
                "relays": [_written(relay) for relay in self.coverage.relays],
                "estimate": None if made is None else [made.total, made.low, made.high],
                "budget_hit": self.budget_hit,
            }
        )

    @classmethod
    def from_json(cls, text: str, at: int) -> Fetched | None:
        """Read what `to_json` wrote; None for what is no such report, as of a later version."""
        try:
            found: dict[str, Any] = json.loads(text)
            relays = tuple(_read(*each) for each in found["relays"])
            made, hit = found["estimate"], found["budget_hit"]
            if not (hit is None or isinstance(hit, str)):
                return None
            if made is not None and [type(each) for each in made] != [int] * 3:
                return None
            estimate = None if made is None else Estimate(*made)
            return cls(at, Coverage(relays, estimate=estimate), hit)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def _written(relay: RelayCoverage) -> Sequence[object]:
    finish = relay.finish.value if relay.finish is not None else None
    return relay.url, finish, relay.events, relay.only_here, relay.refused, relay.reason


def _read(
    url: Any, finish: Any, events: Any, only_here: Any, refused: Any, reason: Any
) -> RelayCoverage:
    if not (isinstance(url, str) and isinstance(reason, str)):
        raise TypeError("a relay's URL and reason are texts")
    counts = (events, only_here, refused)
    if not all(type(each) is int and each >= 0 for each in counts):
        raise TypeError("a relay's figures are counts")
    ended = Finish(finish) if finish is not None else None
    return RelayCoverage(url, ended, *counts, reason)
