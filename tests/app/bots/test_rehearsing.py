"""What a bot would do with a sample question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots.botfile import parse_bot
from nostr_threads.app.bots.crew import bots_of
from nostr_threads.app.bots.rehearsing import Rehearsal, rehearse

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000
LAST = "[[rule]]\nname = 'last'\nanswer = { text = 'x' }\n"


def rule(name: str, answer: str, more: str = "") -> str:
    return f"[[rule]]\nname = '{name}'\nanswer = {{ {answer} }}\n{more}\n"


async def rehearsed(folder: Path, text: str, question: str) -> Rehearsal:
    file = parse_bot(text, folder / "bot.toml")
    return await rehearse(question, file, bots_of(file), now=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "eat.md").write_text("---\nwords: eat\n---\nAt noon.", "utf-8")
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "pay.md").write_text("---\nquestion: How do I pay?\n---\nx", "utf-8")
    return tmp_path


async def test_a_file_with_words_is_silent_without_them(folder: Path) -> None:
    text = rule("eat", "file = 'eat.md'") + LAST
    assert (await rehearsed(folder, text, "When do we eat?")).rules == ("eat",)
    found = await rehearsed(folder, text, "When do we leave?")
    assert found.rules == ("last",)
    assert found.whys["eat"] == "it has no conditions; it has nothing to say to this"


async def test_hashtags_are_those_of_the_line(folder: Path) -> None:
    text = rule("tag", "text = 'x'", "when.hashtags = 'AskNostr'")
    assert (await rehearsed(folder, text, "what? #asknostr")).rules == ("tag",)
    assert (await rehearsed(folder, text, "what? asknostr")).rules == ()


async def test_what_is_not_listened_to_is_not_heard(folder: Path) -> None:
    text = f"[bot]\nlisten = []\nhashtags = 'ask'\n{LAST}"
    assert (await rehearsed(folder, text, "what? #ask")).rules == ("last",)
    found = await rehearsed(folder, text, "what?")
    assert (found.rules, found.faults) == ((), ())
    assert found.whys == {"last": "it is not heard: it has none of the hashtags"}


@pytest.mark.parametrize(
    "listens",
    ["listen = 'replies'", f"listen = []\nauthors = '{'ab' * 32}'", "kinds = [1111]"],
)
async def test_a_bot_that_hears_others_is_taken_to_hear_it(folder: Path, listens: str) -> None:
    assert (await rehearsed(folder, f"[bot]\n{listens}\n{LAST}", "what?")).rules == ("last",)


async def test_a_bank_says_why(folder: Path) -> None:
    text = rule("bank", "bank = 'bank'") + LAST
    found = await rehearsed(folder, text, "How do I pay?")
    assert found.rules == ("bank",)
    assert "pay.md fits with 1.00" in found.whys["bank"]
    assert found.whys["last"] == "bank answers already"
    assert (await rehearsed(folder, text, "Who?")).rules == ("last",)


async def test_what_fails_is_told_and_nothing_else_answers(folder: Path) -> None:
    """So it is when it runs: a failed answer is tried again, and no other given instead."""
    text = rule("tpl", "template = '{{ note.nothing }}'") + LAST
    found = await rehearsed(folder, text, "what?")
    assert found.rules == ()
    assert len(found.faults) == 1
    assert found.faults[0].startswith("rule 'tpl': line 1 of the template: ")
    assert found.whys["last"] == "tpl fails before it"
    both = await rehearsed(folder, f"[bot]\nmatch = 'all'\n{text}", "what?")
    assert both.rules == ("last",)


async def test_what_may_not_be_said_is_told(folder: Path) -> None:
    text = "[says]\nnever = 'noon'\n" + rule("eat", "file = 'eat.md'")
    found = await rehearsed(folder, text, "eat")
    assert found.rules == ()
    assert "what says.never forbids" in found.faults[0]


async def test_an_empty_template_is_silence(folder: Path) -> None:
    text = rule("tpl", "template = '{% if false %}x{% endif %}'") + LAST
    assert (await rehearsed(folder, text, "what?")).rules == ("last",)


async def test_whoever_would_be_asked_is_named_and_not_asked(folder: Path) -> None:
    text = rule("cmd", "command = ['/bin/false']") + rule("py", "python = 'os:abort'")
    found = await rehearsed(folder, f"[bot]\nmatch = 'all'\n{text}", "what?")
    assert found.rules == ("cmd", "py")
    assert found.whys["cmd"].endswith("; the program /bin/false would be asked")
    assert found.whys["py"].endswith("; the function os:abort would be asked")
