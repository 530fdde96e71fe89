"""Each guard, just inside and just outside of what it lets through."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.guards import (
    EARLY,
    LATE,
    Case,
    Known,
    Limits,
    Skip,
    Verdict,
    Wait,
    due,
    judge,
)
from nostr_threads.core.bots.quiet import parse_quiet
from nostr_threads.core.bots.ways import Way
from nostr_threads.core.mutes import Mutes
from nostr_threads.core.node import State
from nostr_threads.core.profile import Profile, profile_of
from nostr_threads.errors import InvalidInput
from tests.core.strategies import event, events

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

BOT, ANN, BOB = "b0" * 32, "aa" * 32, "bb" * 32
NOW = 1_700_000_000  # 22:13:20 in UTC
NOTE = "11" * 32
ANSWERS = (("e", NOTE, "", "root"),)
LIMITS = Limits()


def asked(content: str = "help?", *tags: tuple[str, ...], at: int = NOW, by: str = ANN) -> Case:
    note = event(1, tags, content=content, created_at=at, pubkey=by)
    return Case(note, BOT, NOW, NOW, frozenset((Way.MENTION,)))


def early(case: Case, limits: Limits = LIMITS) -> Verdict | None:
    return judge(case, limits, EARLY)


def late(case: Case, limits: Limits = LIMITS) -> Verdict | None:
    return judge(case, limits, LATE)


def skipped(verdict: Verdict | None) -> str:
    assert isinstance(verdict, Skip), verdict
    assert verdict.why
    return verdict.guard


def waits(verdict: Verdict | None) -> tuple[str, int]:
    assert isinstance(verdict, Wait), verdict
    assert verdict.why
    return verdict.guard, verdict.until


def test_a_plain_question_is_answered() -> None:
    assert early(asked()) is None
    assert late(asked()) is None


def test_what_the_bot_wrote_is_not_answered() -> None:
    assert skipped(early(asked(by=BOT))) == "self"


def test_who_is_denied_is_not_answered() -> None:
    limits = Limits(deny=frozenset((ANN,)))
    assert skipped(early(asked(by=ANN), limits)) == "deny"
    assert early(asked(by=BOB), limits) is None


def test_where_some_are_allowed_nobody_else_is_answered() -> None:
    limits = Limits(allow=frozenset((ANN,)))
    assert early(asked(by=ANN), limits) is None
    assert skipped(early(asked(by=BOB), limits)) == "allow"
    both = Limits(allow=frozenset((ANN,)), deny=frozenset((ANN,)))
    assert skipped(early(asked(by=ANN), both)) == "deny"


@pytest.mark.parametrize("judged", [early, late])
def test_what_is_older_than_is_caught_up_is_not_answered(judged: object) -> None:
    """It may also have grown old while it waited."""
    assert callable(judged)
    assert judged(asked(at=NOW - 86_400)) is None
    assert skipped(judged(asked(at=NOW - 86_401))) == "age"
    assert skipped(judged(asked(at=NOW - 61), Limits(catch_up=60))) == "age"
    assert judged(asked(at=NOW - 60), Limits(catch_up=60)) is None


def test_what_is_dated_far_ahead_is_not_answered() -> None:
    assert early(asked(at=NOW + 900)) is None
    assert skipped(early(asked(at=NOW + 901))) == "future"
    assert skipped(early(asked(at=NOW + 11), Limits(future=10))) == "future"


@pytest.mark.parametrize("judged", [early, late])
def test_what_expired_is_not_answered(judged: object) -> None:
    """NIP-40."""
    assert callable(judged)
    assert skipped(judged(asked("x", ("expiration", str(NOW))))) == "expired"
    assert judged(asked("x", ("expiration", str(NOW + 1)))) is None


@pytest.mark.parametrize(
    "case",
    [
        asked("no thanks #nobot"),
        asked("#NoBot"),
        asked("#nobots, please"),
        asked("#no-bot"),
        asked("x", ("t", "nobot")),
        asked("x", ("t", "NOBOT")),
    ],
)
def test_a_note_that_says_so_is_not_answered(case: Case) -> None:
    assert skipped(early(case)) == "nobot"


@pytest.mark.parametrize(
    "case", [asked("nobot"), asked("#nobody"), asked("#nobotany"), asked("x", ("t", "bot"))]
)
def test_a_note_that_does_not_say_so_is_answered(case: Case) -> None:
    assert early(case) is None


def test_a_content_warning_is_left_alone_unless_allowed() -> None:
    """NIP-36: the reason may be left out."""
    for tag in (("content-warning",), ("content-warning", ""), ("content-warning", "blood")):
        assert skipped(early(asked("x", tag))) == "content_warning"
        assert early(asked("x", tag), Limits(allow_content_warnings=True)) is None
    assert early(asked("x", ("warning", "content-warning"))) is None


@pytest.mark.parametrize(
    ("state", "guard"),
    [(State.DELETED, "deleted"), (State.EXPIRED, "expired"), (State.HIDDEN, "muted")],
)
def test_what_is_gone_is_not_answered(state: State, guard: str) -> None:
    verdict = late(replace(asked(), state=state, why="so it is"))
    assert verdict == Skip(guard, "so it is")
    assert skipped(late(replace(asked(), state=state))) == guard


@pytest.mark.parametrize("state", [State.PRESENT, State.MISSING])
def test_what_is_there_is_answered(state: State) -> None:
    assert late(replace(asked(), state=state)) is None


def test_whom_the_bot_mutes_it_does_not_answer() -> None:
    case = replace(asked(), mutes=Mutes(authors=frozenset((ANN,))))
    assert late(case) == Skip("muted", "its author is muted")
    assert late(replace(case, mutes=Mutes(authors=frozenset((BOB,))))) is None
    assert skipped(late(replace(case, mutes=Mutes(words=frozenset(("help",)))))) == "muted"


def test_bots_are_answered_only_if_allowed() -> None:
    """NIP-24's `bot`."""
    case = replace(asked(), author=Profile(bot=True))
    assert skipped(late(case)) == "bots"
    assert late(case, Limits(allow_bots=True)) is None
    assert late(replace(case, author=Profile(bot=False))) is None
    assert late(replace(case, author=None)) is None


