"""Why a bot does not answer: the guards, each of which looks at one thing.

Knows what each limit means for a case. Knows nothing of rules, nor of budgets, which are judged
last: see `budgets`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.bots.cases import Case, Known, Limits, Skip, Wait
from nostr_threads.core.bots.quiet import quiet_until
from nostr_threads.core.expiry import expires_at
from nostr_threads.core.node import State
from nostr_threads.core.references import references

if TYPE_CHECKING:
    from nostr_threads.core.profile import Profile

__all__ = [
    "EARLY",
    "LATE",
    "Case",
    "Guard",
    "Known",
    "Limits",
    "Skip",
    "Verdict",
    "Wait",
    "closed",
    "due",
    "judge",
]

Verdict: TypeAlias = Skip | Wait
Guard: TypeAlias = Callable[[Case, Limits], Verdict | None]

_NOBOT = re.compile(r"#no-?bots?(?!\w)", re.IGNORECASE)
# How often it is looked whether the kill file is gone, and at first whether a note was found.
_LOOK_AGAIN = 5
_ASK_AGAIN = 60


def judge(case: Case, limits: Limits, guards: Iterable[Guard]) -> Verdict | None:
    """Return what the guards say: the first `Skip`, else the first `Wait`, else None: answer it."""
    verdicts = [verdict for guard in guards if (verdict := guard(case, limits)) is not None]
    skips = (verdict for verdict in verdicts if isinstance(verdict, Skip))
    return next(skips, verdicts[0] if verdicts else None)


def due(heard_at: float, last_answer: float | None, *, pause: float, pace: float) -> float:
    """Return when an answer may be sent: `pause` after its note was heard, `pace` after the last.

    All in seconds on one clock. `last_answer` is None before there is one.
    """
    return heard_at + pause if last_answer is None else max(heard_at + pause, last_answer + pace)


def _self(case: Case, _: Limits) -> Verdict | None:
    return Skip("self", "the bot wrote it") if case.event.pubkey == case.bot else None


def _lists(case: Case, limits: Limits) -> Verdict | None:
    if case.event.pubkey in limits.deny:
        return Skip("deny", "its author is on the list of who is not answered")
    if limits.allow and case.event.pubkey not in limits.allow:
        return Skip("allow", "its author is not on the list of who is answered")
    return None


def _age(case: Case, limits: Limits) -> Verdict | None:
    age = case.now - case.event.created_at
    if age > limits.catch_up:
        return Skip("age", f"it is {age} seconds old; {limits.catch_up} are caught up")
    return None


def _future(case: Case, limits: Limits) -> Verdict | None:
    ahead = case.event.created_at - case.now
    if ahead > limits.future:
        return Skip("future", f"it is dated {ahead} seconds ahead")
    return None


def _expired(case: Case, _: Limits) -> Verdict | None:
    end = expires_at(case.event)
    return Skip("expired", "it expired") if end is not None and end <= case.now else None


def _nobot_note(case: Case, _: Limits) -> Verdict | None:
    """An opt-out is taken wherever it stands: silence does less harm than an unwanted answer."""
    said = (case.event.content, *(f"#{name}" for name in case.event.tag_values("t")))
    return Skip("nobot", "it says #nobot") if any(map(_NOBOT.search, said)) else None


def _content_warning(case: Case, limits: Limits) -> Verdict | None:
    """NIP-36. The tag counts without a reason, too."""
    if limits.allow_content_warnings:
        return None
    warned = any(tag[:1] == ("content-warning",) for tag in case.event.tags)
    return Skip("content_warning", "it has a content warning") if warned else None


def _gone(case: Case, _: Limits) -> Verdict | None:
    match case.state:
        case State.DELETED:
            return Skip("deleted", case.why or "it was deleted")
        case State.EXPIRED:
            return Skip("expired", case.why or "it expired")
        case State.HIDDEN:
            return Skip("muted", case.why or "it is muted")
    return None


def _muted(case: Case, _: Limits) -> Verdict | None:
    reason = case.mutes.reason(case.event)
    return Skip("muted", reason) if reason is not None else None


def _bots(case: Case, limits: Limits) -> Verdict | None:
    is_bot = case.author is not None and case.author.bot
    return Skip("bots", "its author is a bot") if is_bot and not limits.allow_bots else None


def _nobot_author(case: Case, _: Limits) -> Verdict | None:
    if case.author is not None and any(map(_NOBOT.search, _said_by(case.author))):
        return Skip("nobot", "its author's profile says #nobot")
    return None


def _said_by(profile: Profile) -> tuple[str, ...]:
    return profile.about, profile.name, profile.display_name


def _too_fast(case: Case, limits: Limits) -> Verdict | None:
    """Nobody reads and writes in this time. A clock that is slow is no proof of that."""
    if case.parent is None or case.parent.pubkey != case.bot:
        return None
    after = case.event.created_at - case.parent.created_at
    if after < 0:
        after = max(0, case.heard_at - case.parent.created_at)
    if after < limits.too_fast:
        return Skip("too_fast", f"it answers the bot after {after} seconds, as no person does")
    return None


def _depth(case: Case, limits: Limits) -> Verdict | None:
    if case.depth > limits.depth:
        return Skip("depth", f"{case.depth} notes are above it, more than {limits.depth}")
    return None


def _known(case: Case, limits: Limits) -> Verdict | None:
    """What is missing may come: it is asked for at growing intervals, until it is too late."""
    why = _unknown(case, limits)
    if why is None:
        return None
    until = case.now + max(_ASK_AGAIN, case.now - case.heard_at)
    if until > case.event.created_at + limits.catch_up:
        return Skip("known", why)
    return Wait(until, "known", why)


def _unknown(case: Case, limits: Limits) -> str | None:
    if limits.known is Known.ANY or references(case.event).parent is None:
        return None
    if not case.parents_known:
        return "a note above it was not found"
    if limits.known is Known.WHOLE and case.whole < limits.whole:
        return f"{case.whole} of {limits.whole} relays gave all they have of its thread"
    return None


def _ways(case: Case, limits: Limits) -> Verdict | None:
    """Only a note that speaks to the bot is for it; what it answers may still be found."""
    is_waited_for = case.may_be_reply and limits.known is not Known.ANY
    return None if case.ways or is_waited_for else Skip("ways", "it speaks to somebody else")


def _unsure(case: Case, _: Limits) -> Verdict | None:
    if case.is_sure:
        return None
    return Wait(case.now + _ASK_AGAIN, "unsure", "no relay says whether it was answered")


def _closed(case: Case, limits: Limits) -> Verdict | None:
    return closed(limits, now=case.now, is_stopped=case.is_stopped)


def closed(limits: Limits, *, now: int, is_stopped: bool) -> Wait | None:
    """Say whether nothing is answered at all at `now`, whatever is asked: see `Case`."""
    if is_stopped:
        return Wait(now + _LOOK_AGAIN, "kill", "the kill file is there")
    until = quiet_until(limits.quiet, now, limits.zone)
    if until is None:
        return None
    end = datetime.fromtimestamp(until, limits.zone)
    return Wait(until, "quiet", f"these are quiet hours, until {end:%H:%M}")


EARLY: tuple[Guard, ...] = (
    _self,
    _lists,
    _age,
    _future,
    _expired,
    _nobot_note,
    _content_warning,
)
"""Those that need no more than a note, as soon as it is heard."""

# Time went by since it was heard: what is too old or expired by now is not answered any more.
LATE: tuple[Guard, ...] = (
    _gone,
    _age,
    _expired,
    _muted,
    _bots,
    _nobot_author,
    _too_fast,
    _depth,
    _ways,
    _closed,
    _known,
    _unsure,
)
"""Those that are asked when a note is about to be answered, each time anew."""
