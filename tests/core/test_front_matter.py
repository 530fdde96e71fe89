"""What a text is called: front matter, titles, and identifiers made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.front_matter import (
    FrontMatter,
    front_matter,
    identifier_of_title,
    title_of,
)
from nostr_threads.errors import InvalidText
from tests.core.strategies import texts

WHOLE = """---
title: "On \\"taste\\""
Summary: What one likes: and why
image: https://example.com/a.png
slug: on-taste
tags: [Food, '#Wine', food]
layout: post
---

# Text

---
"""


def test_front_matter_is_read_and_taken_off_the_text() -> None:
    found, text = front_matter(WHOLE)
    assert found == FrontMatter(
        title='On "taste"',
        summary="What one likes: and why",
        image="https://example.com/a.png",
        identifier="on-taste",
        hashtags=("food", "wine"),
        unknown=("layout",),
    )
    assert text == "# Text\n\n---\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_list_of_tags_may_stand_below_its_key(ending: str) -> None:
    lines = (
        "---",
        "# a comment",
        "tags:",
        "  - Food",
        "  - red wine",
        "title: 'It''s'",
        "---",
        "x",
    )
    found, text = front_matter(ending.join(lines))
    assert found == FrontMatter(title="It's", hashtags=("food", "red wine"))
    assert text == "x"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---",
        "---\n",
        "---\ntitle: never closed\n",
        "---\nJust a line across.\n---\n",
        "---\nNote: this is a sentence.\n---\nmore",
        "---\nJust text\ntitle: x\n---\n",
        "\n---\ntitle: not at the start\n---\n",
        "title: x\n---\n",
        "--- \n\n---\n",
    ],
)
def test_what_is_no_front_matter_stays_in_the_text(text: str) -> None:
    assert front_matter(text) == (None, text)


@pytest.mark.parametrize(
    ("line", "said"),
    [("just words", "line 3"), ("summary: >", "`summary` in line 3"), ("image: *ref", "line 3")],
)
def test_a_line_that_cannot_be_read_is_refused_with_its_number(line: str, said: str) -> None:
    with pytest.raises(InvalidText, match=said):
        front_matter(f"---\ntitle: x\n{line}\n---\ntext")


@given(texts | st.lists(st.sampled_from(("---", "title: x", "tags:", "- a", "", "x: [", "`"))))
def test_front_matter_is_never_read_out_of_what_has_none(given_text: str | list[str]) -> None:
    text = given_text if isinstance(given_text, str) else "\n".join(given_text)
    try:
        found, rest = front_matter(text)
    except InvalidText:
        return
    assert text.endswith(rest)
    assert found is not None or rest == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (WHOLE, 'On "taste"'),
        ("Words before.\n\n## On *taste* ##\n", "On taste"),
        ("On taste\n========\n\ntext", "On taste"),
        ("- item\n---\n\n# Real", "Real"),
        ("```sh\n# no heading\n```\n\n# Heading", "Heading"),
        ("~~~~\n# no\n~~~\n# no\n~~~~\nwords", "no"),
        ("# A [link](https://example.com) and `code`", "A link and code"),
        ("# snake_case and 2 * 3", "snake_case and 2 * 3"),
        ("> - Quoted words\nmore", "Quoted words"),
        ("#hashtag first", "#hashtag first"),
        ("***\n\nwords", "words"),
        ("  \n", ""),
        ("…", ""),
    ],
)
def test_a_title_is_that_of_the_front_matter_or_heading_or_the_first_words(
    text: str, title: str
) -> None:
    assert title_of(text) == title


def test_a_long_title_ends_between_words() -> None:
    title = title_of("word " * 100)
    assert title.endswith("word…")
    assert len(title) <= 100


@given(texts)
def test_a_title_is_one_short_line(text: str) -> None:
    title = title_of(text)
    assert len(title) <= 100
    assert title == " ".join(title.split())


@pytest.mark.parametrize(
    ("title", "identifier"),
    [
        ("On Taste", "on-taste"),
        ("  Größe & Œuvre: ça va? ", "grosse-oeuvre-ca-va"),
        ("Łódź, Ångström, Þór", "lodz-angstrom-thor"),
        ("2026: one year", "2026-one-year"),
    ],
)
def test_an_identifier_is_the_title_in_plain_letters(title: str, identifier: str) -> None:
    assert identifier_of_title(title) == identifier


def test_titles_in_other_scripts_have_identifiers_that_differ() -> None:
    made = {
        identifier_of_title(title) for title in ("日本 2026", "中国 2026", "2026", "", "!", "я")
    }
    assert len(made) == 6


def test_long_titles_that_begin_alike_differ() -> None:
    assert identifier_of_title("word " * 30) != identifier_of_title("word " * 31)


@given(texts)
def test_an_identifier_is_short_plain_and_stable(title: str) -> None:
    identifier = identifier_of_title(title)
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", identifier)
    assert len(identifier) <= 60
    assert identifier == identifier_of_title(title)
