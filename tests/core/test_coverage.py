"""What relays gave, added up: only a complete answer lets absence mean anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.coverage import Answer, Coverage, Finish, RelayCoverage, Tracker
from tests.core.invented import hex_of, invented

ONE, TWO = "wss://one.example", "wss://two.example"
EVENTS = tuple(invented(name) for name in "abcdef")
IDS = [event.id for event in EVENTS]

answers = st.builds(
    Answer,
    relay=st.sampled_from((ONE, TWO, "wss://three.example")),
    finish=st.sampled_from(Finish),
    events=st.lists(st.sampled_from(EVENTS), max_size=4).map(tuple),
    refused=st.integers(0, 5),
)


def covered(*given_answers: Answer) -> Coverage:
    tracker = Tracker()
    for answer in given_answers:
        tracker.add(answer)
    return tracker.coverage(IDS)


def by_url(coverage: Coverage) -> dict[str, RelayCoverage]:
    return {relay.url: relay for relay in coverage.relays}


@given(st.lists(answers, max_size=8))
def test_the_figures_of_each_relay_are_those_of_the_events_it_gave(asked: list[Answer]) -> None:
    held: dict[str, set[str]] = {}
    for answer in asked:
        held.setdefault(answer.relay, set()).update(event.id for event in answer.events)
    for url, relay in by_url(covered(*asked)).items():
        others = set[str]().union(*(ids for other, ids in held.items() if other != url))
        assert relay.events == len(held[url])
        assert relay.only_here == len(held[url] - others)
        assert relay.refused == sum(answer.refused for answer in asked if answer.relay == url)


@given(st.lists(answers, max_size=8))
def test_a_relay_is_unsure_as_soon_as_one_of_its_answers_was(asked: list[Answer]) -> None:
    doubtful = {answer.relay for answer in asked if answer.finish is not Finish.COMPLETE}
    assert set(covered(*asked).unsure) == doubtful


@given(st.lists(answers, max_size=6))
def test_the_worst_ending_counts_whatever_came_first(asked: list[Answer]) -> None:
    order = list(Finish)
    for url, relay in by_url(covered(*asked)).items():
        endings = [answer.finish for answer in asked if answer.relay == url]
        assert relay.finish is max(endings, key=order.index)
        assert relay.finish is by_url(covered(*reversed(asked)))[url].finish


def test_the_reason_is_that_of_the_worst_ending() -> None:
    coverage = covered(
        Answer(ONE, Finish.TIMEOUT, reason="slow"),
        Answer(ONE, Finish.LIMITED, reason="long"),
        Answer(ONE, Finish.COMPLETE),
    )
    assert coverage.relays[0].reason == "slow"


def test_the_reason_of_a_first_complete_answer_is_not_kept_for_a_later_failure() -> None:
    coverage = covered(Answer(ONE, Finish.COMPLETE), Answer(ONE, Finish.REFUSED, reason="no"))
    assert (coverage.relays[0].finish, coverage.relays[0].reason) == (Finish.REFUSED, "no")


def test_events_outside_of_what_is_counted_do_not_count() -> None:
    tracker = Tracker()
    tracker.add(Answer(ONE, Finish.COMPLETE, EVENTS))
    assert tracker.coverage([EVENTS[0].id, hex_of("elsewhere")]).relays[0].events == 1


def test_relays_stand_in_the_order_in_which_they_were_first_asked() -> None:
    asked = (Answer(TWO, Finish.LOST), Answer(ONE, Finish.COMPLETE), Answer(TWO, Finish.COMPLETE))
    assert [relay.url for relay in covered(*asked).relays] == [TWO, ONE]


def test_nothing_was_reached_when_every_relay_was_unreachable() -> None:
    gone = Answer(ONE, Finish.UNREACHABLE)
    assert not covered(gone).reached
    assert covered(gone, Answer(TWO, Finish.REFUSED)).reached
    assert not covered().reached


def test_a_relay_that_was_not_asked_now_is_not_unsure() -> None:
    assert Coverage((RelayCoverage(ONE, None, 3, 1),)).unsure == ()
