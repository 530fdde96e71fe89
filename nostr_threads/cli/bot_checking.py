"""`bot check`: what is wrong with a bot's files, and which rule answers each sample question."""

from __future__ import annotations

import logging
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, read_input, say
from nostr_threads.cli.options import AsJson
from nostr_threads.cli.reports import counted
from nostr_threads.errors import InvalidInput
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.core.bots.when import Rule

__all__ = ["check"]

_WIDTH = 100
_FAULTY = 1


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bot.toml.")],
    questions: Annotated[
        Path | None,
        typer.Argument(metavar="[QUESTIONS]", help="Sample questions, one in a line; - for stdin."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a bot's file and its answers, and show which rule answers each sample question.

    Nobody is asked and nothing is run: a rule with a program, a function or a model is shown as the
    one that would be asked. Exit code 1: an answer in a bank cannot be read; 2: the bot's file is
    wrong.

    Example: nostr-threads bot check faq/bot.toml

    Example: nostr-threads bot check faq/bot.toml faq/questions.txt
    """
    from nostr_threads.app.bots.botfile import read_bot
    from nostr_threads.app.bots.crew import bots_of

    # They are shown here: nobody is to read them twice.
    logging.getLogger("nostr_threads").addHandler(logging.NullHandler())
    read = read_bot(file)
    bots = bots_of(read)
    problems = [*_problems(bots), *_absent(read)]
    for problem in problems:
        say(f"error: {problem}")
    if questions is None:
        say(f"{read.name}: {counted(len(read.rules), 'rule')}, {_known(bots)}")
    else:
        for question in _lines(questions):
            _show(question, read, bots, as_json=as_json)
    if problems:
        raise typer.Exit(_FAULTY)


def _problems(bots: Mapping[str, Bot]) -> list[str]:
    from nostr_threads.app.bots.banks import Bank

    banks = (bot for bot in bots.values() if isinstance(bot, Bank))
    return [str(problem) for bank in banks for problem in bank.problems]


def _absent(file: BotFile) -> list[str]:
    """What is named in the file and is not on this machine."""
    from nostr_threads.cli.secrets import key_folder
    from nostr_threads.core.bots.specs import CommandOf

    folder = file.path and Path(file.path).parent
    absent = [
        f"rule {rule.name!r}: there is no program {rule.answer.words[0]!r}"
        for rule in file.rules
        if isinstance(rule.answer, CommandOf) and _found(rule.answer.words[0], folder) is None
    ]
    if file.key and file.key not in key_folder().names():
        say(f"there is no key {file.key!r} yet: nostr-threads key new {file.key}")
    return absent


def _found(program: str, folder: Path | str) -> str | None:
    """Return where a program is, as it is found when it is run: by PATH, or from the folder."""
    return which(program) if "/" not in program else which(str(Path(folder) / program))


def _known(bots: Mapping[str, Bot]) -> str:
    from nostr_threads.app.bots.banks import Bank

    answers = sum(len(bot.entries) for bot in bots.values() if isinstance(bot, Bank))
    return f"{counted(answers, 'answer')} in banks"


def _lines(path: Path) -> list[str]:
    try:
        text = read_input(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _show(question: str, file: BotFile, bots: Mapping[str, Bot], *, as_json: bool) -> None:
    """Show who answers a question that names the bot, and why each rule does or does not."""
    from nostr_threads.core.bots.ways import Way
    from nostr_threads.core.bots.when import Heard, Match, choose

    choice = choose(file.rules, Heard(question, frozenset((Way.MENTION,))), Match.ALL)
    answering: list[str] = []
    whys: list[tuple[str, str]] = []
    for rule, finding in choice.findings:
        says, why = finding.fits, finding.why
        if says and answering and file.match is Match.FIRST:
            says, why = False, f"{answering[0]} answers already"
        elif says:
            says, more = _said(rule, bots[rule.name], question)
            why = f"{why}; {more}" if more else why
        if says:
            answering.append(rule.name)
        whys.append((rule.name, why))
    if as_json:
        emit_json({"question": question, "rules": answering, "why": dict(whys)})
        return
    emit(f"{one_line(question, _WIDTH)}\n")
    emit(f"  {', '.join(answering) or 'nobody answers'}\n")
    emit("".join(f"    {name}: {one_line(why, 2 * _WIDTH)}\n" for name, why in whys))


def _said(rule: Rule, bot: Bot, question: str) -> tuple[bool, str]:
    """Whether a rule that fits has something to say, as far as nobody has to be asked."""
    from nostr_threads.app.bots.banks import Bank
    from nostr_threads.core.bots.specs import BankOf

    if not isinstance(bot, Bank) or not isinstance(rule.answer, BankOf):
        return True, ""
    chosen = bot.choose(question)
    if chosen is not None:
        return True, f"{chosen.entry.name} fits with {chosen.score:.2f}: {chosen.why}"
    nearest = next(iter(bot.explain(question)), None)
    if nearest is None:
        return False, "nothing in the bank has a word of it"
    return False, (
        f"nothing in the bank fits well enough: {nearest.entry.name} with {nearest.score:.2f}, "
        f"below {rule.answer.threshold:.2f}"
    )
