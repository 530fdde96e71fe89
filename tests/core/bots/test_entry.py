"""A Markdown answer with what stands above it."""

from __future__ import annotations

import pytest

from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.entry import FORMS, Entry, read_entry
from nostr_threads.errors import InvalidText
from nostr_threads.testing import START
from tests.core.bots.asking import ALICE

WHOLE = """---
question: How do I begin, and where?
instruction:
  - How does one start?
words: begin | start, "key"
context: beginners, first steps
title: Beginning
language: EN
difficulty: hard
as: Article
content_warning: long
tags: a, b
---

# Begin

Somewhere.

"""


def test_everything_above_an_answer_is_read() -> None:
    assert read_entry(WHOLE, "begin.md") == Entry(
        name="begin.md",
        text="# Begin\n\nSomewhere.",
        questions=("How do I begin, and where?", "How does one start?"),
        words=("begin | start", "key"),
        context="beginners, first steps",
        title="Beginning",
        language="en",
        difficulty=3,
        form="article",
        content_warning="long",
    )


def test_an_answer_is_published_as_it_says_itself_or_as_the_rule_says() -> None:
    said = read_entry(WHOLE, "").answer(Form.NOTE)
    assert said == Answer("# Begin\n\nSomewhere.", Form.ARTICLE, "Beginning", "long")
    assert Entry("", "x").answer(Form.NOTE) == Answer("x", Form.NOTE)
    assert Entry("", "x").answer(None) == Answer("x", None)
    assert Entry("", "x", form="auto").answer(Form.NOTE).form is None


def test_a_short_answer_may_stand_above_where_nothing_is_below() -> None:
    assert read_entry("---\nquestion: Why?\nanswer: Because.\n---\n\n", "").text == "Because."
    assert read_entry("---\nquestion: Why?\nanswer: no\n---\nBecause.", "").text == "Because."


@pytest.mark.parametrize(
    ("line", "words", "number"),
    [
        ("qestion: Why?", "unknown key `qestion`; there is: question", 3),
        ("as: poem", "`as` is one of note, thread, article, auto", 3),
        ("language: English language", "`language` is a code", 3),
        ("difficulty: 10", "`difficulty` is easy, medium, hard", 3),
        ("difficulty: 0", "`difficulty` is easy, medium, hard", 3),
        ("difficulty: 12", "`difficulty` is easy, medium, hard", 3),
        ("difficulty:", "`difficulty` is easy, medium, hard", 3),
        ("title: |", "is not one line", 3),
        ("title: a\ntitle: b", "`title` is there twice", 4),
        ("what is this", "is not `key: value`", 3),
    ],
)
def test_what_is_wrong_comes_with_its_line(line: str, words: str, number: int) -> None:
    with pytest.raises(InvalidText, match=words) as caught:
        read_entry(f"---\nquestion: Why?\n{line}\n---\nBecause.", "x.md")
    assert caught.value.line == number


@pytest.mark.parametrize(
    ("said", "level"), [("easy", 1), ("Medium", 2), ("hard", 3), ("1", 1), ("9", 9)]
)
def test_a_difficulty_is_a_word_or_a_number(said: str, level: int) -> None:
    assert read_entry(f"---\nquestion: Why?\ndifficulty: {said}\n---\nx", "").difficulty == level


@pytest.mark.parametrize("text", ["", "\n \n", "---\nquestion: Why?\n---\n\n"])
def test_an_answer_has_a_text(text: str) -> None:
    with pytest.raises(InvalidText, match="no answer"):
        read_entry(text, "")


def test_a_file_that_is_no_bank_s_may_say_anything_of_itself() -> None:
    text = "---\nlayout: post\ntitle: Hello\n---\nBody."
    assert read_entry(text, "", strict=False) == Entry("", "Body.", title="Hello")
    across = "---\nNote: this is text.\n---\nmore"
    assert read_entry(across, "", strict=False) == Entry("", across)


def test_each_form_can_be_named() -> None:
    assert set(FORMS.values()) == {*Form, None}


@pytest.mark.parametrize(
    ("language", "labels", "speaks"),
    [
        ("pt-BR", (("l", "pt", "ISO-639-1"),), True),
        ("pt", (("l", "PT-br", "ISO-639-1"),), True),
        ("pt", (("l", "en", "ISO-639-1"),), False),
        ("pt", (("l", "en", "ISO-639-1"), ("l", "pt", "ISO-639-1")), True),
        ("pt", (("l", "en", "moods"), ("l", "en"), ("t", "en", "ISO-639-1")), True),
        ("pt", (), True),
        ("", (("l", "en", "ISO-639-1"),), True),
    ],
)
def test_an_answer_is_for_notes_in_its_language_where_both_say_which(
    language: str, labels: tuple[tuple[str, ...], ...], *, speaks: bool
) -> None:
    front = f"---\nlanguage: {language}\nquestion: why?\n---\n" if language else ""
    entry = read_entry(f"{front}because", "a.md", strict=False)
    assert entry.speaks_to(ALICE.event(1, "why?", START, labels)) is speaks
