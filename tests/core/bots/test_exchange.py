"""What a bot's program is told, and what it may say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.exchange import said, told
from nostr_threads.errors import AnswerFailed
from tests.core.bots.asking import ALICE, BOT, asking, asking_in_a_thread
from tests.core.strategies import texts


def test_it_is_told_everything_in_one_line() -> None:
    ask = asking_in_a_thread()
    line = json.loads(told(ask))
    thread, author = line.pop("thread"), line.pop("author")
    assert set(line) == {"id", "code", "text", "kind", "created_at", "bot", "now"}
    assert (line["id"], line["text"], line["bot"]) == (ask.event.id, "Why?", BOT.pubkey)
    assert set(author) == {"pubkey", "npub", "name"}
    assert author["pubkey"] == ALICE.pubkey
    assert thread[1].keys() == {"id", "author", "text", "depth", "created_at"}


@given(texts)
def test_no_text_makes_it_more_than_a_line(text: str) -> None:
    line = told(asking(text))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == text


@pytest.mark.parametrize("output", ["", " \n", "null", ' ""\n', '{"text": " "}', '" \\n "'])
def test_nothing_is_silence(output: str) -> None:
    assert said(output, Form.THREAD) is None


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ('"Yes."', Answer("Yes.", Form.NOTE)),
        ('{"text": "Yes."}\n', Answer("Yes.", Form.NOTE)),
        (
            '{"text": "Yes.", "title": "T", "as": "article", "content_warning": ""}',
            Answer("Yes.", Form.ARTICLE, "T", ""),
        ),
        ('{"text": "Yes.", "as": "auto"}', Answer("Yes.", None)),
        ('{"text": "Yes.", "as": null, "title": null}', Answer("Yes.", Form.NOTE)),
        ('{\n"text":\n"\\u00e9"\n}', Answer("\u00e9", Form.NOTE)),
    ],
)
def test_an_object_or_a_text_is_an_answer(output: str, answer: Answer) -> None:
    assert said(output, Form.NOTE) == answer


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("hello", "not JSON"),
        ('"a"\n"b"', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("1" * 10_000, "not JSON"),
        ("5", "neither an object"),
        ('["Yes."]', "neither an object"),
        ("true", "neither an object"),
        ("{}", "no `text`"),
        ('{"txt": "a"}', "the key 'txt'"),
        ('{"text": 5}', "`text` is not a text"),
        ('{"text": "a", "title": []}', "`title` is not a text"),
        ('{"text": "a", "content_warning": true}', "`content_warning` is not a text"),
        ('{"text": "a", "as": "poem"}', "`as` is none of note, thread"),
        ('{"text": "\\ud800"}', "half a character"),
    ],
)
def test_anything_else_is_an_error(output: str, words: str) -> None:
    with pytest.raises(AnswerFailed, match=words):
        said(output, None)


def test_a_long_key_is_not_repeated_whole() -> None:
    with pytest.raises(AnswerFailed) as caught:
        said(json.dumps({"k" * 1000: 1}), None)
    assert len(str(caught.value)) < 120


@given(st.text())
def test_no_output_raises_anything_else(output: str) -> None:
    try:
        said(output, None)
    except AnswerFailed:
        return
