"""The lines of `key: value` above a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.key_lines import KeyLine, above, key_lines, keys, listed, one_line, texts
from nostr_threads.errors import InvalidText
from tests.core.strategies import texts as any_texts

WHOLE = """---
# for whoever reads the file
question: "How do I begin, and with what?"
words:
  - key, 'nsec'
  - begin
Language: en
---

The answer.
"""


def read(text: str) -> tuple[KeyLine, ...]:
    found = above(text)
    assert found is not None
    return key_lines(found[0])


def test_every_key_comes_with_its_line_and_the_items_below_it() -> None:
    assert read(WHOLE) == (
        KeyLine("question", '"How do I begin, and with what?"', 3),
        KeyLine("words", "", 4, ("key, 'nsec'", "begin")),
        KeyLine("Language", "en", 7),
    )


def test_the_text_below_is_what_is_left() -> None:
    found = above(WHOLE)
    assert found is not None
    assert found[1] == "The answer.\n"
    assert keys(found[0]) == ("question", "words", "language")


def test_a_list_is_cut_at_commas_and_a_text_is_not() -> None:
    question, words, _ = read(WHOLE)
    assert texts(question) == ("How do I begin, and with what?",)
    assert listed(words) == ("key", "nsec", "begin")
    assert texts(words) == ("key, 'nsec'", "begin")
    assert listed(KeyLine("words", "[a, 'b c', , \"d\"]", 2)) == ("a", "b c", "d")


@pytest.mark.parametrize("value", ["|", ">-", "&anchor", "{a: b}"])
def test_what_yaml_reads_on_below_is_refused_with_its_line(value: str) -> None:
    with pytest.raises(InvalidText, match="`title` in line 5") as caught:
        one_line(KeyLine("title", value, 5))
    assert caught.value.line == 5


@pytest.mark.parametrize("line", ["no pair", "- item", " indented: x", "a:b", "é: x"])
def test_what_is_no_pair_is_refused_with_its_line(line: str) -> None:
    lines = ["# a comment", "", line] if line.startswith("-") else ["a: b", "", line]
    with pytest.raises(InvalidText, match="line 4 of the front matter") as caught:
        key_lines(lines)
    assert caught.value.line == 4


@pytest.mark.parametrize(
    "text", ["", "---\na: b\n", "\n---\na: b\n---\n", "---\nA line across.\n---\n", "a: b\n---\n"]
)
def test_other_texts_have_nothing_above_them(text: str) -> None:
    assert above(text) is None


@given(any_texts, st.sampled_from(["\n", "\r\n"]))
def test_the_text_is_never_changed(text: str, ending: str) -> None:
    whole = ending.join(("---", "title: x", "---", text))
    found = above(whole)
    assert found is not None
    assert found[1] == text.lstrip("\r\n")
