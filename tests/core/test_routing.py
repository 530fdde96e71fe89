"""Which relays are used: budgets that strangers cannot break, and a choice that can be repeated."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.nip19 import PublicKey, encode
from nostr_threads.core.relay_lists import RelayList
from nostr_threads.core.routing import Choice, Reason, Record, Router, write_routes
from tests.core.invented import hex_of

ALICE, BOB, CAROL = hex_of("alice"), hex_of("bob"), hex_of("carol")


def relay(name: object) -> str:
    return f"wss://{name}.example"


def seeded(seed: int) -> Random:
    return Random(seed)


def may_dial(url: str) -> bool:
    return "local" not in url


_urls = st.sampled_from([relay(number) for number in range(14)] + [relay("local1")])
_url_lists = st.lists(_urls, max_size=6, unique=True).map(tuple)
_authors = st.integers(0, 9).map(lambda number: hex_of(str(number)))
_lists = st.dictionaries(_authors, st.builds(RelayList, _url_lists, _url_lists), max_size=8)
_pairs = st.lists(st.tuples(_urls, _authors), max_size=20)
_firsts = st.lists(st.builds(Choice, _urls, st.just(Reason.CONFIGURED)), max_size=4)
_floats = st.floats(0, 1000)
_records = st.dictionaries(_urls, st.builds(Record, _floats, _floats), max_size=8)
_seeds = st.integers(0, 1000)
_calls = st.lists(st.one_of(_lists, _pairs), max_size=5)


def router(*first: str, most: int = 40, seed: int = 1, per_author: int = 3) -> Router:
    return Router(
        [Choice(url, Reason.CONFIGURED) for url in first],
        may_dial=may_dial,
        random=seeded(seed),
        most=most,
        per_author=per_author,
    )


def apply(asked: Router, call: dict[str, RelayList] | list[tuple[str, str]]) -> None:
    if isinstance(call, dict):
        asked.people(call)
    else:
        asked.hints(call)


def relays(asked: Router) -> list[str]:
    return [choice.relay for choice in asked.choices]


def dialable(urls: tuple[str, ...]) -> set[str]:
    return {url for url in urls if may_dial(url)}


@given(_firsts, _calls, _records, _seeds, st.integers(0, 12), st.integers(0, 4))
def test_whatever_comes_the_relays_stay_within_budget_distinct_and_dialable(
    first: list[Choice],
    calls: list[dict[str, RelayList] | list[tuple[str, str]]],
    records: dict[str, Record],
    seed: int,
    most: int,
    per_author: int,
) -> None:
    asked = Router(
        first,
        may_dial=may_dial,
        records=records,
        random=seeded(seed),
        most=most,
        per_author=per_author,
    )
    before = asked.choices
    for call in calls:
        apply(asked, call)
        assert asked.choices[: len(before)] == before
        before = asked.choices
    assert len(relays(asked)) == len(set(relays(asked))) <= most
    assert all(may_dial(url) for url in relays(asked))


@given(_firsts, _lists, _seeds, st.integers(0, 16), st.integers(1, 4))
def test_everybody_gets_their_relays_unless_the_budget_is_spent(
    first: list[Choice], lists: dict[str, RelayList], seed: int, most: int, per_author: int
) -> None:
    asked = Router(first, may_dial=may_dial, random=seeded(seed), most=most, per_author=per_author)
    asked.people(lists)
    used = set(relays(asked))
    for theirs in lists.values():
        for urls in (dialable(theirs.write), dialable(theirs.read)):
            assert len(urls & used) >= min(per_author, len(urls)) or len(used) == most
    assert not asked.unasked or len(used) == most


@given(_calls, _records, _seeds, st.integers(0, 12))
def test_the_same_seed_chooses_the_same_in_whatever_order_things_come(
    calls: list[dict[str, RelayList] | list[tuple[str, str]]],
    records: dict[str, Record],
    seed: int,
    most: int,
) -> None:
    one, other = (
        Router([], may_dial=may_dial, records=records, random=seeded(seed), most=most)
        for _ in range(2)
    )
    for call in calls:
        apply(one, call)
        turned = dict(reversed(call.items())) if isinstance(call, dict) else call[::-1]
        apply(other, turned)
    assert one.choices == other.choices
    assert one.unasked == other.unasked


@given(_lists, _seeds)
def test_telling_the_same_lists_again_changes_nothing(
    lists: dict[str, RelayList], seed: int
) -> None:
    asked = router(most=6, seed=seed)
    asked.people(lists)
    before = asked.choices, asked.unasked
    asked.people(lists)
    assert (asked.choices, asked.unasked) == before


@given(_pairs, _seeds, st.integers(0, 20))
def test_hints_take_half_of_what_is_left_and_one_relay_for_each_author(
    pairs: list[tuple[str, str]], seed: int, most: int
) -> None:
    asked = router(relay("first"), most=most, seed=seed)
    free = most - len(relays(asked))
    for _ in range(3):
        asked.hints(pairs)
    taken = [choice for choice in asked.choices if choice.reason is Reason.HINT]
    assert len(taken) <= free // 2
    assert len({choice.of for choice in taken}) == len(taken)
    assert all((choice.relay, choice.of) in pairs for choice in taken)


@given(_pairs, _pairs, _seeds, st.integers(0, 20))
def test_hints_to_what_is_missing_take_no_more_than_half_and_three_for_each_author(
    pairs: list[tuple[str, str]], sought: list[tuple[str, str]], seed: int, most: int
) -> None:
    asked = router(relay("first"), most=most, seed=seed)
    free = most - len(relays(asked))
    for _ in range(3):
        asked.hints([*pairs, *sought], sought=sought)
    taken = [choice for choice in asked.choices if choice.reason is Reason.HINT]
    assert len(taken) <= free // 2
    by_author = Counter(choice.of for choice in taken)
    assert all(number <= 3 for number in by_author.values())
    wanted = {url for url, _ in sought if may_dial(url)}
    assert asked.left_out <= wanted - set(relays(asked))
    if asked.unasked == 0:
        assert asked.left_out == wanted - set(relays(asked))


@given(_lists, _pairs)
def test_without_widening_it_stays_at_the_first_relays(
    lists: dict[str, RelayList], pairs: list[tuple[str, str]]
) -> None:
    first = Choice(relay(1), Reason.NAMED)
    asked = Router([first], may_dial=may_dial, random=seeded(1), widen=False)
    asked.people(lists)
    asked.hints(pairs)
    assert asked.choices == (first,)
    assert asked.unasked == 0


def test_one_relay_that_all_share_serves_all() -> None:
    lists = {
        hex_of(str(number)): RelayList((relay(number), relay("shared")), ()) for number in range(20)
    }
    asked = router(per_author=1)
    asked.people(lists)
    assert relay("shared") in relays(asked)
    assert len(relays(asked)) < 10


def test_a_relay_in_use_counts_for_the_author_who_lists_it() -> None:
    asked = router(relay(1), per_author=1)
    asked.people({ALICE: RelayList((relay(1), relay(2)), (relay(1),))})
    assert relays(asked) == [relay(1)]


def test_a_near_budget_gives_everybody_one_relay_before_anybody_two() -> None:
    lists = {
        author: RelayList(tuple(relay(f"{name}{number}") for number in range(3)), ())
        for name, author in (("a", ALICE), ("b", BOB), ("c", CAROL))
    }
    asked = router(most=3)
    asked.people(lists)
    assert {choice.of for choice in asked.choices} == {ALICE, BOB, CAROL}
    assert asked.unasked == 6


def test_a_relay_that_delivered_goes_before_one_that_never_did() -> None:
    records = {relay("good"): Record(20, 2), relay("dead"): Record(0, 20)}
    lists = {ALICE: RelayList((relay("dead"), relay("good")), ())}
    good = 0
    for seed in range(200):
        asked = Router([], may_dial=may_dial, records=records, random=seeded(seed), per_author=1)
        asked.people(lists)
        good += relays(asked) == [relay("good")]
    assert good >= 195


def test_a_relay_that_failed_a_few_times_is_still_tried_at_times() -> None:
    records = {relay("failed"): Record(0, 3)}
    lists = {ALICE: RelayList((relay("failed"), relay("new")), ())}
    tried = 0
    for seed in range(200):
        asked = Router([], may_dial=may_dial, records=records, random=seeded(seed), per_author=1)
        asked.people(lists)
        tried += relays(asked) == [relay("failed")]
    assert 10 <= tried <= 80


def test_no_number_of_failures_rules_a_relay_out_for_ever() -> None:
    records = {relay("failed"): Record(0, 1e9)}
    lists = {ALICE: RelayList((relay("failed"), relay("new")), ())}
    tried = 0
    for seed in range(1000):
        asked = Router([], may_dial=may_dial, records=records, random=seeded(seed), per_author=1)
        asked.people(lists)
        tried += relays(asked) == [relay("failed")]
    assert 1 <= tried <= 50


def test_a_record_beyond_all_measure_does_not_break_the_choice() -> None:
    records = {relay(1): Record(0, 1e308), relay(2): Record(1e308, 0)}
    asked = Router([], may_dial=may_dial, records=records, random=seeded(1))
    asked.people({ALICE: RelayList((relay(1), relay(2)), ())})
    assert set(relays(asked)) == {relay(1), relay(2)}


class Hopeless:
    """A chance that is always nil."""

    def betavariate(self, _alpha: float, _beta: float, /) -> float:
        return 0.0


def test_relays_without_any_odds_still_serve_everybody() -> None:
    asked = Router([], may_dial=may_dial, random=Hopeless(), per_author=1)
    asked.people({ALICE: RelayList((relay(1), relay(2)), ()), BOB: RelayList((relay(3),), ())})
    assert relays(asked) == [relay(1), relay(3)]


def test_one_author_with_ten_thousand_hints_gets_one_relay() -> None:
    asked = router()
    for start in range(0, 10_000, 2500):
        asked.hints((relay(number), BOB) for number in range(start, start + 2500))
    assert len(asked.choices) == 1


def test_hints_to_what_is_missing_go_first_and_more_than_three_of_one_author_are_told() -> None:
    asked = router(per_author=3)
    other, *sought = [(relay(number), BOB) for number in range(6)]
    asked.hints([other, *sought], sought=sought)
    assert len(asked.choices) == 3
    assert set(relays(asked)) < {url for url, _ in sought}
    assert asked.left_out == {url for url, _ in sought} - set(relays(asked))
    asked.hints([other, *sought], sought=[])
    assert (len(asked.choices), asked.left_out) == (3, frozenset())


def test_ten_thousand_authors_with_a_hint_each_get_half_of_the_budget_at_most() -> None:
    asked = router(relay("first"), relay("second"), most=40)
    for _ in range(3):
        asked.hints((relay(number), hex_of(str(number))) for number in range(10_000))
    assert len(asked.choices) == 2 + 19
    assert asked.unasked == 10_000 - 19


def test_many_authors_with_lists_of_their_own_stay_within_the_budget() -> None:
    lists = {
        hex_of(str(number)): RelayList(tuple(relay(f"{number}-{i}") for i in range(5)), ())
        for number in range(300)
    }
    asked = router(most=40)
    asked.people(lists)
    assert len(asked.choices) == 40
    assert asked.unasked == 300 * 3 - 40


def test_what_more_authors_hint_at_comes_first() -> None:
    pairs = [(relay("rare"), ALICE), *((relay("common"), hex_of(str(n))) for n in range(50))]
    asked = router(most=2)
    asked.hints(pairs)
    assert relays(asked) == [relay("common")]


def test_a_hint_that_nobody_may_dial_does_not_use_up_its_author() -> None:
    asked = router()
    asked.hints([(relay("local"), ALICE)])
    asked.hints([(relay("real"), ALICE)])
    assert relays(asked) == [relay("real")]


def test_a_relay_passed_over_as_a_hint_may_still_come_with_its_author() -> None:
    asked = router(most=1)
    asked.hints([(relay(1), ALICE)])
    assert (relays(asked), asked.unasked) == ([], 1)
    asked.people({ALICE: RelayList((relay(1),), ())})
    assert (relays(asked), asked.unasked) == ([relay(1)], 0)


def test_first_relays_beyond_the_budget_are_counted_as_unasked() -> None:
    asked = router(*(relay(number) for number in range(5)), relay("local"), most=3)
    assert relays(asked) == [relay(0), relay(1), relay(2)]
    assert asked.unasked == 2


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.NAMED, "named by hand"),
        (Reason.CONFIGURED, "relays.toml"),
        (Reason.WRITES, "own write relay"),
        (Reason.SEEN, "seen there before"),
    ],
)
def test_a_choice_says_why_in_words(reason: Reason, words: str) -> None:
    assert Choice(relay(1), reason).words == words


@pytest.mark.parametrize("reason", Reason)
def test_a_choice_says_whose_list_or_hint_it_is_by_the_ends_of_the_npub(reason: Reason) -> None:
    npub = encode(PublicKey(ALICE))
    choice = Choice(relay(1), reason)
    assert choice.words
    assert replace(choice, of=ALICE).words.endswith(f" of {npub[:10]}…{npub[-4:]}")


def routes(
    *,
    own: RelayList | None = None,
    configured: tuple[str, ...] = (),
    tagged: dict[str, RelayList] | None = None,
    seen: tuple[str, ...] = (),
    most: int = 20,
    seed: int = 1,
) -> tuple[Choice, ...]:
    return write_routes(
        own=own,
        configured=configured,
        tagged=tagged or {},
        seen=seen,
        may_dial=may_dial,
        random=seeded(seed),
        most=most,
    )


def test_own_write_relays_come_first_then_relays_toml_then_readers_then_where_it_was_seen() -> None:
    found = routes(
        own=RelayList((relay("own"), relay("both")), (relay("own-read"),)),
        configured=(relay("both"), relay("toml")),
        tagged={ALICE: RelayList((relay("alice-writes"),), (relay("alice-reads"),))},
        seen=(relay("seen"),),
    )
    assert found == (
        Choice(relay("own"), Reason.WRITES),
        Choice(relay("both"), Reason.WRITES),
        Choice(relay("toml"), Reason.CONFIGURED),
        Choice(relay("alice-reads"), Reason.READS, ALICE),
        Choice(relay("seen"), Reason.SEEN),
    )


def test_without_an_own_list_the_configured_writers_are_used() -> None:
    assert routes(configured=(relay(1),)) == (Choice(relay(1), Reason.CONFIGURED),)


def test_two_relays_where_the_parent_was_seen_are_enough() -> None:
    seen = tuple(relay(number) for number in range(9))
    assert len(routes(seen=seen)) == 2
    assert len(routes(seen=seen, configured=(relay(3), relay(4)))) == 2


@given(
    st.one_of(st.none(), st.builds(RelayList, _url_lists, _url_lists)),
    _url_lists,
    _lists,
    _url_lists,
    st.integers(0, 12),
    _seeds,
)
def test_configured_writers_stay_in_and_strangers_get_what_the_budget_leaves(
    own: RelayList | None,
    configured: tuple[str, ...],
    tagged: dict[str, RelayList],
    seen: tuple[str, ...],
    most: int,
    seed: int,
) -> None:
    found = routes(own=own, configured=configured, tagged=tagged, seen=seen, most=most, seed=seed)
    used = [choice.relay for choice in found]
    kept = dialable(configured)
    assert kept <= set(used)
    assert len(used) == len(set(used)) <= max(most, len(kept))
    assert all(may_dial(url) for url in used)
    turned = dict(reversed(tagged.items()))
    assert found == routes(
        own=own, configured=configured, tagged=turned, seen=seen, most=most, seed=seed
    )
    if len(used) < most:
        assert dialable(own.write if own else ()) <= set(used)
        for theirs in tagged.values():
            reads = dialable(theirs.read)
            assert len(reads & set(used)) >= min(3, len(reads))
