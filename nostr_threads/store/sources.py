"""What is to be kept here whole, and how far that is: the Protocol, and its values.

Knows the questions and the shape of the answers. Knows nothing of SQL, or of how anything is got.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from nostr_threads.core.windows import Spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.coverage import Finish
    from nostr_threads.core.sources import Source
    from nostr_threads.core.windows import Span

__all__ = ["Branch", "Method", "Sources", "Sync"]


class Method(Enum):
    """How a source was got from a relay."""

    NEGENTROPY = "negentropy"
    """What the two sides do not share was found out (NIP-77)."""
    PAGES = "pages"
    """All of it was asked for, span by span."""
    CRAWL = "crawl"
    """A thread was followed from note to note."""


@dataclass(frozen=True, slots=True)
class Sync:
    """How far a source is got from one relay.

    `spans` are the seconds that were got whole. `finish` is how the last run ended, None while it
    is going on or when it was cut off; `reason` is why it was not COMPLETE, hostile text. `events`
    counts what came from there and was new here, over all runs; `ended_at` is in unix seconds.
    """

    method: Method
    finish: Finish | None
    reason: str = ""
    ended_at: int = 0
    events: int = 0
    spans: Spans = field(default_factory=Spans)


@dataclass(frozen=True, slots=True)
class Branch:
    """A thread under an author's notes: when it was fetched, whether wholly, with how many events.

    `fetched_at` is in unix seconds.
    """

    fetched_at: int
    whole: bool
    events: int


class Sources(Protocol):
    """The sources of a store. Every method raises `StoreError` when it cannot be used."""

    def put(self, source: Source, *, now: int) -> bool:
        """Keep a source; whether it is new. One of the same name is replaced.

        What was got of it is still got: where from, and how deep, changes nothing about that.
        """
        ...

    def all(self) -> tuple[Source, ...]:
        """Return all sources, in the order in which they came."""
        ...

    def remove(self, name: str) -> bool:
        """Forget a source and how far it was got; whether there was one. Its events stay."""
        ...

    def syncs(self, name: str) -> Mapping[str, Sync]:
        """Return how far the source is got, by the URLs of relays."""
        ...

    def got(self, name: str, relay: str, span: Span | None, *, events: int) -> None:
        """Note that so many new events came from a relay, and with them every second of `span`.

        None is for what came of a span that is not got. What it rests on has to be stored before.
        Nothing happens where there is no such source.
        """
        ...

    def cut(self, name: str, relay: str, *, after: int) -> None:
        """Forget that anything later than the second `after` was got: a clock was wrong."""
        ...

    def branches(self, name: str) -> Mapping[str, Branch]:
        """Return the threads under the notes of an author that were fetched, by their roots."""
        ...

    def note_branches(self, name: str, branches: Mapping[str, Branch]) -> None:
        """Note what became of threads, by their roots."""
        ...

    def note(self, name: str, relay: str, sync: Sync) -> None:
        """Note how a run begins or has ended. Its `spans` and `events` do not count here."""
        ...