@pytest.mark.parametrize("field", ["about", "name", "display_name"])
def test_whose_profile_says_so_is_not_answered(field: str) -> None:
    for text, is_said in (("I am #NoBot.", True), ("nobot", False)):
        profile = profile_of(event(0, content=json.dumps({field: text})))
        verdict = late(replace(asked(), author=profile))
        assert (skipped(verdict) == "nobot") if is_said else verdict is None


def own(at: int, by: str = BOT) -> Event:
    return event(1, created_at=at, pubkey=by)


@pytest.mark.parametrize(
    ("written", "heard", "is_fast"),
    [
        (0, 0, True),
        (0, 500, True),
        (2, 2, True),
        (3, 3, False),
        (2, 500, True),
        (3, 2, False),
        (-10, 2, True),
        (-10, 3, False),
        (-10, -5, True),
    ],
)
def test_who_answers_faster_than_people_read_is_not_answered(
    written: int, heard: int, *, is_fast: bool
) -> None:
    """Dated before what it answers it is of a slow clock: then it counts when it was heard."""
    at = NOW - 100
    case = replace(asked("x", *ANSWERS, at=at + written), parent=own(at), heard_at=at + heard)
    assert (skipped(late(case)) == "too_fast") if is_fast else late(case) is None


def test_how_fast_it_was_is_told() -> None:
    case = replace(asked("x", *ANSWERS), parent=own(NOW - 2))
    assert late(case) == Skip("too_fast", "it answers the bot after 2 seconds, as no person does")


def test_to_answer_others_fast_is_no_fault() -> None:
    case = asked("x", *ANSWERS)
    assert late(replace(case, parent=own(NOW, by=BOB))) is None
    assert late(replace(case, parent=None)) is None
    assert late(replace(case, parent=own(NOW)), Limits(too_fast=0)) is None
    assert skipped(late(replace(case, parent=own(NOW - 9)), Limits(too_fast=10))) == "too_fast"


def test_deep_in_a_thread_nothing_is_answered() -> None:
    assert late(replace(asked(), depth=20)) is None
    assert skipped(late(replace(asked(), depth=21))) == "depth"
    assert skipped(late(replace(asked(), depth=1), Limits(depth=0))) == "depth"


def test_what_speaks_to_somebody_else_is_not_answered() -> None:
    aside = replace(asked(), ways=frozenset())
    assert skipped(late(aside)) == "ways"
    assert late(replace(aside, ways=frozenset((Way.THREAD,)))) is None


def test_what_may_be_an_answer_to_the_bot_waits_until_that_is_known() -> None:
    lost = replace(asked("so?", *ANSWERS), ways=frozenset(), may_be_reply=True, parents_known=False)
    assert waits(late(lost)) == ("known", NOW + 60)
    # Where nobody waits for what is missing nobody will ever know.
    assert skipped(late(lost, Limits(known=Known.ANY))) == "ways"


