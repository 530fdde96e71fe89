"""A folder of answers, as it changes."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots import banks
from nostr_threads.app.bots.answering import answering
from nostr_threads.app.bots.banks import Bank
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.specs import BankOf
from nostr_threads.errors import AnswerFailed
from nostr_threads.testing import START
from tests.core.bots.asking import ALICE, asking

if TYPE_CHECKING:
    from pathlib import Path

PAY = "---\nquestion: How do I pay?\ntitle: Paying\n---\nWith money."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    answers = tmp_path / "answers"
    (answers / "more").mkdir(parents=True)
    (answers / "pay.md").write_text(PAY, "utf-8")
    (answers / "more" / "eat.md").write_text("---\nwords: eat\nas: note\n---\nAt noon.", "utf-8")
    (answers / "README.md").write_text("What this folder is.", "utf-8")
    (answers / ".draft.md").write_text("Not yet.", "utf-8")
    (answers / "notes.txt").write_text("Not an answer.", "utf-8")
    return answers


async def test_the_best_answer_is_given_or_none(folder: Path) -> None:
    bot = answering(BankOf("answers"), folder.parent, form=Form.ARTICLE)
    assert await bot.answer(asking("how can i pay?")) == Answer(
        "With money.", Form.ARTICLE, "Paying"
    )
    assert await bot.answer(asking("When do we eat?")) == Answer("At noon.", Form.NOTE)
    assert await bot.answer(asking("Who is there?")) is None


def test_the_threshold_is_the_owner_s(folder: Path) -> None:
    question = "how can i pay the tailor tomorrow?"
    (match,) = Bank(folder).explain(question)
    assert 0.1 < match.score < 0.9
    assert Bank(folder, match.score).choose(question) is not None
    assert Bank(folder, match.score + 0.01).choose(question) is None


def test_every_answer_is_found_and_nothing_else(folder: Path) -> None:
    bank = Bank(folder)
    assert [entry.name for entry in bank.entries] == ["more/eat.md", "pay.md"]
    assert bank.problems == ()


def test_what_changes_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def read(path: Path) -> str:
        reads.append(path)
        return path.read_text("utf-8")

    monkeypatch.setattr(banks, "read_text", read)
    bank = Bank(folder)
    assert bank.choose("How do I pay?") is not None
    assert bank.choose("How do I pay?") is not None
    assert len(reads) == 2
    (folder / "pay.md").write_text(PAY.replace("money", "cards"), "utf-8")
    # Within one tick of the clock only the size tells: this one is of the same size.
    os.utime(folder / "pay.md", ns=(1, 1))
    found = bank.choose("How do I pay?")
    assert found is not None
    assert found.entry.text == "With cards."
    (folder / "pay.md").unlink()
    assert bank.choose("How do I pay?") is None


def test_a_broken_file_stops_no_other_and_is_listed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "a.md").write_text("---\nquestion: Why?\nqestion: Why?\n---\nx", "utf-8")
    (folder / "b.md").write_bytes(b"---\nquestion: \xff\n---\nx")
    (folder / "c.md").write_text("No front matter.", "utf-8")
    (folder / "d.md").symlink_to("nowhere.md")
    (folder / "e.md").mkdir()
    bank = Bank(folder)
    assert bank.choose("How do I pay?") is not None
    assert [str(problem).removeprefix(f"{folder}/") for problem in bank.problems] == [
        "a.md:3: unknown key `qestion`; there is: question, questions, instruction, words, context,"
        " title, language, difficulty, as, answer, content_warning, content-warning",
        "b.md:2: is not UTF-8",
        "c.md:1: has neither a `question` nor `words`: nothing finds it",
        "d.md: is not there",
        "e.md: is no file",
    ]
    assert len(caplog.records) == 5
    bank.explain("Why?")
    assert len(caplog.records) == 5
    (folder / "c.md").write_text(PAY, "utf-8")
    assert len(bank.problems) == 4


def test_a_folder_that_is_not_there_is_silent_until_it_is(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "later")
    assert bank.choose("How do I pay?") is None
    assert [str(each) for each in bank.problems] == [f"{tmp_path / 'later'}: is no folder"]
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "pay.md").write_text(PAY, "utf-8")
    assert bank.choose("How do I pay?") is not None
    assert bank.problems == ()


def test_a_bank_without_answers_fails_and_is_not_silent(folder: Path) -> None:
    """A folder on a drive that is away for a moment is no reason to leave a question for good."""
    bank = Bank(folder)

    def answer() -> Answer | None:
        return asyncio.run(bank.answer(asking("How do I pay?")))

    assert answer() is not None
    folder.rename(folder.with_name("away"))
    with pytest.raises(AnswerFailed, match=r"no answer that can be read: .*: is no folder$"):
        answer()
    folder.mkdir()
    with pytest.raises(AnswerFailed, match=r"no answer that can be read$"):
        answer()
    (folder / "broken.md").write_text("---\nquestion: x\n---\n", "utf-8")
    with pytest.raises(AnswerFailed, match=r"broken\.md: there is no answer in it"):
        answer()
    (folder / "pay.md").write_text(PAY, "utf-8")
    assert answer() is not None


def test_a_folder_that_cannot_be_looked_at_is_a_problem(tmp_path: Path) -> None:
    (problem,) = Bank(tmp_path / ("x" * 300)).problems
    assert "File name too long" in str(problem)


def test_more_answers_than_are_allowed_are_said_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banks, "_MOST_FILES", 1)
    bank = Bank(folder)
    assert len(bank.entries) == 1
    assert "more than 1 answers" in str(bank.problems[0])


async def test_many_may_ask_at_once(folder: Path) -> None:
    bank = Bank(folder)
    asked = [asking(f"How do I pay{'?' * number}") for number in range(20)]
    answers = await asyncio.gather(*(bank.answer(each) for each in asked))
    assert {each.text for each in answers if each is not None} == {"With money."}
    assert None not in answers


async def test_an_answer_in_another_language_than_the_note_s_is_not_given(tmp_path: Path) -> None:
    for language, text in (("pt", "porque"), ("en", "because")):
        front = f"---\nquestion: why is there a relay?\nlanguage: {language}\n---\n"
        (tmp_path / f"{language}.md").write_text(front + text, encoding="utf-8")
    bank = Bank(tmp_path)
    for language, text in (("pt", "porque"), ("en", "because")):
        event = ALICE.event(1, "why is there a relay?", START, (("l", language, "ISO-639-1"),))
        answer = await bank.answer(replace(asking("why is there a relay?"), event=event))
        assert answer is not None
        assert answer.text.strip() == text
