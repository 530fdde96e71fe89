"""Paging through relays with any cap: whole, or said not to be; honest or not, it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.pages import PAGE, Page, following, pages
from tests.core.invented import hex_of, invented

if TYPE_CHECKING:
    from random import Random

    from nostr_threads.core.event import Verified

Answering = Callable[[Filter], Page]
MOST_ROUNDS = 3000
ALL = Filter(kinds=(1,))


def notes(times: list[int]) -> list[Verified]:
    return [invented(f"note {number}", at=at) for number, at in enumerate(times)]


def honest(
    events: list[Verified], cap: int, hints: str = "none", *, shuffled: Random | None = None
) -> Answering:
    """A relay that sends the newest `cap` of what matches; `hints` says how it uses NIP-67.

    `shuffled`: the events of one second come in another order every time.
    """
    stored = sorted(events, key=lambda event: (-event.created_at, event.id))

    def answer(asked: Filter) -> Page:
        found = [event for event in stored if asked.matches(event)]
        if shuffled is not None:
            found.sort(key=lambda event: (-event.created_at, shuffled.random()))
        sent = found[: min(cap, asked.limit or cap)]
        said = "more" if len(sent) < len(found) else "finish"
        given_hints = (said,) if hints in ("both", said) else ()
        return Page(tuple(sent), len(sent), Finish.COMPLETE, given_hints)

    return answer


def ask(
    question: Filter,
    answering: Answering,
    *,
    page: int = PAGE,
    most: int = 100_000,
    cap: int | None = None,
    trusting: bool = True,
) -> tuple[set[str], Finish, list[Filter]]:
    """Drive the pages to their end; return the ids found, the ending and what was asked."""
    plan = pages(question, page=page, most=most, cap=cap, trusting=trusting)
    asked, found = [next(plan)], set[str]()
    try:
        while len(asked) < MOST_ROUNDS:
            got = answering(asked[-1])
            found |= {event.id for event in got.events}
            asked.append(plan.send(got))
    except StopIteration as ended:
        return found, ended.value[0], asked
    raise AssertionError("it did not end")


def ids(events: list[Verified]) -> set[str]:
    return {event.id for event in events}


def cursors(asked: list[Filter]) -> list[int]:
    return [item.until for item in asked if item.until is not None]


# Few seconds, so that many notes share one, and spells of nothing between.
times = st.lists(st.one_of(st.integers(100, 104), st.integers(0, 3000)), max_size=150)
hint_styles = st.sampled_from(("none", "finish", "more", "both"))


@given(times, st.integers(20, 60), hint_styles)
@settings(max_examples=300)
def test_an_honest_relay_with_a_cap_of_twenty_or_more_gives_all_or_is_limited(
    when: list[int], cap: int, hints: str
) -> None:
    """Whoever counts an answer as COMPLETE may say that what is not in it is not there."""
    events = notes(when)
    found, finish, asked = ask(ALL, honest(events, cap, hints))
    if finish is Finish.COMPLETE:
        assert found == {event.id for event in events}
    else:
        assert finish is Finish.LIMITED
        assert max(when.count(second) for second in when) >= cap - 1 or len(found) >= cap
    assert cursors(asked) == sorted(cursors(asked), reverse=True)


@given(times, st.integers(1, 19))
def test_a_smaller_cap_is_safe_with_hints(when: list[int], cap: int) -> None:
    """NIP-67: the presence of a hint is definitive."""
    events = notes(when)
    found, finish, _ = ask(ALL, honest(events, cap, "both"))
    assert finish is Finish.LIMITED or found == {event.id for event in events}


@given(times, st.integers(20, 60), hint_styles)
def test_no_second_that_is_thinner_than_the_cap_loses_an_event(
    when: list[int], cap: int, hints: str
) -> None:
    events = notes(when)
    found, _, _ = ask(ALL, honest(events, cap, hints))
    thin = {event.id for event in events if when.count(event.created_at) < cap}
    assert thin <= found


@given(times, st.integers(20, 60), st.integers(0, 200), st.integers(0, 200))
def test_since_and_until_hold_on_every_page(
    when: list[int], cap: int, since: int, length: int
) -> None:
    events = notes(when)
    question = Filter(kinds=(1,), since=since, until=since + length)
    found, finish, asked = ask(question, honest(events, cap, "none"))
    assert all(item.since == since for item in asked)
    assert max(cursors(asked)) == since + length
    if finish is Finish.COMPLETE:
        assert found == {event.id for event in events if question.matches(event)}


def test_a_relay_that_does_not_heed_since_is_not_followed_below_it() -> None:
    relay = honest(notes([8, 7, 3, 2]), 2)
    _, _, asked = ask(Filter(since=5), lambda asked: relay(replace(asked, since=None)))
    assert cursors(asked) == [7]


lying_pages = st.builds(
    Page,
    events=st.lists(
        st.builds(
            lambda name, at: invented(str(name), at=at), st.integers(0, 30), st.integers(0, 2000)
        ),
        max_size=5,
    ).map(tuple),
    sent=st.integers(0, 600),
    finish=st.just(Finish.COMPLETE),
    hints=st.sampled_from(((), ("more",), ("unheard of",))),
)


@given(st.lists(lying_pages, min_size=1, max_size=4), st.none() | st.integers(0, 1000))
def test_a_lying_relay_cannot_keep_us_or_move_the_cursor_up(
    script: list[Page], until: int | None
) -> None:
    """Repeated pages, events newer than `until`, "more" for ever, counts that are not true."""
    turn = iter(range(10**9))
    _, finish, asked = ask(
        Filter(until=until), lambda _: script[next(turn) % len(script)], most=100
    )
    assert finish in (Finish.COMPLETE, Finish.LIMITED)
    assert cursors(asked) == sorted(cursors(asked), reverse=True)


def test_a_relay_that_repeats_a_page_newer_than_asked_for_is_limited() -> None:
    stuck = invented("stuck", at=1_700_000_000)
    page = Page((stuck,), 1, Finish.COMPLETE, ("more",))
    _, finish, asked = ask(ALL, lambda _: page)
    assert finish is Finish.LIMITED
    assert len(asked) < 5


def test_more_without_events_is_limited() -> None:
    _, finish, asked = ask(ALL, lambda _: Page((), 0, Finish.COMPLETE, ("more",)))
    assert (finish, len(asked)) == (Finish.LIMITED, 1)


def test_a_relay_that_invents_events_for_ever_is_stopped() -> None:
    made = iter(range(10**9))

    def endless(asked: Filter) -> Page:
        at = 10**9 if asked.until is None else asked.until - 1
        return Page((invented(f"made {next(made)}", at=at),), 1, Finish.COMPLETE)

    found, finish, _ = ask(ALL, endless, most=500)
    assert (finish, len(found)) == (Finish.LIMITED, 500)


def test_one_event_a_page_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nostr_threads.core.pages._MOST_PAGES", 7)
    times = iter(range(10**6, 0, -1))
    _, finish, asked = ask(
        ALL, lambda _: Page((invented(str(at := next(times)), at=at),), 1, Finish.COMPLETE)
    )
    assert (finish, len(asked)) == (Finish.LIMITED, 7)


@pytest.mark.parametrize("finish", [each for each in Finish if each is not Finish.COMPLETE])
def test_a_page_that_ends_early_ends_it_all(finish: Finish) -> None:
    plan = pages(ALL)
    next(plan)
    with pytest.raises(StopIteration) as ended:
        plan.send(Page((invented("one"),), 1, finish, reason="why"))
    assert ended.value.value == (finish, "why")


def test_finish_ends_it_at_the_first_page() -> None:
    _, finish, asked = ask(ALL, honest(notes(list(range(10))), 500, "finish"))
    assert (finish, len(asked)) == (Finish.COMPLETE, 1)


def test_unknown_hints_are_as_good_as_none() -> None:
    """NIP-67: clients must ignore unknown hint values."""
    events = notes(list(range(50)))

    def answer(asked: Filter) -> Page:
        got = honest(events, 20, "none")(asked)
        return Page(got.events, got.sent, got.finish, ("partial", "💥"))

    found, finish, _ = ask(ALL, answer)
    assert (len(found), finish) == (50, Finish.COMPLETE)


def test_ids_that_were_all_found_are_not_asked_for_again() -> None:
    events = notes([5, 6, 7])
    question = Filter(ids=tuple(event.id for event in events))
    _, finish, asked = ask(question, honest(events, 500, "none"))
    assert (finish, len(asked)) == (Finish.COMPLETE, 1)


def test_a_dense_second_is_stepped_over_and_told() -> None:
    """The rule of dense seconds: LIMITED, never silently partial, and what is older still comes."""
    events = notes([1000] * 30 + [900] * 5)
    found, finish, _ = ask(ALL, honest(events, 20, "none"))
    assert finish is Finish.LIMITED
    assert {event.id for event in events if event.created_at == 900} <= found


def test_an_answer_of_forgeries_alone_is_not_complete() -> None:
    _, finish, _ = ask(ALL, lambda _: Page((), 3, Finish.COMPLETE, refused=3))
    assert finish is Finish.LIMITED


def test_the_page_size_is_asked_for() -> None:
    assert next(pages(Filter(limit=3), page=77)).limit == 77


def crowd_of(size: int, chance: Random) -> list[Verified]:
    """Everything in one second and its neighbours, to be told apart by kind, author and tags."""
    return [
        invented(
            f"{number}",
            ("t", chance.choice("abcd")),
            ("t", chance.choice("abcd")),
            kind=chance.randint(1, 3),
            at=chance.choice((500, 500, 500, 499, 700)),
            by=chance.choice(("alice", "bob", "carol")),
        )
        for number in range(size)
    ]


crowds = st.builds(crowd_of, st.integers(0, 150), st.randoms(use_true_random=True))
CROWDED = Filter(
    kinds=(1, 2, 3),
    authors=tuple(map(hex_of, ("alice", "bob", "carol"))),
    tags={"t": tuple("abcd")},
)


class TestDenseSeconds:
    @given(crowds, st.integers(20, 60), hint_styles, st.booleans(), st.randoms())
    def test_an_honest_relay_gives_all_of_a_crowded_second_or_is_limited(
        self, events: list[Verified], cap: int, hints: str, is_said: bool, chance: Random
    ) -> None:
        relay = honest(events, cap, hints, shuffled=chance)
        found, finish, asked = ask(CROWDED, relay, cap=cap if is_said else None)
        assert finish is Finish.LIMITED or found == ids(events)
        assert cursors(asked) == sorted(cursors(asked), reverse=True)

    @given(crowds, st.integers(20, 60), st.randoms())
    def test_a_relay_that_says_it_is_finished_when_it_is_not_proves_nothing_by_that(
        self, events: list[Verified], cap: int, chance: Random
    ) -> None:
        """NIP-67, from a relay that was caught lying."""
        true = honest(events, cap, shuffled=chance)
        found, finish, _ = ask(
            CROWDED, lambda asked: replace(true(asked), hints=("finish",)), trusting=False
        )
        assert finish is Finish.LIMITED or found == ids(events)

    @pytest.mark.parametrize("hints", ["none", "both"])
    @pytest.mark.parametrize(
        ("question", "varied"),
        [
            (Filter(kinds=tuple(range(7))), "kind"),
            (Filter(authors=tuple(hex_of(str(each)) for each in range(7))), "author"),
            (Filter(kinds=(1,), tags={"t": tuple("0123456")}), "tag"),
        ],
    )
    def test_a_second_of_2100_events_comes_whole_in_pieces(
        self, question: Filter, varied: str, hints: str
    ) -> None:
        crowd = [
            invented(
                f"crowd {number}",
                ("t", str(number % 7 if varied == "tag" else 0)),
                kind=number % 7 if varied == "kind" else 1,
                by=str(number % 7 if varied == "author" else 0),
            )
            for number in range(2100)
        ]
        older = [invented(f"older {at}", ("t", "0"), by="0", at=at) for at in range(50)]
        relay = honest([*crowd, *older], 500, hints)
        found, finish, asked = ask(question, relay)
        assert (finish, found) == (Finish.COMPLETE, ids([*crowd, *older]))
        assert len(asked) < 20

    def test_a_second_that_cannot_be_cut_is_limited_and_what_is_older_still_comes(self) -> None:
        crowd = [invented(f"crowd {number}") for number in range(2100)]
        older = notes(list(range(600)))
        found, finish, asked = ask(ALL, honest([*crowd, *older], 500))
        assert finish is Finish.LIMITED
        assert ids(older) <= found
        assert len(asked) < 8

    def test_one_piece_that_cannot_be_proven_leaves_the_others_whole(self) -> None:
        crowd = [invented(f"many {number}") for number in range(600)]
        few = [invented(f"few {number}", kind=2) for number in range(400)]
        found, finish, _ = ask(Filter(kinds=(1, 2)), honest([*crowd, *few], 500))
        assert finish is Finish.LIMITED
        assert ids(few) <= found

    @pytest.mark.parametrize(
        ("kinds", "finish"), [((1, 2), Finish.COMPLETE), ((1,), Finish.LIMITED)]
    )
    def test_an_answer_of_one_second_is_complete_when_its_pieces_prove_it(
        self, kinds: tuple[int, ...], finish: Finish
    ) -> None:
        """Without NIP-67 and NIP-11, thirty events may be all that the relay gives at once."""
        events = [invented(str(number), kind=kinds[number % len(kinds)]) for number in range(30)]
        found, ending, _ = ask(Filter(kinds=kinds), honest(events, 500))
        assert (ending, found) == (finish, ids(events))

    def test_ids_of_one_second_are_found_in_pieces(self) -> None:
        events = [invented(str(number)) for number in range(90)]
        question = Filter(ids=tuple(event.id for event in events))
        found, finish, _ = ask(question, honest(events, 20))
        assert (finish, found) == (Finish.COMPLETE, ids(events))

    def test_a_relay_that_leaves_out_of_a_piece_what_it_gave_before_is_limited(self) -> None:
        """Here `since` is exclusive, so every piece of a second comes back empty."""
        events = [invented(str(number), kind=number % 5) for number in range(100)]
        relay = honest(events, 50)
        _, finish, _ = ask(
            Filter(kinds=tuple(range(5))),
            lambda asked: relay(
                replace(asked, since=None if asked.since is None else asked.since + 1)
            ),
        )
        assert finish is Finish.LIMITED

    def test_what_came_in_one_piece_must_come_in_its_halves_too(self) -> None:
        some, others = [[invented(f"{kind} {n}", kind=kind) for n in range(20)] for kind in (1, 4)]

        def answer(asked: Filter) -> Page:
            kinds = asked.kinds or ()
            events = some if 1 in kinds else others if len(kinds) > 1 else []
            return Page(tuple(events), len(events), Finish.COMPLETE)

        assert ask(Filter(kinds=(1, 2, 3, 4)), answer, cap=20)[:2] == (
            ids([*some, *others]),
            Finish.LIMITED,
        )

    def test_a_piece_full_of_nothing_that_was_asked_for_is_not_cut(self) -> None:
        """Forged events cost the relay nothing; each cut would cost us a question."""
        crowd = notes([9] * 20)

        def answer(asked: Filter) -> Page:
            is_piece = asked.since is not None
            return Page(() if is_piece else tuple(crowd), 20, Finish.COMPLETE)

        _, finish, asked = ask(Filter(kinds=tuple(range(64))), answer)
        assert finish is Finish.LIMITED
        assert len([each for each in asked if each.since is not None]) == 2

    def test_a_piece_that_ends_early_ends_it_all(self) -> None:
        events = [invented(str(number), kind=number % 5) for number in range(100)]
        relay = honest(events, 50)

        def answer(asked: Filter) -> Page:
            return relay(asked) if asked.since is None else Page((), 0, Finish.REFUSED)

        _, finish, _ = ask(Filter(kinds=tuple(range(5))), answer)
        assert finish is Finish.REFUSED

    @pytest.mark.parametrize("hints", [(), ("more",)])
    def test_a_relay_that_fills_every_piece_is_left_for_older_seconds(
        self, monkeypatch: pytest.MonkeyPatch, hints: tuple[str, ...]
    ) -> None:
        monkeypatch.setattr("nostr_threads.core.pages._MOST_PIECES", 10)
        many = tuple(map(str, range(100)))
        crowd = tuple(invented(str(number)) for number in range(20))
        older = invented("older", at=5)

        def answer(asked: Filter) -> Page:
            is_below = asked.until is not None and asked.until < crowd[0].created_at
            events = (older,) if is_below else crowd
            return Page(events, len(events), Finish.COMPLETE, () if is_below else hints)

        question = Filter(kinds=tuple(range(100)), authors=many, tags={"t": many, "e": many})
        found, finish, asked = ask(question, answer)
        assert (finish, older.id in found) == (Finish.LIMITED, True)
        assert 10 < len(asked) < 20

    def test_pieces_count_as_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nostr_threads.core.pages._MOST_PAGES", 9)
        crowd = tuple(invented(str(number)) for number in range(20))
        _, finish, asked = ask(
            Filter(kinds=tuple(range(100))), lambda _: Page(crowd, 20, Finish.COMPLETE)
        )
        assert (finish, len(asked)) == (Finish.LIMITED, 9)

    def test_the_most_events_hold_in_pieces_too(self) -> None:
        crowd = [invented(str(number), kind=number % 5) for number in range(100)]
        found, finish, _ = ask(Filter(kinds=tuple(range(5))), honest(crowd, 20), most=40)
        assert finish is Finish.LIMITED
        assert 40 <= len(found) < 100


class TestCap:
    def test_a_declared_cap_proves_the_end_of_a_full_looking_second(self) -> None:
        """NIP-11's `max_limit`: 30 events are not all that a relay with a cap of 500 gives."""
        events = notes([7] * 30)
        assert ask(ALL, honest(events, 500), cap=None)[1] is Finish.LIMITED
        found, finish, asked = ask(ALL, honest(events, 500), cap=500)
        assert (finish, found, len(asked)) == (Finish.COMPLETE, ids(events), 3)

    def test_a_declared_cap_that_is_too_high_is_disproved_by_what_is_older(self) -> None:
        """A page that is not full would have reached it."""
        events = notes([7] * 30 + [6] * 5)
        assert ask(ALL, honest(events[:30] + events[30:], 20), cap=500)[1] is Finish.LIMITED

    def test_a_cap_smaller_than_twenty_is_believed(self) -> None:
        events = notes([9, 9, 9, 9, 9, 9, 8, 7])
        found, finish, _ = ask(ALL, honest(events, 5), cap=5)
        assert finish is Finish.LIMITED
        assert ids(events[6:]) <= found

    def test_a_page_smaller_than_the_cap_is_full_when_it_brings_all_that_was_asked_for(
        self,
    ) -> None:
        events = notes([9] * 15 + [8])
        found, finish, _ = ask(ALL, honest(events, 500), page=10, cap=500)
        assert (finish, events[-1].id in found) == (Finish.LIMITED, True)

    def test_a_relay_that_gives_less_than_its_cap_is_not_believed_any_more(self) -> None:
        """It had more than the page that was short for the cap that it declares."""
        events = notes(list(range(1000, 1100)) + [500] * 40 + [400])
        found, finish, _ = ask(ALL, honest(events, 25), cap=500)
        assert finish is Finish.LIMITED
        assert events[-1].id in found


