"""A handful of texts, ranked."""

from __future__ import annotations

import pytest

from nostr_threads.store.ranking import Ranking


def test_a_text_with_more_of_the_words_is_ranked_higher() -> None:
    ranking = Ranking(["run relay", "run", "key"])
    scores = ranking.scores(["run", "relay"])
    assert set(scores) == {0, 1}
    assert scores[0] > scores[1] > 0


def test_a_word_that_all_texts_have_is_worth_something_still() -> None:
    assert Ranking(["relay"]).scores(["relay"])[0] > 0.01
    both = Ranking(["run relay", "own relay"])
    assert both.scores(["relay"])[0] > 0.01
    assert both.scores(["run"])[0] > both.scores(["relay"])[0]


def test_words_are_found_by_their_stems_whatever_their_accents() -> None:
    ranking = Ranking(["running relays", "caf\u00e9"])
    assert ranking.holding("relay") == {0}
    assert ranking.holding("runs") == {0}
    assert ranking.holding("cafe") == {1}
    assert ranking.holding("tea") == frozenset()


def test_no_words_and_no_texts_find_nothing() -> None:
    assert Ranking(["relay"]).scores([]) == {}
    assert Ranking([]).scores(["relay"]) == {}


@pytest.mark.parametrize("word", ["", 'a"', "a b", "*", "a-b"])
def test_what_is_no_word_is_a_mistake_of_ours(word: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        Ranking(["relay"]).holding(word)
