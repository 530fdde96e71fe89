"""Answers from the bot's file and from files of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots.answering import answering
from nostr_threads.app.bots.files import MOST, read_text
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.specs import FileOf, TextOf
from nostr_threads.errors import InvalidConfig, InvalidInput
from tests.core.bots.asking import asking

if TYPE_CHECKING:
    from pathlib import Path

ASK = asking("What is a relay?")


async def test_a_text_is_always_the_same(tmp_path: Path) -> None:
    assert await answering(TextOf("Yes.\n"), tmp_path, form=None).answer(ASK) == Answer(
        "Yes.\n", None
    )
    with pytest.raises(InvalidInput, match="no text"):
        answering(TextOf(" \n"), tmp_path)


async def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    file.write_bytes(b"\xef\xbb\xbf---\r\ntitle: T\r\nas: article\r\n---\r\nOne.\r\nTwo.\r\n")
    bot = answering(FileOf("answer.md"), tmp_path)
    assert await bot.answer(ASK) == Answer("One.\nTwo.", Form.ARTICLE, "T")
    file.write_text("Plain.", "utf-8")
    assert await bot.answer(ASK) == Answer("Plain.", Form.THREAD)
    file.unlink()
    with pytest.raises(InvalidConfig, match=r"answer\.md: is not there"):
        await bot.answer(ASK)


async def test_a_file_with_words_is_silent_without_them(tmp_path: Path) -> None:
    (tmp_path / "answer.md").write_text("---\nwords: relay | relays, what\n---\nYes.", "utf-8")
    bot = answering(FileOf(str(tmp_path / "answer.md")), tmp_path / "elsewhere")
    assert await bot.answer(ASK) == Answer("Yes.")
    assert await bot.answer(asking("a relay!")) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\nb\xff", r"answer\.md:2: is not UTF-8"),
        (b"", r"answer\.md: there is no answer"),
        (b"x" * (MOST + 1), r"answer\.md: is larger than 1,048,576 bytes"),
        (b"---\ntitle: |\n---\nx", r"answer\.md:2: .* not one line"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_at_once(
    content: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "answer.md").write_bytes(content)
    with pytest.raises(InvalidConfig, match=words):
        answering(FileOf("answer.md"), tmp_path)


def test_a_file_may_be_as_large_as_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "answer.md").write_bytes(b"x" * MOST)
    assert len(read_text(tmp_path / "answer.md")) == MOST


def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(InvalidConfig, match="is no file"):
            answering(FileOf(name), tmp_path)
    with pytest.raises(InvalidInput, match="NUL"):
        answering(FileOf("a\0b"), tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InvalidConfig, match="loop"):
        answering(FileOf("loop"), tmp_path)
