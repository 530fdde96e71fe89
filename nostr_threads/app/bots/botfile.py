"""bot.toml: who a bot is, where it listens, what it answers, and what it never does.

Knows what may stand in the file. Every mistake names its line and key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.bots.budgets import Budgets
from nostr_threads.core.bots.cases import Limits
from nostr_threads.core.bots.saying import Says
from nostr_threads.core.bots.ways import Listening
from nostr_threads.core.bots.when import Match, Rule

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BotFile", "parse_bot", "read_bot"]


@dataclass(frozen=True, slots=True)
class BotFile:
    """Everything in one bot.toml, with what it leaves out filled in; `path` says which.

    `key` is the name of a key, "" for the one that is used otherwise. `relays` are normalised URLs,
    none for those of relays.toml. `at_once` answers are worked on at the same time, and at least
    `pace` seconds lie between two that are sent. While there is a file at `kill_file` ("" for none)
    nothing is answered. `marks` is whether `bot: true` is put into the bot's profile, None to ask.
    """

    name: str
    path: str = ""
    key: str = ""
    relays: tuple[str, ...] = ()
    listening: Listening = field(default_factory=Listening)
    match: Match = Match.FIRST
    rules: tuple[Rule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    budgets: Budgets = field(default_factory=Budgets)
    says: Says = field(default_factory=Says)
    at_once: int = 4
    pace: float = 2.0
    kill_file: str = ""
    marks: bool | None = None


def read_bot(path: Path) -> BotFile:
    """Read a bot.toml. Raises `InvalidConfig` with file, line and key."""
    raise NotImplementedError


def parse_bot(text: str, path: Path) -> BotFile:
    """Read the text of a bot.toml that is at `path`. Raises `InvalidConfig`, as `read_bot`."""
    raise NotImplementedError
