"""`bot check`: what is wrong with a bot's files, and which rule answers each sample question."""

from __future__ import annotations

import asyncio
import logging
import time
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
    from collections.abc import Iterable, Mapping

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.bots.rehearsing import Rehearsal

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
    one that would be asked. Exit code 1: an answer cannot be read, made or sent, or a program is
    not there; 2: the bot's file is wrong.

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
        problems += asyncio.run(_rehearse(_lines(questions), read, bots, as_json=as_json))
    if problems:
        raise typer.Exit(_FAULTY)


def _problems(bots: Mapping[str, Bot]) -> list[str]:
    from nostr_threads.app.bots.banks import Bank

    banks = {name: bot for name, bot in bots.items() if isinstance(bot, Bank)}
    found = [str(problem) for bank in banks.values() for problem in bank.problems]
    empty = (name for name, bank in banks.items() if not bank.entries)
    return [*found, *(f"rule {name!r}: its bank has no answer that can be read" for name in empty)]


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


async def _rehearse(
    questions: Iterable[str], file: BotFile, bots: Mapping[str, Bot], *, as_json: bool
) -> tuple[str, ...]:
    """Show what becomes of each question; return what is wrong, which is said once."""
    from nostr_threads.app.bots.rehearsing import rehearse

    faults: dict[str, None] = {}
    for question in questions:
        found = await rehearse(question, file, bots, now=int(time.time()))
        for fault in found.faults:
            if fault not in faults:
                say(f"error: {fault}")
            faults[fault] = None
        _show(question, found, as_json=as_json)
    return tuple(faults)


def _show(question: str, found: Rehearsal, *, as_json: bool) -> None:
    if as_json:
        emit_json({"question": question, "rules": list(found.rules), "why": dict(found.whys)})
        return
    emit(f"{one_line(question, _WIDTH)}\n")
    emit(f"  {', '.join(found.rules) or 'nobody answers'}\n")
    emit("".join(f"    {name}: {one_line(why, 2 * _WIDTH)}\n" for name, why in found.whys.items()))
