"""What was asked of bots, and what became of it: the Protocol, and its values.

Knows the states an ask goes through. Knows nothing of SQL, or of what should be answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nostr_threads.core.bots.budgets import Answered
    from nostr_threads.core.bots.cases import Skip, Wait
    from nostr_threads.core.event import Event, Verified
    from nostr_threads.store.base import Posting

__all__ = ["Bots", "Decision", "Entry", "Intake", "RecordedBot", "State", "Taken"]


class State(Enum):
    """What became of an ask, so far."""

    SEEN = "seen"
    """It waits to be answered."""
    SKIPPED = "skipped"
    """It is not answered, for the reason on record."""
    ANSWERING = "answering"
    """Somebody is at it; when they die somebody else takes it over."""
    QUEUED = "queued"
    """The answer is signed and in the outbox."""
    DELIVERED = "delivered"
    """As many relays as were asked for have the answer, or it was there before."""
    FAILED = "failed"
    """There was no answer in several tries, or no relay takes it."""


@dataclass(frozen=True, slots=True)
class RecordedBot:
    """A bot that is on record. Times are in unix seconds.

    What came before `began_at` is none of its business; `heard_at` is when it last listened.
    `marks` is whether its profile is to say that it is a bot, None while nobody has said.
    """

    row: int
    pubkey: str
    name: str
    began_at: int
    heard_at: int
    marks: bool | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What becomes of an event that a bot has read: which rule is asked, or why none is.

    `rule` "" stands for the first that fits. With a `guard` it is skipped, for `why`.
    """

    rule: str = ""
    guard: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One ask. Ids and keys are hex, `root` is the key of its thread, times unix seconds.

    `rule` is the one that it is for, "" where the first that fits answers; `answerer` the one that
    did. `guard` and `why` say why it is not answered, or not yet. `owner` is who is at it, ""
    for nobody; `tries` counts those that failed, or died at it. `pardoned`: it is answered however
    old it is. `posting` is the id of the first part of the answer.
    """

    row: int
    bot: str
    event_id: str
    rule: str
    author: str
    root: str
    state: State
    guard: str
    why: str
    answerer: str
    tries: int
    due: int
    owner: str
    pardoned: bool
    posting: str | None
    asked_at: int
    seen_at: int
    answered_at: int | None
    changed_at: int


Intake: TypeAlias = "Callable[[Verified, Verified | None], Sequence[Taken]]"
"""What a bot makes of an event and of the event that this answers, if that is stored."""
Decision: TypeAlias = "Callable[[Entry, Sequence[Answered], int], Skip | Wait | None]"
"""Whether there is room for an answer after those of the last day, and so many in all."""


class Bots(Protocol):
    """The record of what was asked of bots, and what they answered.

    Several may work on one record: who holds an ask holds it alone. Every method raises
    `StoreError`.
    """

    def enter(self, pubkey: str, name: str, *, now: int) -> RecordedBot:
        """Put a bot on record unless it is; what is stored by then it has no need to read."""
        ...

    def listened(self, bot: RecordedBot, *, now: int) -> None:
        """Note that the bot was listening up to `now`."""
        ...

    def mark(self, bot: RecordedBot, *, marks: bool) -> None:
        """Remember whether the bot's profile is to say that it is one: nobody is asked twice."""
        ...

    def read(
        self,
        bot: RecordedBot,
        kinds: Sequence[int],
        since: int,
        intake: Intake,
        *,
        now: int,
        most: int,
    ) -> list[tuple[Event, Taken]] | None:
        """Let the bot read what was stored since it last did: `most` events of these kinds.

        What `intake` makes of each is on record with how far the bot has read, in one transaction.
        Returns what is new on record, None when nothing was left to read. What is on record stays
        as it is. Events dated before `since`, deleted and superseded ones are passed over.
        """
        ...

    def claim(
        self,
        bot: RecordedBot,
        owner: str,
        decision: Decision,
        *,
        now: int,
        until: int,
        counts_all: bool = False,
    ) -> Entry | Wait | None:
        """Take the oldest ask that is due and that `decision` leaves room for, up to `until`.

        The decision sees every answer that is given or being given, by whichever process, and
        nobody else decides meanwhile; how many there ever were only with `counts_all`. What it
        skips is on record. That it waits is taken to be so for all, and returned, except for one
        (ANSWERING) whose last owner has died at it, which counts as a try. None when nothing is
        due.
        """
        ...

    def renew(self, entry: Entry, owner: str, *, until: int) -> bool:
        """Hold an ask longer; False when it is not the owner's any more."""
        ...

    def leave(self, entry: Entry, owner: str, *, now: int) -> None:
        """Hold an ask no more, if it is the owner's.

        While it is ANSWERING anybody may take it at once; what becomes of an answer in the outbox
        is then for all to see.
        """
        ...

    def owners(self, bot: RecordedBot) -> frozenset[str]:
        """Return who is at any ask of the bot."""
        ...

    def take_back(self, bot: RecordedBot, owner: str) -> int:
        """Let anybody take at once what an owner is at, who is known to have died; how much."""
        ...

    def release(
        self,
        entry: Entry,
        owner: str,
        state: State,
        *,
        guard: str = "",
        why: str = "",
        due: int = 0,
        failed: bool = False,
        now: int,
    ) -> bool:
        """Put on record how the work on an ask ended; False when it is not the owner's any more.

        SEEN is tried again when it is `due`, and one try more on record if this one has `failed`.
        """
        ...

    def queue(self, entry: Entry, owner: str, posting: Posting, answerer: str, *, now: int) -> None:
        """Put the signed answer into the outbox, and the ask on record as QUEUED, at once.

        Another version of the answer takes the place of one that was cancelled. Raises `TakenOver`
        when the ask is not the owner's any more: then nothing is sent.
        """
        ...

    def settle(self, bot: RecordedBot, *, now: int) -> list[Entry]:
        """Note what became of answers in the outbox; return the asks that are settled by it.

        Those that somebody is sending are left to them. One whose answer was taken back to be
        written anew by somebody who has died since is SEEN again.
        """
        ...

    def entries(
        self,
        *,
        pubkey: str | None = None,
        name: str | None = None,
        event_id: str | None = None,
        states: Sequence[State] = (),
        most: int = 100,
    ) -> list[Entry]:
        """Return asks, those that changed last first."""
        ...

    def next_due(self, bot: RecordedBot) -> int | None:
        """Return when the next ask is due, or may be taken over; None when none is open."""
        ...

    def postings(self, event_id: str) -> frozenset[str]:
        """Return the ids of the answers to an event that are on record, of any bot."""
        ...

    def counts(self, bot: RecordedBot) -> Mapping[tuple[State, str], int]:
        """Count the bot's asks by state and guard."""
        ...

    def latencies(self, bot: RecordedBot) -> tuple[int, int]:
        """Return the sum of seconds from hearing of an ask to its answer, and of how many."""
        ...

    def retry(self, entries: Sequence[Entry], *, now: int) -> int:
        """Ask again what was skipped, has failed or waits, however old it is; return how many.

        An answer that is signed already is sent again as it is.
        """
        ...

    def forget(self, entries: Sequence[Entry]) -> int:
        """Take asks off the record, unless somebody is at them; return how many.

        They count for no budget any more. Nothing of them is read again by itself.
        """
        ...
