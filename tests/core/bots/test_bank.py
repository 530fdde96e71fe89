"""How well known questions fit: the measure, over the bank under examples/."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.bank import Matcher, best, has_words, words_of
from nostr_threads.core.bots.entry import Entry, read_entry
from nostr_threads.store.ranking import Ranking
from tests.core.strategies import texts

ANSWERS = Path(__file__).parents[3] / "examples" / "faq_bot" / "answers"

ASKED = {
    "what-is-a-relay.md": (
        "what's a relay?",
        "Hi! Could you explain to me what relays are?",
        "how does a relay actually work",
        "So what exactly is a relay, please?",
        "I don't understand relays",
        "Wh\u00e1t is a R\u00c9LAY",
    ),
    "which-relays.md": (
        "which relays are best?",
        "Hey, how many relays should one have in the settings?",
        "can anyone recommend some relays for me",
        "which relays to add?",
        "how many relays are too many",
    ),
    "run-a-relay.md": (
        "How would I set up a relay of my own?",
        "I want to host my own relay, how?",
        "How do I run my own relay on a raspberry pi?",
        "running a relay with docker, what do I need?",
        "how to install a relay on my server",
    ),
    "lost-key.md": (
        "help, I lost my nsec",
        "I've lost my private key. Is there a way to recover it?",
        "can someone reset my password please",
        "I forgot my password, can I recover my account",
        "lost my key what now",
    ),
    "keys.md": (
        "what is an npub and what is an nsec?",
        "Difference between a public key and a private key?",
        "what's the difference of nsec vs npub",
        "Can you explain private and public keys?",
    ),
    "zaps.md": (
        "how can i receive zaps",
        "What are zaps? https://example.com/what-is-this nostr:npub1abcdef",
        "why can't I receive zaps?",
        "can you explain zapping",
        "setup lightning tips",
    ),
    "delete-a-note.md": (
        "how to delete a post?",
        "Is it possible to edit my notes?",
        "Can I remove a note that I posted by mistake?",
        "can a note be deleted",
    ),
    "verified-name.md": (
        "How does one get verified on nostr?",
        "What's NIP-05?",
        "nip05 address?",
        "how do i get a blue check",
    ),
}
SILENT = (
    "",
    "gm",
    "\U0001f602\U0001f602",
    "Good morning nostr!",
    "How are you?",
    "you too",
    "What is the weather like in Berlin?",
    "are relays free?",
    "my relay is down again",
    "How do I delete my account?",
    "I want to delete Facebook",
    "Which client should I use on Android?",
    "The note you posted yesterday was great",
    "I got a new key for my house",
    "My dog ate my keys",
    "Did you know that the key to success is work?",
    "the difference between men and women",
    "What is the difference between Nostr and Bluesky?",
    "relay race results: our team was second",
    "Can you recommend a book?",
    "Can you recommend a good wallet",
    "How do I set up a tent?",
    "Do I need to set up docker for that app?",
    "How do I recover from a marathon?",
    "a private message is not private",
    "he lost the game",
    "Send me your address",
    "https://relay.example.com/what-is-a-relay",
    "I have been thinking about how the relay operators are paid and whether in the long run the"
    " network can stay open, since a relay costs money every month and people expect it to work for"
    " free, while spam fills the disks, and what is a relay without moderation but a swamp; my own"
    " view is that subscriptions will win, and the rest will go back to the platforms",
)


@cache
def bank() -> Matcher:
    files = sorted(ANSWERS.glob("*.md"))
    return Matcher([read_entry(file.read_text("utf-8"), file.name) for file in files], Ranking)


def known(*questions: str) -> Matcher:
    return Matcher([Entry(each, "Yes.", (each,)) for each in questions], Ranking)


@pytest.mark.parametrize(
    ("name", "question"), [(name, each) for name, asked in ASKED.items() for each in asked]
)
def test_a_question_asked_in_other_words_finds_its_answer(name: str, question: str) -> None:
    found = best(bank().matches(question), 0.5)
    assert found is not None
    assert found.entry.name == name


@pytest.mark.parametrize("text", SILENT)
def test_what_is_another_question_or_none_finds_nothing(text: str) -> None:
    assert best(bank().matches(text), 0.5) is None


def test_a_known_question_word_for_word_is_one() -> None:
    for entry in bank().entries:
        for question in entry.questions:
            match = best(bank().matches(question), 1.0)
            assert match is not None, question
            assert match.score == pytest.approx(1.0)


@given(texts)
def test_a_score_is_above_0_and_at_most_1_and_the_best_is_first(text: str) -> None:
    scores = [match.score for match in bank().matches(text)]
    assert all(0 < score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


@given(st.lists(st.sampled_from(["pizza", "weather", "train", "holiday", "music"]), unique=True))
def test_words_that_no_entry_has_make_no_question_fit_better(others: list[str]) -> None:
    plain = bank().matches("How do I recover my nsec?")[0]
    padded = bank().matches(" ".join(("How do I recover my nsec?", *others)))[0]
    assert padded.entry == plain.entry
    assert (padded.score < plain.score) == bool(others)


def test_a_bank_of_one_answer_is_no_different() -> None:
    one = known("How do I recover my password?")
    assert best(one.matches("can my password be recovered"), 0.5) is not None
    assert best(one.matches("how do I recover from a cold in a week"), 0.5) is None
    assert best(one.matches("How do I recover my PASSWORD"), 1.0) is not None


def test_a_word_that_every_answer_has_does_not_decide() -> None:
    three = known("How do I mute a thread?", "How do I find a thread?", "How do I end a thread?")
    found = three.matches("how can I mute some thread")
    assert found[0].entry.name == "How do I mute a thread?"
    assert found[0].score - found[1].score > 0.3
    assert best(three.matches("nice thread"), 0.5) is None


def test_a_question_without_telling_words_is_found_whole_or_not_at_all() -> None:
    bare = known("Who are you?", "What is Nostr?", "How do I find people?")
    assert [match.score for match in bare.matches("who are you")] == [pytest.approx(1.0)]
    assert bare.matches("you too") == []
    assert bare.matches("you are who you are") == bare.matches("who are you")
    found = best(bare.matches("tell me, what is nostr"), 0.9)
    assert found is not None
    assert found.entry.name == "What is Nostr?"


def test_scripts_without_spaces_find_their_words() -> None:
    cjk = known("如何恢复密码", "中继是什么")
    found = best(cjk.matches("密码怎么恢复"), 0.5)
    assert found is not None
    assert found.entry.name == "如何恢复密码"


class TestWords:
    ENTRY = Entry("zap", "Yes.", ("How do I pay?",), words=("zap | zaps", "lightning address"))

    @pytest.mark.parametrize(
        "text", ["Zaps: my Lightning  Address?", "ZAP!\nlightning address", "lightning address zap"]
    )
    def test_they_force_a_match(self, text: str) -> None:
        (match,) = Matcher([self.ENTRY], Ranking).matches(text)
        assert (match.score, match.why) == (1.0, "has the words zap | zaps, lightning address")

    @pytest.mark.parametrize("text", ["zap", "zapped lightning address", "lightning, my address"])
    def test_all_of_them_do_as_whole_words(self, text: str) -> None:
        assert Matcher([self.ENTRY], Ranking).matches(text) == []

    def test_an_entry_without_words_has_them_all(self) -> None:
        assert has_words(Entry("x", "Yes."), "anything")

    def test_an_empty_alternative_is_none(self) -> None:
        assert not has_words(Entry("x", "Yes.", words=("| ",)), "anything")


def test_of_two_that_fit_alike_the_easier_is_given_and_then_the_first_by_name() -> None:
    entries = [
        Entry(name, "Yes.", ("How do I pay?",), difficulty=level)
        for name, level in (("a", 3), ("c", 1), ("b", 1))
    ]
    found = Matcher(entries, Ranking).matches("pay")
    assert [match.entry.name for match in found] == ["b", "c", "a"]


def test_the_best_of_several_phrasings_counts() -> None:
    entry = Entry("x", "Yes.", ("How do I pay?", "Where is the till around here?"))
    (match,) = Matcher([entry], Ranking).matches("where is the till around")
    assert match.score == pytest.approx(1.0)
    assert match.why == "asks 100% of its question, which is 100% of the note"


def test_words_in_hostile_amounts_are_bounded() -> None:
    words = words_of(" ".join(f"word{number}" for number in range(5_000)))
    assert len(words) == 100


def test_nobody_speaks_the_query_language() -> None:
    for text in ('relay" OR "key', "NEAR(relay key)", "relay AND NOT *", "text : relay", "'; --"):
        bank().matches(text)


def test_a_bank_without_entries_is_silent() -> None:
    assert Matcher([], Ranking).matches("What is a relay?") == []
    assert best([], 0.0) is None
