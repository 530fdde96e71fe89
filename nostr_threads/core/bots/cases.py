"""What a guard looks at and what it says: a case, the limits, and the verdicts.

Knows their shape and defaults. What each limit means for a case `guards` knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING

from nostr_threads.core.mutes import Mutes
from nostr_threads.core.node import State
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from nostr_threads.core.bots.quiet import Quiet
    from nostr_threads.core.bots.ways import Way
    from nostr_threads.core.event import Event
    from nostr_threads.core.profile import Profile

__all__ = ["Case", "Known", "Limits", "Skip", "Wait"]

_SHORTEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Skip:
    """It is not answered, ever: `guard` says by whose word, `why` in words."""

    guard: str
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """It is not answered yet; `until` (unix seconds) is when to judge it again."""

    until: int
    guard: str
    why: str


class Known(StrEnum):
    """How well a thread must be known before somebody in it is answered."""

    ANY = "any"
    PARENTS = "parents"
    """Every note above the one that is answered."""
    WHOLE = "whole"
    """Beside these, `Limits.whole` relays must have given all they have of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bot does not answer. Times are in seconds, people are public keys (hex).

    `allow`, unless it is empty, are the only ones who are answered. `too_fast`: sooner than this
    after the bot's own note only machines answer it. `depth` is the most notes above. `catch_up` is
    how old a note may be, `future` how far ahead of the clock it may be dated. `whole` is a number
    of relays, see `Known`. `pause` lies between a note and its answer; no more than a second would
    look like a machine that does not read, which raises `InvalidInput`.
    """

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    allow_bots: bool = False
    allow_content_warnings: bool = False
    too_fast: int = 3
    depth: int = 20
    catch_up: int = 86_400
    future: int = 900
    quiet: tuple[Quiet, ...] = ()
    zone: tzinfo = UTC
    known: Known = Known.PARENTS
    whole: int = 1
    pause: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a pause that is none."""
        if not self.pause > _SHORTEST_PAUSE:
            raise InvalidInput("the pause before an answer is longer than a second")


@dataclass(frozen=True, slots=True)
class Case:
    """A note that may be answered by `bot` (hex), and all that is known for it. Times in seconds.

    Up to `heard_at` it is known when it is heard; the rest when it is about to be answered.
    `author` is None where no profile was found. `mutes` are the bot's own. `parent` is what the
    note answers. `depth` is how many notes are above it. `state` is the note's, `why` the reason
    for one that is not PRESENT. `parents_known`: every note above is there. `whole` relays gave
    everything they have of the thread. `is_stopped`: the kill file is there. `may_be_reply`: what
    it answers is not known, and may be the bot's. `is_sure`: it is known whether it was answered.
    """

    event: Event
    bot: str
    now: int
    heard_at: int
    ways: frozenset[Way] = frozenset()
    author: Profile | None = None
    mutes: Mutes = field(default_factory=Mutes)
    parent: Event | None = None
    depth: int = 0
    state: State = State.PRESENT
    why: str = ""
    parents_known: bool = True
    whole: int = 0
    is_stopped: bool = False
    may_be_reply: bool = False
    is_sure: bool = True
