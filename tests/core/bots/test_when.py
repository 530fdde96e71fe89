"""Which rules answer, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.patterns import Pattern
from nostr_threads.core.bots.specs import TextOf
from nostr_threads.core.bots.ways import Way
from nostr_threads.core.bots.when import Heard, Match, Rule, When, check, choose, is_question
from tests.core.strategies import event

ANN, BOB = "aa" * 32, "bb" * 32
HEARD = Heard(
    "How do I get help?", frozenset((Way.MENTION,)), 1, ANN, frozenset(("asknostr", "nostr"))
)

CONDITIONS: list[tuple[When, When]] = [
    (When(ways=frozenset((Way.MENTION, Way.REPLY))), When(ways=frozenset((Way.REPLY,)))),
    (When(kinds=frozenset((1, 11))), When(kinds=frozenset((11, 1111)))),
    (When(authors=frozenset((ANN, BOB))), When(authors=frozenset((BOB,)))),
    (When(not_authors=frozenset((BOB,))), When(not_authors=frozenset((ANN,)))),
    (When(hashtags=frozenset(("nostr", "x"))), When(hashtags=frozenset(("x",)))),
    (When(min_length=18), When(min_length=19)),
    (When(max_length=18), When(max_length=17)),
    (When(question=True), When(question=False)),
    (When(words=("nothing", "help")), When(words=("nothing", "hel"))),
    (When(all_words=("help", "get")), When(all_words=("help", "nothing"))),
    (When(patterns=(Pattern("^x"), Pattern("^how"))), When(patterns=(Pattern("^get"),))),
]


@pytest.mark.parametrize(("holding", "failing"), CONDITIONS)
def test_each_condition_holds_and_fails_by_itself(holding: When, failing: When) -> None:
    assert check(holding, HEARD).fits
    assert not check(failing, HEARD).fits
    assert check(failing, HEARD).why


def test_all_conditions_must_hold() -> None:
    merged = When(
        ways=frozenset((Way.MENTION,)),
        kinds=frozenset((1,)),
        authors=frozenset((ANN,)),
        hashtags=frozenset(("nostr",)),
        min_length=18,
        max_length=18,
        question=True,
        words=("help",),
        all_words=("get",),
        patterns=(Pattern("^how"),),
    )
    found = check(merged, HEARD)
    assert found.fits
    assert found.why == (
        "it is a mention, its kind is 1, its author is one of authors, it has #nostr, it has 18 "
        "characters, it asks a question, it has 'help', it has all the words, the regex '^how' fits"
    )
    for other in (
        replace(merged, ways=frozenset((Way.REPLY,))),
        replace(merged, kinds=frozenset((11,))),
        replace(merged, authors=frozenset((BOB,))),
        replace(merged, not_authors=frozenset((ANN,))),
        replace(merged, hashtags=frozenset("x")),
        replace(merged, min_length=19),
        replace(merged, max_length=17),
        replace(merged, question=False),
        replace(merged, words=("x",)),
        replace(merged, all_words=("x",)),
        replace(merged, patterns=(Pattern("x"),)),
    ):
        assert not check(other, HEARD).fits, other


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (When(), "it has no conditions"),
        (When(ways=frozenset((Way.REPLY, Way.HASHTAG))), "it came by no hashtag or reply"),
        (When(kinds=frozenset((11,))), "its kind is 1, which is not wanted"),
        (When(authors=frozenset((BOB,))), "its author is not one of authors"),
        (When(not_authors=frozenset((ANN,))), "its author is one of not_authors"),
        (When(hashtags=frozenset("x")), "it has none of the hashtags"),
        (When(min_length=100), "it has 18 characters, fewer than 100"),
        (When(max_length=1), "it has 18 characters, more than 1"),
        (When(min_length=1), "it has 18 characters"),
        (When(max_length=18), "it has 18 characters"),
        (When(question=False), "it asks a question"),
        (When(words=("x",)), "it has none of the words"),
        (When(all_words=("help", "x", "y")), "it has no 'x'"),
        (When(patterns=(Pattern("x"),)), "no regex fits"),
    ],
)
def test_the_reason_is_told(when: When, why: str) -> None:
    assert check(when, HEARD).why == why


def test_nobody_in_particular_is_no_author() -> None:
    """`bot check` reads sample questions, which nobody wrote."""
    assert not check(When(authors=frozenset((ANN,))), Heard("hi")).fits
    assert check(When(not_authors=frozenset((ANN,))), Heard("hi")).fits


def test_lengths_leave_out_the_space_around() -> None:
    assert check(When(min_length=2, max_length=2), Heard(" \nhi\t ")).fits


def test_a_hostile_text_does_not_hang_a_rule() -> None:
    when = When(patterns=(Pattern("(?:a|aa)+b(?:a|aa)+c"),))
    found = check(when, Heard("a" * 3_000 + "b" + "a" * 3_000))
    assert not found.fits
    assert "took too long" in found.why


def test_only_the_beginning_of_a_text_is_looked_at() -> None:
    text = "x " * 10_000 + "help?"
    assert not check(When(words=("help",)), Heard(text)).fits
    assert not check(When(question=True), Heard(text)).fits
    assert not check(When(patterns=(Pattern("help"),)), Heard(text)).fits
    assert check(When(words=("help",)), Heard(text[8:])).fits


@pytest.mark.parametrize(
    "text",
    [
        "What?",
        "what ?",
        "What is this? I wonder.",
        "(what?)",
        "“What?”",
        "really?!",
        "what??",
        "什么\uff1f我不知道",
        "什么?",
        "ما هذا؟",
        "τι\u037e",
        "did you see https://x.example/?",
        "*what?*",
        "what?\nthanks",
        "see https://x.example/?q=1 ok?",
    ],
)
def test_questions_are_told_by_their_mark(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no question",
        "see https://x.example/?q=what",
        "see https://x.example/a?b?c#?d",
        "x.example/?q=1",
        "`what?`",
        "```\nwhat?\n```",
        "a?b:c",
        "nostr://x?y",
    ],
)
def test_marks_in_links_and_code_ask_nothing(text: str) -> None:
    assert not is_question(text)


def rule(name: str, *words: str) -> Rule:
    return Rule(name, TextOf(name), When(words=words))


def test_the_first_that_fits_answers() -> None:
    rules = (rule("a", "x"), rule("b", "help"), rule("c", "get"), rule("d", "x"))
    found = choose(rules, HEARD)
    assert found.rules == (rules[1],)
    assert [(each.name, finding.fits) for each, finding in found.findings] == [
        ("a", False),
        ("b", True),
        ("c", False),
        ("d", False),
    ]
    assert found.findings[2][1].why == "b answers already"


def test_all_that_fit_answer() -> None:
    rules = (rule("a", "x"), rule("b", "help"), rule("c", "get"))
    found = choose(rules, HEARD, Match.ALL)
    assert found.rules == rules[1:]
    assert found.findings[2][1].why == "it has 'get'"


def test_no_rule_may_fit() -> None:
    found = choose((rule("a", "x"),), HEARD)
    assert found.rules == ()
    assert found.findings[0][1].why == "it has none of the words"


def test_what_is_heard_is_made_of_an_event() -> None:
    made = event(11, (("t", "Nostr"),), content="x #Ask", pubkey=BOB)
    assert Heard.of(made, "x", frozenset((Way.REPLY,))) == Heard(
        "x", frozenset((Way.REPLY,)), 11, BOB, frozenset(("nostr", "ask"))
    )


@given(st.text(), st.lists(st.sampled_from([pair[0] for pair in CONDITIONS])))
def test_no_text_breaks_a_rule(text: str, whens: list[When]) -> None:
    for when in whens:
        assert check(when, Heard(text)).why