def test_what_may_have_been_answered_before_waits() -> None:
    assert waits(late(replace(asked(), is_sure=False))) == ("unsure", NOW + 60)
    assert skipped(late(replace(asked(), is_sure=False, state=State.DELETED))) == "deleted"


def test_while_the_kill_file_is_there_everything_waits() -> None:
    assert waits(late(replace(asked(), is_stopped=True))) == ("kill", NOW + 5)


def test_in_quiet_hours_everything_waits() -> None:
    limits = Limits(quiet=(parse_quiet("22:00-22:14"),))
    assert waits(late(asked(), limits)) == ("quiet", NOW + 40)
    assert late(asked(), Limits(quiet=(parse_quiet("22:00-22:13"),))) is None


ORPHAN = replace(asked("x", *ANSWERS), parents_known=False)


def test_what_hangs_nowhere_waits_to_be_known() -> None:
    assert waits(late(ORPHAN)) == ("known", NOW + 60)
    assert late(replace(ORPHAN, parents_known=True)) is None
    assert late(ORPHAN, Limits(known=Known.ANY)) is None


def test_what_answers_nothing_needs_no_thread() -> None:
    case = replace(asked(), parents_known=False)
    assert late(case) is None
    assert late(case, Limits(known=Known.WHOLE, whole=3)) is None


def test_a_thread_may_have_to_be_whole() -> None:
    case, limits = asked("x", *ANSWERS), Limits(known=Known.WHOLE, whole=2)
    assert waits(late(replace(case, whole=1), limits)) == ("known", NOW + 60)
    assert late(replace(case, whole=2), limits) is None
    assert waits(late(replace(case, whole=2, parents_known=False), limits))[0] == "known"
    assert late(replace(case, whole=0), Limits(whole=2)) is None


def test_what_stays_unknown_is_asked_for_less_and_less_and_then_given_up() -> None:
    case, times = ORPHAN, list[int]()
    while isinstance(verdict := late(case), Wait):
        times.append(verdict.until - NOW)
        case = replace(case, now=verdict.until)
    assert times == [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440]
    assert skipped(verdict) == "known"


def test_it_is_given_up_only_when_there_is_no_time_left() -> None:
    at = NOW - 86_400 + 60
    assert waits(late(replace(ORPHAN, event=replace(ORPHAN.event, created_at=at))))[0] == "known"
    gone = replace(ORPHAN, event=replace(ORPHAN.event, created_at=at - 1))
    assert skipped(late(gone)) == "known"


def test_what_is_not_answered_at_all_does_not_wait() -> None:
    case = replace(asked(), is_stopped=True, depth=21)
    assert skipped(late(case)) == "depth"


def test_of_several_verdicts_the_first_is_told() -> None:
    case = replace(asked(by=BOT), author=Profile(bot=True), depth=99)
    assert skipped(judge(case, LIMITS, (*EARLY, *LATE))) == "self"
    quiet = Limits(quiet=(parse_quiet("22:00-23:00"),))
    assert waits(late(replace(asked(), is_stopped=True), quiet))[0] == "kill"
    assert judge(case, LIMITS, ()) is None


@pytest.mark.parametrize("pause", [1.0, 0.0, -2.0, float("nan")])
def test_a_pause_is_longer_than_a_second(pause: float) -> None:
    with pytest.raises(InvalidInput, match="longer than a second"):
        Limits(pause=pause)


def test_a_pause_may_be_a_little_longer_than_a_second() -> None:
    assert Limits(pause=1.001).pause == 1.001
    assert Limits().pause > 1


def test_an_answer_is_due_after_the_pause_and_after_the_last_one() -> None:
    assert due(100.0, None, pause=2.0, pace=5.0) == 102.0
    assert due(100.0, 90.0, pause=2.0, pace=5.0) == 102.0
    assert due(100.0, 99.0, pause=2.0, pace=5.0) == 104.0


@given(events, st.integers(0, 2**36), st.booleans(), st.integers(0, 100))
def test_no_event_breaks_a_guard(made: Event, now: int, known: bool, depth: int) -> None:
    case = Case(made, BOT, now, now, depth=depth, parents_known=known, parent=made)
    verdict = judge(case, Limits(quiet=(parse_quiet("22:00-07:00"),)), (*EARLY, *LATE))
    if isinstance(verdict, Wait):
        assert verdict.until > now
