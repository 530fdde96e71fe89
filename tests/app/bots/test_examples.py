"""The bots under examples/: what they answer. That they run is another test's."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots.answering import answering
from nostr_threads.app.bots.banks import Bank
from nostr_threads.app.bots.botfile import read_bot
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.saying import Says, fit
from nostr_threads.core.endings import unfinished
from tests.core.bots.asking import ALICE, asking, asking_in_a_thread

if TYPE_CHECKING:
    from nostr_threads.app.bots.bot import Bot

EXAMPLES = Path(__file__).parents[3] / "examples"


def bots(name: str) -> dict[str, Bot]:
    """The bot of each rule of an example, by the rule's name."""
    path = EXAMPLES / name
    rules = read_bot(path).rules
    return {rule.name: answering(rule.answer, path.parent, form=rule.form) for rule in rules}


async def test_the_bank_answers_what_it_knows_and_nothing_else() -> None:
    known = bots("faq_bot/bot.toml")["known questions"]
    answer = await known.answer(asking("Hi! How can I set up my own relay?"))
    assert answer is not None
    assert (answer.form, answer.title) == (None, "Running a relay of your own")
    assert await known.answer(asking("What is the weather like?")) is None


def test_every_answer_of_the_bank_can_be_published() -> None:
    bank = Bank(EXAMPLES / "faq_bot" / "answers")
    assert bank.problems == ()
    assert 6 <= len(bank.entries) <= 8
    for entry in bank.entries:
        assert unfinished(entry.text) is None
        assert fit(entry.answer(Form.THREAD), Says()).text == entry.text


async def test_the_bot_in_python_says_it_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    echo = bots("echo_bot.toml")["echo"]
    answer = await echo.answer(asking_in_a_thread())
    assert answer == Answer("Why?\n\n(0 have answered this before me.)")
    assert await echo.answer(asking("x" * 501)) is None


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
async def test_the_bot_in_javascript_throws_dice() -> None:
    dice = bots("command_bot.toml")["dice"]
    answer = await dice.answer(asking("please throw 3d1!", **{ALICE.pubkey: "Alice"}))
    assert answer == Answer("Alice throws 1 + 1 + 1 = 3.", Form.NOTE)
    thrown = await dice.answer(asking("2d6"))
    assert thrown is not None
    assert re.fullmatch(r"npub1\w+… throws [1-6] \+ [1-6] = \d+\.", thrown.text)
    assert await dice.answer(asking("no dice, 0d6")) is None
