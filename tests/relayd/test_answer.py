"""NIP-67's hints: "finish" and "more" are both exact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.filters import Filter
from nostr_threads.relayd.answer import ask, read
from nostr_threads.relayd.limits import Limits
from nostr_threads.testing import START, Author
from tests.relayd.peers import NOW, stocked

ALICE, BOB = Author(1), Author(2)
NOTES = [
    author.event(kind, f"{number}", START + number // 3)
    for number in range(4)
    for author in (ALICE, BOB)
    for kind in (1, 9)
]
STORE = stocked(NOTES)


@pytest.mark.parametrize(("limit", "hint"), [(15, "more"), (16, "finish"), (17, "finish")])
def test_the_hint_is_right_at_the_boundary(limit: int, hint: str) -> None:
    assert ask(STORE, [Filter(limit=limit)], Limits(), now=NOW).hints == (hint,)
    assert ask(STORE, [Filter()], Limits(max_limit=limit), now=NOW).hints == (hint,)
    assert ask(STORE, [Filter()], Limits(default_limit=limit), now=NOW).hints == (hint,)


def test_a_limit_of_zero_sends_nothing_and_says_whether_there_is_something() -> None:
    nothing = Filter(limit=0, kinds=(77,))
    assert ask(STORE, [nothing], Limits(), now=NOW).hints == ("finish",)
    answer = ask(STORE, [Filter(limit=0)], Limits(), now=NOW)
    assert (len(answer), answer.hints) == (0, ("more",))


def test_what_one_filter_left_out_may_come_by_another() -> None:
    filters = [Filter(kinds=(1,), limit=1), Filter(kinds=(1,))]
    answer = ask(STORE, filters, Limits(), now=NOW)
    assert (len(answer), answer.complete) == (8, True)


_filters = st.builds(
    Filter,
    kinds=st.sampled_from([None, (1,), (9,), (1, 9)]),
    authors=st.sampled_from([None, (ALICE.pubkey,), (BOB.pubkey,)]),
    since=st.sampled_from([None, START, START + 1]),
    limit=st.none() | st.integers(0, 17),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(_filters, min_size=1, max_size=4), st.integers(1, 20), st.integers(0, 20))
def test_an_answer_is_complete_exactly_when_it_holds_all_that_matches(
    filters: list[Filter], most: int, default: int
) -> None:
    limits = Limits(max_limit=most, default_limit=default)
    answer = ask(STORE, filters, limits, now=NOW)
    matching = {note.id for note in NOTES if any(item.matches(note) for item in filters)}
    events = read(STORE, answer, 0)
    assert None not in events
    sent = [event.id for event in events if event is not None]
    assert answer.complete == (set(sent) == matching)
    assert set(sent) <= matching
    assert len(sent) == len(set(sent)) <= most
    order = [(-event.created_at, event.id) for event in events if event is not None]
    assert order == sorted(order)


def test_a_negative_limit_is_a_mistake_of_whoever_set_it() -> None:
    with pytest.raises(ValueError, match="negative"):
        Limits(max_limit=-1)
