"""docs/keys.md: its command lines are ones that exist, and the set-ups that it shows work."""

from __future__ import annotations

import json
import re
import shlex
import signal
import tomllib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import nostr_threads as nt
from nostr_threads.cli.commands import app
from nostr_threads.core.nip19 import PublicKey
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, Kind, secret_from_hex
from nostr_threads.testing import Author
from tests.cli.program import PASSWORD, Home
from tests.relayd.peers import stocked
from tests.test_examples import run

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator

PAGE = (Path(__file__).parents[1] / "docs" / "keys.md").read_text(encoding="utf-8")
ALICE, BOB = Author(1), Author(2)
STANDING_FOR = {
    "npub1…": nt.encode(PublicKey(ALICE.pubkey)),
    "wss://…": "wss://relay.example",
    "COMMAND…": "true",
}


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and all they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def command_lines() -> list[list[str]]:
    """The lines of the program, without comments and without what is for the shell."""
    lines = [
        shlex.split(line, comments=True) for each in blocks("sh") for line in each.splitlines()
    ]
    ours = [line[1:] for line in lines if line[:1] == ["nostr-threads"]]
    return [
        [word for word, shells in zip(line, _of_the_shell(line), strict=True) if not shells]
        for line in ours
    ]


def _of_the_shell(line: list[str]) -> list[bool]:
    """Tell redirections, and the files that they lead to."""
    turns = [re.fullmatch(r"\d?[<>]", word) is not None for word in line]
    return [turn or before for turn, before in zip(turns, [False, *turns], strict=False)]


INLINE = re.findall(r"`(?:nostr-threads )?(key [a-z]+(?: [^`]*)?)`", PAGE)


def found(line: list[str]) -> tuple[Any, list[str]]:
    """Return the command that a line is of, and the rest of the line."""
    command: Any = typer.main.get_command(app)
    while line and line[0] in getattr(command, "commands", {}):
        command, line = command.commands[line[0]], line[1:]
    return command, line


def parsed(line: list[str]) -> None:
    """Have the program read a command line, without doing what it says."""
    command, rest = found(line)
    command.make_context("it", [STANDING_FOR.get(word, word) for word in rest])


@pytest.mark.parametrize("line", command_lines(), ids=shlex.join)
def test_every_command_line_is_one(line: list[str]) -> None:
    parsed(line)


@pytest.mark.parametrize("text", sorted(set(INLINE)))
def test_every_command_in_the_text_is_one(text: str) -> None:
    command, rest = found(shlex.split(text))
    assert not hasattr(command, "commands"), "there is no such command"
    if rest and not rest[0].startswith("-"):
        parsed(shlex.split(text))
    own = rest[: rest.index("--")] if "--" in rest else rest
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in own if word.startswith("-")} <= options


def test_every_command_and_every_rule_of_lending_is_described() -> None:
    keys: Any = typer.main.get_command(app).commands["key"]  # type: ignore[attr-defined]
    told = {line[1] for line in command_lines() if line[0] == "key"}
    told |= {text.split()[1] for text in INLINE}
    assert told >= set(keys.commands) - {"show"}
    for parameter in keys.commands["bunker"].params:
        for option in parameter.opts:
            assert not option.startswith("--") or f"`{option}" in PAGE or option == "--json", option


@asynccontextmanager
async def started(home: Home, line: list[str], password: str | None) -> AsyncIterator[Process]:
    async with home.started(*line, password=password) as process:
        yield process
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == 130, err.decode()


async def test_the_recommended_set_up_works_over_a_relay_of_ones_own(tmp_path: Path) -> None:
    making, lending = [line for line in command_lines() if "bot" in line][:2]
    (serving,) = [line for line in command_lines() if line[:2] == ["relay", "serve"]]
    serving[serving.index("--port") + 1] = "0"
    owner = Home(tmp_path / "owner")
    for folder in (owner.folder, tmp_path / "bot"):
        folder.mkdir()
    made = await owner.run(*making, password=PASSWORD)
    assert made.code == 0, made.err
    asking = ALICE.note("#hello, anybody?")
    async with (
        RelayServer(stocked([asking])) as relay,
        started(owner, serving, None) as meeting,
    ):
        assert meeting.stderr is not None
        url = (await meeting.stderr.readline()).decode().split()[1].rstrip(";,")
        lending[lending.index("--relay") + 1] = url
        async with started(owner, lending, PASSWORD) as bunker:
            assert bunker.stdout is not None
            link = (await bunker.stdout.readline()).decode().strip()
            code, told, err = await run(
                "bot_with_bunker.py", asking.id, relay.url, folder=tmp_path / "bot", secret=link
            )
            assert (code, len(told.splitlines())) == (0, 1), err
    assert_every_file_is_described(owner.folder / "keys")
    assert_every_file_is_described(tmp_path / "bot/keys")


def assert_every_file_is_described(folder: Path) -> None:
    section = PAGE.split("## Where it lies", 1)[1].split("\n## ", 1)[0]
    for file in folder.iterdir():
        assert re.search(rf"`(?:NAME|KEY|LINK)?\.?{file.name.rpartition('.')[2]}`", section), file


def test_every_place_is_described() -> None:
    section = PAGE.split("## Where it lies", 1)[1].split("\n## ", 1)[0]
    for kind in Kind:
        assert re.search(rf"^\|[^|]*\b{kind.value}\b", section, re.MULTILINE), kind


async def test_the_program_signs_with_the_key_whose_password_it_reads(tmp_path: Path) -> None:
    program, _ = blocks("python")
    home = Home(tmp_path)
    folder = KeyFolder(tmp_path / "keys")
    folder.add("bot", secret_from_hex(BOB.secret_hex()), PASSWORD, log_n=2)
    home.file("password.txt", f"{PASSWORD}\n")
    home.file("bot.py", program)
    async with RelayServer(stocked()) as relay:
        home.settle([relay.url])
        code, out, err = await run(str(tmp_path / "bot.py"), folder=tmp_path)
    assert code == 0, err
    assert nt.decode(out.strip()).author == BOB.pubkey  # type: ignore[union-attr]


async def test_the_package_brings_a_signer(tmp_path: Path) -> None:
    (project,) = map(tomllib.loads, blocks("toml"))
    _, module = blocks("python")
    site = tmp_path / "site"
    info = site / "key_in_a_file-1.0.dist-info"
    info.mkdir(parents=True)
    name, version = project["project"]["name"], project["project"]["version"]
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    ((group, entries),) = project["project"]["entry-points"].items()
    points = "\n".join(f"{each} = {target}" for each, target in entries.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}\n")
    (site / module.splitlines()[0].removeprefix("# ")).write_text(module)
    key = tmp_path / "key.hex"
    key.write_text(f"{BOB.secret_hex()}\n")
    (text,) = re.findall(r"`nostr-threads (key plugin [^`]*)`", PAGE)
    line = [str(key) if word.startswith("/media") else word for word in shlex.split(text)]
    home = Home(tmp_path, PYTHONPATH=str(site))
    async with home.started(*line, "--json") as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert json.loads(out)["public_key"] == BOB.pubkey
    home.file("a.md", "text")
    async with RelayServer(stocked()) as relay:
        home.settle([relay.url])
        async with home.started("publish", "a.md", "--json") as process:
            out, err = await process.communicate()
    assert json.loads(out)["parts"][0]["event"]["pubkey"] == BOB.pubkey
