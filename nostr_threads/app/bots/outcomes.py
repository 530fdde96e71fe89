"""How the work on an ask can end, and how that is put on record and told.

Knows what each end means for the record. Why it came to that, `working` and the guards know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.app.bots.news import Deed
from nostr_threads.core.bots.cases import Skip, Wait
from nostr_threads.core.bots.reported import reported
from nostr_threads.errors import NostrThreadsError
from nostr_threads.store.bots import State

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Answer

__all__ = ["PAUSES", "Before", "Failed", "Noted", "Outcome", "WouldAnswer", "complaint", "noted"]

PAUSES = (30, 120, 600, 3_600)
"""Seconds until what failed is tried again; after the last try it has failed for good."""


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no answer, because of `why`; unless it is `hopeless` it is tried again."""

    why: str
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """It was answered before, by the event of that id."""

    event_id: str


@dataclass(frozen=True, slots=True)
class WouldAnswer:
    """It is a dry run: this is what would be said."""

    answer: Answer


Outcome: TypeAlias = Skip | Wait | Failed | Before | WouldAnswer


@dataclass(frozen=True, slots=True)
class Noted:
    """What is put on record: a state, why, and when it is due again; and what is told of it."""

    state: State
    deed: Deed
    guard: str = ""
    why: str = ""
    due: int = 0
    is_failure: bool = False
    told: str = ""


def noted(outcome: Outcome, *, tries: int, now: int) -> Noted:
    """Say what an outcome is on record, after so many tries before it, at `now` (unix seconds)."""
    match outcome:
        case Skip(guard, why):
            return Noted(State.SKIPPED, Deed.SKIPPED, guard, reported(why))
        case Wait(until, guard, why):
            return Noted(State.SEEN, Deed.WAITS, guard, reported(why), max(until, now + 1))
        case Before(event_id):
            return Noted(State.DELIVERED, Deed.DELIVERED, why=f"it was answered by {event_id}")
        case WouldAnswer():
            return Noted(State.SKIPPED, Deed.WOULD_ANSWER, "dry_run", "it was a dry run")
        case Failed(why, hopeless):
            return _failed(reported(why), hopeless or tries >= len(PAUSES), tries, now)


def _failed(why: str, is_over: bool, tries: int, now: int) -> Noted:
    if is_over:
        return Noted(State.FAILED, Deed.FAILED, "failed", why, is_failure=True)
    pause = PAUSES[tries]
    told = f"{why}; it is tried again in {pause} s"
    return Noted(State.SEEN, Deed.FAILED, "failed", why, now + pause, is_failure=True, told=told)


def complaint(error: BaseException) -> str:
    """Say what went wrong in anybody's code, which may not even be able to say so itself."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - it is what we are told of
        text = ""
    if text and isinstance(error, NostrThreadsError):
        return reported(text)
    return reported(f"{type(error).__name__}: {text}" if text else type(error).__name__)
