"""What each relay gave, and how each question ended: what makes "missing" mean something.

Knows answers as values. Knows nothing of what was asked or why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from nostr_threads.core.estimate import Estimate, estimate
from nostr_threads.core.routing import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from nostr_threads.core.event import Verified
    from nostr_threads.core.routing import Choice

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

    `size` is in bytes, as it came over the wire. `count` is the answer to a COUNT (NIP-45), None
    when the relay gave none.
    """

    relay: str
    finish: Finish
    events: tuple[Verified, ...] = ()
    reason: str = ""
    refused: int = 0
    size: int = 0
    count: int | None = None


@dataclass(frozen=True, slots=True)
class RelayCoverage:
    """One relay over a whole fetch: its worst ending, the events it had, those only it had.

    `finish` is None when nothing was asked now and the figures are those of earlier sightings.
    `counted` is how many answers to the root it says it has (NIP-45), None when it does not say.
    `choice` is why it was asked, `reached` whether it ever answered.
    """

    url: str
    finish: Finish | None
    events: int
    only_here: int
    refused: int = 0
    reason: str = ""
    counted: int | None = None
    choice: Choice | None = None
    reached: bool = True

    @property
    def is_unsure(self) -> bool:
        """Whether it may have more than it gave.

        A relay of which only a stranger's hint says that it exists, and which nobody could reach,
        is as good as one that nobody named.
        """
        if self.choice is not None and self.choice.reason is Reason.HINT and not self.reached:
            return False
        return self.finish not in (Finish.COMPLETE, None)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of how whole a result is.

    `estimate` is how many events there may be in all, None when fewer than two relays answered
    completely.
    """

    relays: tuple[RelayCoverage, ...] = ()
    reached: bool = True
    """Whether any relay that was asked about the thread could be reached, once at least."""
    estimate: Estimate | None = None

    @property
    def unsure(self) -> tuple[str, ...]:
        """The relays that did not answer completely."""
        return tuple(relay.url for relay in self.relays if relay.is_unsure)


@dataclass(slots=True, eq=False)
class _Account:
    """What one relay gave so far."""

    ids: set[str] = field(default_factory=set)
    finish: Finish = Finish.COMPLETE
    reason: str = ""
    refused: int = 0
    counted: int | None = None
    reached: bool = False

    def worsen(self, finish: Finish, reason: str) -> None:
        if _SEVERITY[finish] > _SEVERITY[self.finish]:
            self.finish, self.reason = finish, reason


class Tracker:
    """Adds answers up to a `Coverage`."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def add(self, answer: Answer) -> None:
        """Take one relay's answer to one question into account."""
        account = self._accounts.setdefault(answer.relay, _Account())
        account.ids.update(event.id for event in answer.events)
        account.worsen(answer.finish, answer.reason)
        account.refused += answer.refused
        account.reached |= answer.finish is not Finish.UNREACHABLE

    def credit(self, relay: str, ids: Iterable[str]) -> None:
        """Count events as given by a relay although its answer did not come to an end."""
        self._accounts.setdefault(relay, _Account(reached=True)).ids.update(ids)

    def given(self, relay: str) -> Set[str]:
        """Return the ids of what a relay gave."""
        return self._accounts[relay].ids if relay in self._accounts else frozenset()

    def count(self, relay: str, number: int) -> None:
        """Note how many events a relay says it has."""
        self._accounts.setdefault(relay, _Account()).counted = number

    def doubt(self, relay: str, finish: Finish, reason: str) -> None:
        """Count a relay as one that may have more than it sent; a worse ending stays."""
        self._accounts.setdefault(relay, _Account()).worsen(finish, reason)

    def coverage(self, counted: Iterable[str], choices: Iterable[Choice] = ()) -> Coverage:
        """Return the coverage over the ids in `counted`: what is outside does not count.

        `choices` say why each relay was asked, and in which order to tell of them.
        """
        wanted = frozenset(counted)
        why = {choice.relay: choice for choice in choices}
        order = [url for url in dict.fromkeys((*why, *self._accounts)) if url in self._accounts]
        held = {url: self._accounts[url].ids & wanted for url in order}
        holders = Counter(event_id for ids in held.values() for event_id in ids)
        relays = tuple(self._relay(url, ids, holders, why.get(url)) for url, ids in held.items())
        readers = {url: ids for url, ids in held.items() if url not in why or why[url].reads}
        reached = any(self._accounts[url].reached for url in readers)
        return Coverage(relays, reached, self._estimate(readers, len(wanted)))

    def _relay(
        self, url: str, ids: Set[str], holders: Mapping[str, int], choice: Choice | None
    ) -> RelayCoverage:
        account = self._accounts[url]
        return RelayCoverage(
            url,
            account.finish,
            len(ids),
            sum(holders[event_id] == 1 for event_id in ids),
            account.refused,
            account.reason,
            account.counted,
            choice,
            account.reached,
        )

    def _estimate(self, held: Mapping[str, Set[str]], found: int) -> Estimate | None:
        """From the relays that gave all they have; what others gave raises it to what is known."""
        complete = [
            ids for url, ids in held.items() if self._accounts[url].finish is Finish.COMPLETE
        ]
        made = estimate(complete)
        if made is None:
            return None
        return Estimate(*(max(each, found) for each in (made.total, made.low, made.high)))
