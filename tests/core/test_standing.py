"""Whether an event stands, and what is said of it where its reader keeps what was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.mutes import Mutes
from nostr_threads.core.node import State
from nostr_threads.core.standing import Standing, Verdict
from nostr_threads.core.tally import Tally, tallies
from nostr_threads.core.thread import Thread
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified

PRESENT, DELETED, EXPIRED, HIDDEN = State.PRESENT, State.DELETED, State.EXPIRED, State.HIDDEN
NOTE = invented("note")
BRIEF = invented("brief", ("expiration", str(START)))
DELETION = invented("d", ("e", NOTE.id), kind=5, content="I was wrong")
VANISH = invented("v", ("relay", "ALL_RELAYS"), kind=62)
MUTED = Mutes(authors=frozenset((NOTE.pubkey,)))
CASES = [
    ((DELETION,), NOTE, Verdict(DELETED, "I was wrong")),
    ((VANISH,), NOTE, Verdict(DELETED, "its author asked to vanish")),
    ((DELETION, VANISH), NOTE, Verdict(DELETED, "I was wrong")),
    ((), BRIEF, Verdict(EXPIRED, "its author gave it an end")),
]


@pytest.mark.parametrize(("requests", "event", "verdict"), CASES)
def test_what_its_author_wanted_gone_is(
    requests: tuple[Verified, ...], event: Verified, verdict: Verdict
) -> None:
    assert Standing(requests, START).verdict(event) == verdict


@pytest.mark.parametrize(("requests", "event", "verdict"), CASES)
def test_what_is_kept_is_there_and_says_what_it_is(
    requests: tuple[Verified, ...], event: Verified, verdict: Verdict
) -> None:
    standing = Standing(requests, START, keep=True)
    kept = Verdict(PRESENT, verdict.why, verdict.state)
    assert standing.verdict(event) == kept


@pytest.mark.parametrize("keep", [True, False])
def test_what_stands_has_nothing_to_say(*, keep: bool) -> None:
    assert Standing([DELETION], START - 1, keep=keep).verdict(BRIEF) == Verdict(PRESENT)
    assert Verdict(PRESENT) == (PRESENT, "", None)


def test_what_is_muted_stays_hidden_where_all_else_is_kept() -> None:
    hidden = Verdict(HIDDEN, "its author is muted")
    assert Standing([DELETION], mutes=MUTED, keep=True).verdict(NOTE) == hidden
    assert Standing([DELETION], mutes=MUTED).verdict(NOTE).state is DELETED


def test_a_thread_shows_what_it_keeps_in_its_place() -> None:
    below = answer("below", "note", at=START + 1)
    thread = Thread.build([NOTE, DELETION, below], keep=True)
    assert [(node.id, node.state, node.why, node.kept) for node in thread.nodes] == [
        (NOTE.id, PRESENT, "I was wrong", DELETED),
        (below.id, PRESENT, "", None),
    ]


def test_a_kept_part_goes_on_in_its_text() -> None:
    parts = [invented("p1", ("part", "1", "2"), content="one ")]
    parts.append(answer("p2", "p1", at=START + 1, more=(("part", "2", "2"),)))
    deletion = invented("d", ("e", parts[1].id), kind=5)
    (article,) = Thread.build([*parts, deletion], keep=True).articles()
    assert (article.text, article.is_exact) == ("one p2", True)
    assert Thread.build([*parts, deletion]).articles() == ()


def test_a_reaction_that_was_taken_back_does_not_count() -> None:
    like = invented("like", ("e", NOTE.id), kind=7, content="+", by="bob")
    undone = invented("undone", ("e", like.id), kind=5, by="bob")
    assert tallies([NOTE, like]) == {NOTE.id: Tally({"+": 1})}
    assert tallies([NOTE, like, undone]) == {}


TARGETS = [invented(f"n{number}", by="ab"[number % 2]) for number in range(4)]
REQUESTS = [
    *(invented(f"d{n}", ("e", hex_of(f"n{n}")), kind=5, by="ab"[n % 2]) for n in range(4)),
    invented("va", ("relay", "ALL_RELAYS"), kind=62, by="a", at=START + 1),
    invented("foreign", ("e", hex_of("n0")), kind=5, by="b"),
]


@given(st.sets(st.sampled_from(REQUESTS)), st.sampled_from([None, MUTED]))
def test_keeping_changes_only_what_is_deleted_or_expired(
    requests: set[Verified], mutes: Mutes | None
) -> None:
    plain = Standing(requests, START, mutes)
    keeping = Standing(requests, START, mutes, keep=True)
    for event in (*TARGETS, BRIEF, NOTE):
        before, after = plain.verdict(event), keeping.verdict(event)
        if before.state in (DELETED, EXPIRED) and after.state is not HIDDEN:
            assert after == (PRESENT, before.why, before.state)
        elif after.state is HIDDEN:
            assert mutes is not None
        else:
            assert after == before
