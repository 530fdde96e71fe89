"""docs/mirror.md: the command lines about sources and the store run, and no option is left out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import nostr_threads as nt
from nostr_threads.cli.commands import app
from nostr_threads.core import nip19
from nostr_threads.relayd import RelayServer
from tests.app.worlds import ALICE, BOB, NOW
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from tests.cli.program import Home

PAGE = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text(encoding="utf-8")
SOURCES, STORE = PAGE.split("## Import and export")[0], PAGE.split("## The store in order")[1]
# What is not about keys, stores and settings, which docs/cli.md tells of.
OUT_OF_SCOPE = {"--help", "--json", "--store", "--relays", "--password-fd", "--yes", "--once"}
GROUP: Any = typer.main.get_command(app)
COMMANDS = ("add", "run", "push", "purge", "verify", "stats", "vacuum", "status")


def lines(text: str) -> list[list[str]]:
    found = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    every = [shlex.split(line, comments=True) for block in found for line in block.splitlines()]
    assert {line[0] for line in every} == {"nostr-threads"}
    return [line[1:] for line in every]


async def test_the_command_lines_of_the_page_run_in_their_order(alice: Home) -> None:
    root = ALICE.event(1, "long answers", NOW, (("t", "nostr"),))
    answer = BOB.reply(root, "an answer", NOW + 1)
    async with RelayServer(stocked([root, answer]), accept=lambda _: None) as relay:
        alice.settle([relay.url])
        standing_for = {
            "nevent1…": nt.encode(nip19.EventPointer(root.id)),
            "npub1…": nt.encode(nip19.PublicKey(ALICE.pubkey)),
            "wss://relay.example": relay.url,
        }
        # The relay does not search, the key needs a password, and what follows does not end.
        without = [line for line in lines(SOURCES) if not {"search", "--follow", "--key"} & {*line}]
        for line in without:
            words = [standing_for.get(word, word) for word in line]
            ran = await alice.run(*words, *(("--yes",) if "purge" in line else ()))
            assert ran.code == 0, f"{shlex.join(line)}: {ran.err}"
        assert (await alice.run("search", "long", "answers", "--json")).ids == [root.id]


def test_every_line_is_of_a_command_that_exists() -> None:
    for line in lines(SOURCES):
        group = GROUP.commands[line[0]]
        command = group.commands[line[1]] if line[0] == "mirror" else group
        options = {option for each in command.params for option in each.opts}
        options |= {option for each in command.params for option in each.secondary_opts}
        assert {word for word in line if word.startswith("--")} <= options, line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name: str) -> None:
    for parameter in GROUP.commands["mirror"].commands[name].params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            known = option in OUT_OF_SCOPE or not option.startswith("--")
            assert known or f"{option}" in PAGE, option


async def test_every_key_of_the_status_is_described(home: Home) -> None:
    async with RelayServer(stocked()) as relay:
        await home.run("mirror", "add", "hashtag", "nostr", "--relay", relay.url)
        await home.run("mirror", "run")
    told = (await home.run("mirror", "status", "--json")).object
    for key in told:
        assert f"`{key}`" in SOURCES, key
