"""`serve` as a process: where it listens, how it ends, and what it never says."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
import typer.main

from nostr_threads.cli.commands import app
from nostr_threads.core import nip19
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW
from tests.cli.program import SECONDS
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.cli.program import Home

ROOT = ALICE.note("the question", NOW)
CODE = nip19.encode(nip19.Note(ROOT.id))
PAGE = (Path(__file__).parents[2] / "docs" / "viewer.md").read_text(encoding="utf-8")


@asynccontextmanager
async def serving(
    home: Home, *options: str, **environ: str
) -> AsyncIterator[tuple[dict[str, str], asyncio.subprocess.Process]]:
    """Give what it says of where it is, and the process."""
    async with home.started("serve", "--port", "0", "--json", *options, **environ) as process:
        assert process.stdout is not None
        yield json.loads(await process.stdout.readline()), process


async def ended(process: asyncio.subprocess.Process, number: int) -> str:
    process.send_signal(number)
    async with asyncio.timeout(SECONDS):
        _, err = await process.communicate()
    return err.decode()


def keep(home: Home, *events: object) -> None:
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(events, relay="wss://seen.example", now=NOW)  # type: ignore[arg-type] # of any test


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
async def test_it_shows_the_store_until_it_is_told_to_end(
    alice: Home, number: int, code: int
) -> None:
    keep(alice, ROOT)
    async with serving(alice) as (said, process), httpx.AsyncClient() as client:
        page = await client.get(said["url"])
        err = await ended(process, number)
    assert "the question" in page.text
    assert process.returncode == code
    assert f"{said['url']}#token={said['token']}" in err
    assert "Traceback" not in err
    assert ALICE.secret_hex() not in err + page.text


async def test_where_there_is_no_store_yet_one_is_made(home: Home) -> None:
    async with serving(home) as (said, process), httpx.AsyncClient() as client:
        page = await client.get(said["url"])
        await ended(process, signal.SIGINT)
    assert "nostr-threads fetch" in page.text
    assert (home.folder / "threads.db").exists()


async def test_it_keeps_up_to_date_what_is_mirrored_if_it_is_told_to(home: Home) -> None:
    reply = BOB.reply(ROOT, "an answer", NOW + 1)
    async with FaultyRelay(stocked([ROOT, reply])) as relay:
        home.settle([relay.url])
        added = await home.run("mirror", "add", "thread", CODE)
        assert added.code == 0, added.err
        async with serving(home, "--follow") as (said, process), httpx.AsyncClient() as client:
            async with asyncio.timeout(SECONDS):
                while "an answer" not in (await client.get(f"{said['url']}n/{reply.id}")).text:
                    page = await client.get(f"{said['url']}t/{CODE}")
                    if "an answer" in page.text:
                        break
            await ended(process, signal.SIGINT)


async def test_the_browser_is_opened_without_the_token_on_its_command_line(home: Home) -> None:
    """It goes by way of a file that nobody else can read, and that is gone at the end."""
    told = home.folder / "told.txt"
    browser = home.folder / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$@" > {told}.part && mv {told}.part {told}\n', "utf-8")
    browser.chmod(0o700)
    async with serving(home, "--open", BROWSER=str(browser)) as (said, process):
        async with asyncio.timeout(SECONDS):
            while not told.exists():  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.01)
        place, mode, text = led_through(told)
        await ended(process, signal.SIGINT)
    assert said["token"] not in told.read_text(encoding="utf-8")
    assert f"{said['url']}#token={said['token']}" in text
    assert mode == 0o600
    assert not is_there(place)


def led_through(told: Path) -> tuple[Path, int, str]:
    """The file that a browser was given, who may read it, and what is in it."""
    place = Path(urlsplit(told.read_text(encoding="utf-8").strip()).path)
    return place, place.stat().st_mode & 0o777, place.read_text(encoding="utf-8")


def is_there(place: Path) -> bool:
    return place.exists()


async def test_a_port_that_is_taken_is_told(home: Home) -> None:
    keep(home, ROOT)
    async with serving(home) as (said, _):
        port = said["url"].rstrip("/").rpartition(":")[2]
        second = await home.run("serve", "--port", port)
    assert second.code == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in second.err


def test_its_page_has_every_option() -> None:
    command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    options = {option for each in command.params for option in each.opts}
    for option in options - {"--help", "--store", "--relays"}:
        assert f"`{option}" in PAGE, option


def test_its_page_has_every_key_and_every_path() -> None:
    from nostr_threads.web import static

    for name in sorted(re.findall(r"^\| `(\w)` \|", PAGE, re.MULTILINE)):
        assert f"{name}: (" in (Path(static.__path__[0]) / "keys.js").read_text(encoding="utf-8")
