"""docs/cli.md: its command lines run, and it leaves out no option and no key."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.main

import nostr_threads as nt
from nostr_threads.cli.commands import app
from nostr_threads.core import nip19
from nostr_threads.core.coverage import RelayCoverage
from nostr_threads.relayd import RelayServer
from nostr_threads.render.contracts import arrival_object, thread_object
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, NOW
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Home

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
# A chain in which each note names its parent alone.
CHAIN = [ALICE.note("number 0", NOW)]
for _number in range(1, 6):
    _above = (("e", CHAIN[-1].id, "", "reply"),)
    CHAIN.append(BOB.note(f"number {_number}", NOW + _number, _above))
# Everything has been looked at, and everything has arrived.
SILENT = (["new"], ["outbox", "resume", "--due"])
OUT_OF_SCOPE = {"--help", "--json", "--store", "--relays", "--key", "--password-fd"}


def command_lines() -> list[list[str]]:
    """What stands in the blocks of commands, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    assert {line[0] for line in lines} == {"nostr-threads"}
    return [line[1:] for line in lines]


async def test_the_command_lines_run_in_their_order(alice: Home) -> None:
    alice.file("answer.md", "because")
    async with RelayServer(stocked(CHAIN)) as relay:
        alice.settle([relay.url])
        standing_for = {
            "nevent1…": nt.encode(nip19.EventPointer(CHAIN[0].id)),
            "wss://…": relay.url,
        }
        ran = [
            await alice.run(*(standing_for.get(word, word) for word in line))
            for line in command_lines()
        ]
    for line, each in zip(command_lines(), ran, strict=True):
        said = f"{shlex.join(line)}: {each.err}"
        # It leaves something out of so long a chain, which is told.
        assert each.code == (3 if "--depth" in line else 0), said
        assert bool(each.out) is (line not in SILENT and "-o" not in line), said
    assert (alice.folder / "thread.md").is_file()


DESCRIBED = ("fetch", "show", "new", "compose", "publish", "quote", "react", "repost", "delete")


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_option_is_described(name: str) -> None:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            known = option in OUT_OF_SCOPE or option == "--output" or not option.startswith("-")
            assert known or f"`{option}" in PAGE, option


def keys(value: object) -> Iterator[str]:
    match value:
        case dict():
            yield from value
            for each in value.values():
                yield from keys(each)
        case list():
            for each in value:
                yield from keys(each)


def test_every_key_of_a_thread_and_of_news_is_described() -> None:
    lost = thread(3)[1:]
    coverage = nt.Coverage((RelayCoverage("wss://a.example", None, 1, 0),))
    written = thread_object(nt.Thread.build(lost), coverage, None)
    written |= arrival_object("", lost[0])
    section = PAGE.split("## JSON", 1)[1]
    for key in {*keys(written)} - set(lost[0].__slots__):
        assert re.search(rf"\b{key}\b", section), key
