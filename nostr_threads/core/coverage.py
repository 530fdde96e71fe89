"""What each relay gave, and how each question ended: what makes "missing" mean something.

Knows answers as values. Knows nothing of what was asked or why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Verified

__all__ = ["Answer", "Coverage", "Finish", "RelayCoverage", "Tracker"]


class Finish(Enum):
    """How a question ended at one relay, best first. Only COMPLETE lets absence mean anything."""

    COMPLETE = "complete"
    """Everything that matches was sent."""
    LIMITED = "limited"
    """There is, or may be, more than the relay or we would send."""
    REFUSED = "refused"
    TIMEOUT = "timeout"
    LOST = "lost"
    """The connection ended in the middle."""
    UNREACHABLE = "unreachable"


_SEVERITY = {finish: place for place, finish in enumerate(Finish)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one relay gave to one question. `refused` counts events that were forged or broken.

    `size` is in bytes, as it came over the wire.
    """

    relay: str
    finish: Finish
    events: tuple[Verified, ...] = ()
    reason: str = ""
    refused: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class RelayCoverage:
    """One relay over a whole fetch: its worst ending, the events it had, those only it had.

    `finish` is None when nothing was asked now and the figures are those of earlier sightings.
    """

    url: str
    finish: Finish | None
    events: int
    only_here: int
    refused: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of how whole a result is."""

    relays: tuple[RelayCoverage, ...] = ()
    reached: bool = True
    """Whether any relay could be reached, once at least."""

    @property
    def unsure(self) -> tuple[str, ...]:
        """The relays that did not answer completely."""
        return tuple(r.url for r in self.relays if r.finish not in (Finish.COMPLETE, None))


class Tracker:
    """Adds answers up to a `Coverage`, in the order in which relays were first asked."""

    def __init__(self) -> None:
        self._ids: dict[str, set[str]] = {}
        self._worst: dict[str, tuple[Finish, str]] = {}
        self._refused: dict[str, int] = {}
        self._reached = False

    def add(self, answer: Answer) -> None:
        """Take one relay's answer to one question into account."""
        self._ids.setdefault(answer.relay, set()).update(event.id for event in answer.events)
        self._reached |= answer.finish is not Finish.UNREACHABLE
        worst, _ = self._worst.get(answer.relay, (Finish.COMPLETE, ""))
        if answer.relay not in self._worst or _SEVERITY[answer.finish] > _SEVERITY[worst]:
            self._worst[answer.relay] = answer.finish, answer.reason
        self._refused[answer.relay] = self._refused.get(answer.relay, 0) + answer.refused

    def coverage(self, counted: Iterable[str]) -> Coverage:
        """Return the coverage over the ids in `counted`: what is outside does not count."""
        wanted = frozenset(counted)
        held = {url: ids & wanted for url, ids in self._ids.items()}
        holders: dict[str, int] = {}
        for ids in held.values():
            for event_id in ids:
                holders[event_id] = holders.get(event_id, 0) + 1
        return Coverage(
            tuple(
                RelayCoverage(
                    url,
                    self._worst[url][0],
                    len(ids),
                    sum(holders[event_id] == 1 for event_id in ids),
                    self._refused[url],
                    self._worst[url][1],
                )
                for url, ids in held.items()
            ),
            self._reached,
        )
