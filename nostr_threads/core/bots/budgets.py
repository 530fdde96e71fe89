"""How much a bot answers: one author, one thread, and all in all.

Knows when there is room for one more answer. Counts nothing itself: whoever keeps the record does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.bots.cases import Skip, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DAY", "HOUR", "Answered", "Budgets", "Spent", "spend", "spent_of"]

HOUR = 3_600
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most answers in any hour and any day, not: of the clock; a thread's are for a day.

    `total` is for good; None for no end.
    """

    per_author_hour: int = 6
    per_author_day: int = 20
    per_thread: int = 8
    per_author_thread: int = 4
    per_hour: int = 60
    per_day: int = 400
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer that counts: when it was begun (unix seconds), to whom (hex), in which thread."""

    at: int
    author: str
    thread: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What was answered before, as it counts for one more answer to an author in a thread.

    An answer counts from when it is begun, not from when it is sent: several are worked on at once.
    It is in the last hour if it began less than 3,600 seconds ago. `hour_from` and `day_from` are
    when the earliest of the last hour's and day's began (unix seconds), None without any.
    """

    author_hour: int = 0
    author_day: int = 0
    thread_day: int = 0
    author_thread_day: int = 0
    hour: int = 0
    day: int = 0
    total: int = 0
    hour_from: int | None = None
    day_from: int | None = None


def spent_of(answers: Iterable[Answered], *, author: str, thread: str, now: int) -> Spent:
    """Count answers for one more to `author` in `thread`. What is dated after `now` counts, too."""
    known = tuple(answers)
    day = [each for each in known if each.at > now - DAY]
    hour = [each for each in day if each.at > now - HOUR]
    return Spent(
        author_hour=sum(each.author == author for each in hour),
        author_day=sum(each.author == author for each in day),
        thread_day=sum(each.thread == thread for each in day),
        author_thread_day=sum((each.author, each.thread) == (author, thread) for each in day),
        hour=len(hour),
        day=len(day),
        total=len(known),
        hour_from=min((each.at for each in hour), default=None),
        day_from=min((each.at for each in day), default=None),
    )


def spend(spent: Spent, budgets: Budgets, now: int) -> Skip | Wait | None:
    """Say whether there is room for one more answer; None if there is.

    Who asks too much is not answered: an answer an hour later would be out of place, and a queue of
    them is what a flood wants. That many people ask at once is no fault of any of them: they wait
    until the bot has room. Nothing waits for a total budget, as it never has room again.
    """
    for name, count, most in (
        ("per_author_hour", spent.author_hour, budgets.per_author_hour),
        ("per_author_day", spent.author_day, budgets.per_author_day),
        ("per_author_thread", spent.author_thread_day, budgets.per_author_thread),
        ("per_thread", spent.thread_day, budgets.per_thread),
        ("total", spent.total, budgets.total),
    ):
        if most is not None and count >= most:
            return Skip(name, f"{_MEANT[name]} had {count} of {most} answers")
    waits = [
        *_until("per_hour", spent.hour, budgets.per_hour, spent.hour_from, HOUR, now),
        *_until("per_day", spent.day, budgets.per_day, spent.day_from, DAY, now),
    ]
    return max(waits, key=lambda wait: wait.until, default=None)


_MEANT = {
    "per_author_hour": "in the last hour its author",
    "per_author_day": "in the last day its author",
    "per_author_thread": "in the last day its author in its thread",
    "per_thread": "in the last day its thread",
    "total": "since the beginning everybody",
}


def _until(
    name: str, count: int, most: int, earliest: int | None, window: int, now: int
) -> Iterable[Wait]:
    """When the earliest answer is out of the window there is room, if the budget is what it was."""
    if count < most:
        return ()
    until = max((now if earliest is None else earliest) + window, now + 1)
    return (Wait(until, name, f"{count} of {most} answers were given"),)