def test_a_busy_and_a_sparse_relay_give_everything_each_with_its_own_cursor() -> None:
    """10,000 of 10,000: one `until` for both would pass over the hundred."""
    busy = notes([10**6 + number // 10 for number in range(9900)])
    sparse = [invented(f"sparse {number}", at=number * 20_000) for number in range(100)]
    answers = [ask(ALL, honest(stored, 500)) for stored in (busy, sparse)]
    assert [finish for _, finish, _ in answers] == [Finish.COMPLETE] * 2
    assert answers[0][0] | answers[1][0] == ids(busy) | ids(sparse)
    assert [len(asked) for _, _, asked in answers] == [22, 2]


class TestFollowing:
    @given(crowds | times.map(notes), st.integers(20, 60), hint_styles, st.integers(0, 4000))
    def test_it_guesses_what_is_asked_next(
        self, events: list[Verified], cap: int, hints: str, until: int
    ) -> None:
        """Unless the page is the last one, or its second is asked in pieces."""
        question = Filter(kinds=(1, 2, 3), since=50, until=until)
        relay = honest(events, cap, hints)
        _, _, asked = ask(question, relay)
        for now, then in pairwise(asked):
            when = [event.created_at for event in relay(now).events]
            guess = following(question, now, when)
            is_in_pieces = {now.kinds, then.kinds} != {question.kinds} or then.limit == 1
            assert guess == (None if is_in_pieces else then)

    @pytest.mark.parametrize(
        ("question", "when"),
        [
            (ALL, []),
            (Filter(ids=("a" * 64,)), [5, 6]),
            (Filter(until=5), [5, 5]),
            (Filter(until=5), [7, 6]),
            (Filter(since=5), [4]),
        ],
        ids=["nothing came", "ids", "the cursor does not move", "all newer", "all older"],
    )
    def test_there_are_pages_after_which_nothing_is_guessed(
        self, question: Filter, when: list[int]
    ) -> None:
        assert following(question, next(pages(question)), when) is None

    def test_the_first_page_is_followed_by_its_oldest_second(self) -> None:
        first = next(pages(ALL, page=70))
        assert following(ALL, first, [9, 7, 8]) == replace(ALL, until=7, limit=70)
