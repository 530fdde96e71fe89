"""docs/bots.md: its commands exist, its file is read, and all that can be set is told of."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from nostr_threads.app.bots.botfile import parse_bot
from nostr_threads.app.bots.news import Deed
from nostr_threads.cli.commands import app
from nostr_threads.core.bots.budgets import Budgets
from nostr_threads.core.bots.cases import Limits
from nostr_threads.core.bots.saying import Says
from nostr_threads.core.bots.ways import Way
from nostr_threads.core.bots.when import When
from nostr_threads.store.bots import State

if TYPE_CHECKING:
    from tests.cli.program import Home

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bots.md").read_text(encoding="utf-8")
GROUP: Any = typer.main.get_command(app).commands["bot"]  # type: ignore[attr-defined]
OUT_OF_SCOPE = {"--help", "--json", "--store", "--relays", "--password-fd", "--yes", "--bot", "-y"}
# Written otherwise in the file.
RENAMED = {"zone": "timezone", "patterns": "regex"}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def lines() -> list[list[str]]:
    every = [
        shlex.split(line, comments=True) for each in blocks("sh") for line in each.splitlines()
    ]
    assert {line[0] for line in every} == {"nostr-threads"}
    return [line[1:] for line in every]


def test_every_command_line_is_of_a_command_with_such_options() -> None:
    for line in lines():
        if line[0] != "bot":
            continue
        known = {option for each in GROUP.commands[line[1]].params for option in each.opts}
        assert {word for word in line if word.startswith("--")} <= known, line


async def test_what_needs_no_relay_runs_in_its_order(home: Home) -> None:
    for line in [line for line in lines() if line[:2] in (["bot", "new"], ["bot", "check"])]:
        ran = await home.run(*line)
        assert ran.code == 0, ran.err


def test_the_file_on_the_page_can_be_read() -> None:
    (text,) = blocks("toml")
    read = parse_bot(text, Path("faq/bot.toml"))
    assert [rule.name for rule in read.rules] == ["dice", "bank"]


@pytest.mark.parametrize("name", GROUP.commands)
def test_every_option_is_told_of(name: str) -> None:
    for parameter in GROUP.commands[name].params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert not option.startswith("-") or option in OUT_OF_SCOPE or option in PAGE, option


@pytest.mark.parametrize("kind", [Limits, Budgets, Says, When])
def test_everything_that_can_be_set_is_told_of(kind: type) -> None:
    for field in fields(kind):
        assert f"`{RENAMED.get(field.name, field.name)}`" in PAGE, field.name


def test_every_guard_state_deed_and_way_is_told_of() -> None:
    folders = (ROOT / "nostr_threads" / ring / "bots" for ring in ("core", "app"))
    sources = [file.read_text(encoding="utf-8") for each in folders for file in each.glob("*.py")]
    named = r'(?:Skip|Wait|Taken)\((?:[^"]*?, |"", )?"(\w+)"'
    guards = {guard for source in sources for guard in re.findall(named, source)}
    assert {"self", "known", "quiet", "silent", "gone", "signing", "died", "rules"} <= guards
    for word in (*guards, *(each.value for each in (*State, *Deed, *Way))):
        assert f"`{word}`" in PAGE, word
