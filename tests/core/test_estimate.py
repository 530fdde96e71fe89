"""How many events there are in all: Chao2's published figures, and simulated threads."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.estimate import Estimate, _chao2, estimate


def seeded(seed: int) -> Random:
    return Random(seed)


_samples = st.lists(st.frozensets(st.integers(0, 30).map(str)), max_size=8)


@pytest.mark.parametrize(
    ("frequencies", "units", "published"),
    [
        # "Chao2-bc" with its 95% interval as SpadeR 0.1 (Chao, Ma, Hsieh, Chiu 2016) prints it for
        # the ants in pitfall traps of Ruzi et al., dry season: 32.625 (21.950, 72.154), 35.469
        # (23.977, 80.164) and, without duplicates, 79.875 (38.332, 206.303).
        ({1: 13, 2: 4, 9: 1}, 16, Estimate(33, 21, 73)),
        ({1: 12, 2: 3, 3: 1, 9: 4}, 16, Estimate(35, 23, 81)),
        ({1: 12, 3: 2, 9: 4}, 16, Estimate(80, 38, 207)),
    ],
)
def test_with_relays_of_one_size_the_figures_are_those_published_for_chao2(
    frequencies: dict[int, int], units: int, published: Estimate
) -> None:
    assert _chao2(frequencies, (units - 1) / units, units) == published


def test_135_rabbits_lie_in_the_interval_of_the_76_that_were_caught() -> None:
    """Edwards and Eberhardt (1967): 135 rabbits in an enclosure, 18 nights; used by Chao (1987)."""
    caught = {1: 43, 2: 16, 3: 8, 4: 6, 6: 2, 7: 1}
    found = _chao2(caught, 17 / 18, 18)
    assert sum(caught.values()) == 76
    assert found.low <= 135 <= found.high


def test_two_relays_give_the_estimate_of_chapman() -> None:
    """Chapman (1951): (n1 + 1) (n2 + 1) / (both + 1) - 1."""
    first, second = [*map(str, range(60))], [*map(str, range(45, 75))]
    found = estimate([first, second])
    assert found is not None
    assert found.total == round(61 * 31 / 16 - 1)


@given(_samples)
def test_no_bound_lies_below_what_was_seen(samples: list[frozenset[str]]) -> None:
    found = estimate(samples)
    if found is not None:
        assert len(frozenset().union(*samples)) <= found.low <= found.total <= found.high


@given(_samples)
def test_nothing_is_said_without_two_answers_and_an_event(samples: list[frozenset[str]]) -> None:
    assert (estimate(samples) is None) == (len(samples) < 2 or not any(samples))


@given(_samples, st.randoms(use_true_random=False))
def test_the_order_of_the_relays_does_not_matter(
    samples: list[frozenset[str]], random: Random
) -> None:
    assert estimate(random.sample(samples, len(samples))) == estimate(samples)


def test_an_id_that_a_relay_gave_twice_counts_once() -> None:
    assert estimate([["a", "a", "b"], ["b", "c"]]) == estimate([["a", "b"], ["b", "c"]])


@pytest.mark.parametrize("others", [1, 2, 5])
def test_when_one_relay_has_everything_nothing_is_expected_beyond_it(others: int) -> None:
    """Plain Chao2 would add two fifths here for one other relay: it takes relays for equal."""
    random = seeded(others)
    everything = [str(number) for number in range(100)]
    found = estimate([everything, *(random.sample(everything, 30) for _ in range(others))])
    assert found is not None
    assert found.total == found.low == 100


def test_relays_that_agree_leave_little_room_for_more() -> None:
    assert estimate([{str(number) for number in range(100)}] * 8) == Estimate(100, 100, 101)


def test_relays_that_share_nothing_leave_much_room_for_more() -> None:
    found = estimate([{f"{relay} {number}" for number in range(20)} for relay in range(5)])
    assert found is not None
    assert found.total > 1000


@pytest.mark.parametrize("relays", [2, 3, 5, 10])
@pytest.mark.parametrize("unequal", [False, True])
def test_independent_relays_bracket_the_truth_in_most_threads(relays: int, unequal: bool) -> None:
    random, truth, runs = seeded(relays), 100, 200
    good, totals = 0, 0
    for _ in range(runs):
        chances = [random.uniform(0.1, 0.9) if unequal else 0.4 for _ in range(relays)]
        samples = [
            [str(number) for number in range(truth) if random.random() < chance]
            for chance in chances
        ]
        found = estimate(samples)
        assert found is not None
        good += found.low <= truth <= found.high
        totals += found.total
    assert good >= 0.85 * runs
    assert totals / runs == pytest.approx(truth, rel=0.1)


def test_relays_that_copy_each_other_make_it_a_lower_bound() -> None:
    random, truth = seeded(7), 300
    totals = []
    for _ in range(50):
        first = [str(number) for number in range(truth) if random.random() < 0.4]
        copied = random.sample(first, len(first) * 3 // 4)
        second = [*copied, *(str(n) for n in range(truth) if random.random() < 0.2)]
        found = estimate([first, second])
        assert found is not None
        totals.append(found.total)
    assert max(totals) < truth
