"""Several bots in one process: one store, one connection to each relay, and an end for all.

Knows how bots are put together from their files. What each does is `running`'s.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.app.bots.answering import answering
from nostr_threads.app.bots.running import Running
from nostr_threads.app.grouping import ungrouped
from nostr_threads.core.bots.specs import PythonOf
from nostr_threads.core.bots.when import Rule
from nostr_threads.errors import InvalidConfig, InvalidInput, NoSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.bots.news import Tell
    from nostr_threads.app.client import Nostr
    from nostr_threads.store.bots import RecordedBot

__all__ = ["Member", "bots_of", "require_names", "run_all", "run_bot"]


@dataclass(frozen=True, slots=True)
class Member:
    """One of the bots: its file, who answers for each rule, and `nostr`, which signs as it."""

    file: BotFile
    bots: Mapping[str, Bot]
    nostr: Nostr

    @property
    def public_key(self) -> str:
        """Who it is, in hex. Raises `NoSigner`."""
        if self.nostr.signer is None:
            raise NoSigner("a bot has a key to sign with")
        return self.nostr.signer.public_key


def bots_of(file: BotFile) -> dict[str, Bot]:
    """Return who answers for each rule of a file, by its name.

    Raises `InvalidConfig`, which names the rule, for what cannot be used.
    """
    folder = Path(file.path).parent
    made: dict[str, Bot] = {}
    for rule in file.rules:
        try:
            made[rule.name] = answering(rule.answer, folder, form=rule.form)
        except InvalidInput as error:
            raise InvalidConfig(Path(file.path), None, f"rule {rule.name!r}: {error}") from None
    return made


async def run_bot(
    nostr: Nostr,
    bot: Bot,
    file: BotFile,
    stop: asyncio.Event | None = None,
    *,
    clock: Callable[[], float] = time.time,
    tell: Tell = lambda _: None,
) -> None:
    """Let `bot` answer what it is asked, until `stop` is set; for ever without one.

    `file` says where it listens and what it may do, as a bot.toml would: `BotFile("echo")` is
    enough. Its rules say when the bot is asked, whatever they say of the answer; without any it
    always is. It signs as `nostr` does, and its record is in that store, under the name of the
    file. `tell` hears of all that happens. Raises `NoSigner`, `StoreError`.
    """
    rules = file.rules or (Rule(file.name, PythonOf(type(bot).__name__)),)
    member = Member(replace(file, rules=rules), {rule.name: bot for rule in rules}, nostr)
    await run_all([member], stop or asyncio.Event(), clock=clock, tell=tell)


def require_names(files: Iterable[BotFile]) -> None:
    """Raise `InvalidInput` for two bots of one name: nobody could tell their records apart."""
    seen: set[str] = set()
    for file in files:
        if file.name in seen:
            raise InvalidInput(f"there are two bots called {file.name!r}: give one another name")
        seen.add(file.name)


async def run_all(
    members: Sequence[Member],
    stop: asyncio.Event,
    *,
    clock: Callable[[], float],
    tell: Tell = lambda _: None,
    pulse: Callable[[RecordedBot], None] = lambda _: None,
    is_dry: bool = False,
) -> None:
    """Run all until `stop` is set, and let each finish what it has signed. Raises `StoreError`."""
    with ungrouped():
        async with asyncio.TaskGroup() as tasks:
            for member in members:
                bot = Running(
                    member.nostr,
                    member.file,
                    member.bots,
                    clock=clock,
                    tell=tell,
                    pulse=pulse,
                    is_dry=is_dry,
                )
                tasks.create_task(bot.run(stop))
