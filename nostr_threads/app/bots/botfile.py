"""bot.toml: who a bot is, where it listens, what it answers, and what it never does.

Knows what may stand in the file. Every mistake names its line and key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

from nostr_threads.app.bots.answer_tables import path_in
from nostr_threads.app.bots.rule_tables import hashtag, person, read_rule
from nostr_threads.app.bots.tables import Table, one_of
from nostr_threads.app.toml_files import parse_toml, read_text
from nostr_threads.core.bots.budgets import Budgets
from nostr_threads.core.bots.cases import Limits
from nostr_threads.core.bots.never import parse_never
from nostr_threads.core.bots.quiet import parse_quiet
from nostr_threads.core.bots.saying import Says
from nostr_threads.core.bots.ways import KINDS, Listening, Way
from nostr_threads.core.bots.when import Match, Rule
from nostr_threads.core.entities import HEX_64, Address
from nostr_threads.core.event import MAX_KIND
from nostr_threads.core.mentions import refuse_secrets
from nostr_threads.core.nip19 import parse_event
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidConfig, InvalidInput, InvalidText

__all__ = ["BotFile", "is_name", "parse_bot", "read_bot"]

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CALLS = {"mentions": Way.MENTION, "replies": Way.REPLY, "tagged": Way.TAGGED}
_MOST_AT_ONCE = 64
_LONGEST_PAUSE = 3_600.0
_LONGEST_CATCH_UP = 366 * 86_400
_MOST_CHARACTERS = 1_000_000
_MOST_TAGS = 100
# No file system has longer names: looking for one is an error each time.
_LONGEST_FILE_NAME = 255


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


def is_name(text: str) -> bool:
    """Whether a bot may be called that: at most 64 letters, digits and `.`, `_`, `-`."""
    # One of 64 hex digits may be a secret key that came to the wrong place.
    return _NAME.fullmatch(text) is not None and HEX_64.fullmatch(text.lower()) is None


def read_bot(path: Path) -> BotFile:
    """Read a bot.toml. Raises `InvalidConfig` with file, line and key."""
    return parse_bot(read_text(path), path)


def parse_bot(text: str, path: Path) -> BotFile:
    """Read the text of a bot.toml that is at `path`. Raises `InvalidConfig`, as `read_bot`.

    Paths in it start from its folder. No secret may stand in it: keys are named, not shown.
    """
    _refuse_secrets(text, path)
    whole = Table(parse_toml(text, path), text=text, path=path)
    bot, guards, budgets, says = map(whole.table, ("bot", "guards", "budgets", "says"))
    rules = whole.tables("rule")
    whole.done()
    if not rules:
        raise whole.error("there is no [[rule]], so nothing would be answered")
    made = BotFile(
        name=_name(bot, path),
        path=str(path),
        key=bot.read("key", _key, ""),
        relays=tuple(dict.fromkeys(bot.each("relays", normalize))),
        listening=_listening(bot),
        match=bot.choice("match", Match.FIRST),
        rules=_rules(rules, path.parent),
        limits=_limits(guards, bot),
        budgets=_budgets(budgets),
        says=_says(says),
        at_once=bot.whole("at_once", 4, most=_MOST_AT_ONCE),
        pace=bot.seconds("pace", 2.0, most=_LONGEST_PAUSE),
        kill_file=bot.read("kill_file", partial(_file, path.parent), ""),
        marks=bot.flag("mark", default=None),
    )
    for table in (bot, guards, budgets, says):
        table.done()
    return made


def _refuse_secrets(text: str, path: Path) -> None:
    try:
        refuse_secrets(text)
    except InvalidText as error:
        place, _, reason = str(error).partition(" holds ")
        line = int(place.removeprefix("line "))
        raise InvalidConfig(path, line, f"this line holds {reason}") from None


def _name(bot: Table, path: Path) -> str:
    name = bot.text("name", path.stem)
    if not is_name(name):
        raise bot.error("a bot's name is of at most 64 letters, digits and .-_", "name")
    return name


def _key(name: str) -> str:
    if HEX_64.fullmatch(name.lower()):
        raise InvalidInput("a key is named here; a secret does not belong into this file")
    return name


def _file(folder: Path, text: str) -> str:
    path = path_in(folder, text)
    if any(len(name.encode()) > _LONGEST_FILE_NAME for name in Path(path).parts):
        raise InvalidInput(f"the name of a file has at most {_LONGEST_FILE_NAME} bytes")
    return path


def _listening(bot: Table) -> Listening:
    calls = bot.each("listen", lambda word: one_of(word, _CALLS))
    made = Listening(
        ways=frozenset(calls) if "listen" in bot else Listening().ways,
        hashtags=frozenset(bot.each("hashtags", hashtag)),
        authors=frozenset(bot.each("authors", person)),
        threads=frozenset(bot.each("threads", _thread)),
        kinds=bot.wholes("kinds", most=MAX_KIND) or KINDS,
    )
    if not (made.ways or made.hashtags or made.authors or made.threads):
        raise bot.error(
            "nothing would be heard: name what it listens to, or hashtags, authors or threads",
            "listen",
        )
    return made


def _thread(text: str) -> str:
    match parse_event(text):
        case Address() as address:
            return address.coordinate
        case found:
            return found.id


def _rules(tables: tuple[Table, ...], folder: Path) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for table in tables:
        rule = read_rule(table, folder)
        if rule.name in rules:
            raise table.error(f"another rule is called {rule.name!r}, too", "name")
        rules[rule.name] = rule
    return tuple(rules.values())


def _limits(guards: Table, bot: Table) -> Limits:
    default = Limits()
    return Limits(
        allow=frozenset(guards.each("allow", person, least=1)),
        deny=frozenset(guards.each("deny", person)),
        allow_bots=guards.flag("allow_bots", default=default.allow_bots),
        allow_content_warnings=guards.flag(
            "allow_content_warnings", default=default.allow_content_warnings
        ),
        too_fast=ceil(guards.seconds("too_fast", default.too_fast)),
        depth=guards.whole("depth", default.depth, least=0),
        catch_up=ceil(bot.seconds("catch_up", default.catch_up, most=_LONGEST_CATCH_UP)),
        future=ceil(guards.seconds("future", default.future)),
        quiet=guards.each("quiet", parse_quiet),
        zone=guards.read("timezone", _zone, UTC),
        known=guards.choice("known", default.known),
        whole=guards.whole("whole", default.whole),
        pause=_pause(guards, default.pause),
    )


def _pause(guards: Table, default: float) -> float:
    pause = guards.seconds("pause", default, most=_LONGEST_PAUSE)
    try:
        return Limits(pause=pause).pause
    except InvalidInput as error:
        raise guards.error(str(error), "pause") from None


def _zone(name: str) -> tzinfo:
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput('no time zone that is known here; one is "Europe/Berlin"') from None


def _budgets(table: Table) -> Budgets:
    default = Budgets()
    total = table.whole("total", 1)
    return Budgets(
        per_author_hour=table.whole("per_author_hour", default.per_author_hour),
        per_author_day=table.whole("per_author_day", default.per_author_day),
        per_thread=table.whole("per_thread", default.per_thread),
        per_author_thread=table.whole("per_author_thread", default.per_author_thread),
        per_hour=table.whole("per_hour", default.per_hour),
        per_day=table.whole("per_day", default.per_day),
        total=total if "total" in table else default.total,
    )


def _says(table: Table) -> Says:
    default = Says()
    counts = {
        key: table.whole(key, getattr(default, key), least=0, most=_MOST_TAGS)
        for key in ("most_mentions", "most_quotes", "most_hashtags")
    }
    return Says(
        most_characters=table.whole(
            "most_characters", default.most_characters, most=_MOST_CHARACTERS
        ),
        never=table.each("never", parse_never),
        **counts,
    )
