"""Other people's clients read a mirrored thread through `relay serve`, and check every event."""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Author
from tests.cli.program import Home
from tests.cli.test_serving import serving, told
from tests.peers.rust import WAIT, rust_client, sdk

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.core.event import Verified

SECONDS = 60.0
ALICE, BOB = Author(1), Author(2)
NOW = int(time.time()) - 1000
NOTES = 120
WORD = "zebra"


def grown() -> list[Verified]:
    """A thread several levels deep, and a reaction; one note of it has the word."""
    notes = [ALICE.note("the question", NOW)]
    for number in range(1, NOTES):
        text = WORD if number == 77 else f"note {number}"
        parent = notes[(number - 1) // 3]
        tags = (("e", notes[0].id, "", "root"), ("e", parent.id, "", "reply"))
        notes.append(BOB.note(text, NOW + number, tags))
    return [*notes, ALICE.event(7, "+", NOW + 500, (("e", notes[5].id),))]


THREAD = grown()
(FOUND,) = (event.id for event in THREAD if event.content == WORD)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    with SqliteStore(tmp_path / "threads.db") as store:
        store.add([*THREAD, BOB.note("elsewhere", NOW)], relay="wss://relay.example", now=NOW)
    return Home(tmp_path)


async def searchable(url: str) -> None:
    async with asyncio.timeout(SECONDS):
        while 50 not in (await told(url))["supported_nips"]:
            pass


async def by_nostr_tools(folder: Path, url: str, **more: str) -> dict[str, Any]:
    await searchable(url)
    process = await asyncio.create_subprocess_exec(
        *("node", "--experimental-websocket", "thread.js"),
        cwd=folder,
        env={**os.environ, "URL": url, "ROOT": THREAD[0].id, "WORD": WORD, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    result: dict[str, Any] = json.loads(out)
    return result


async def test_nostr_tools_reads_counts_and_searches_a_mirrored_thread(
    home: Home, installed: Path
) -> None:
    async with serving(home) as (url, _):
        theirs = await by_nostr_tools(installed, url)
    assert set(theirs["ids"]) == {event.id for event in THREAD}
    assert theirs["valid"] is True
    assert theirs["count"] == NOTES + 1
    assert theirs["found"] == [FOUND]


async def test_nostr_tools_says_who_it_is_and_then_reads_and_writes_a_private_archive(
    home: Home, installed: Path
) -> None:
    async with serving(home, "--auth", "required", "--accept", ALICE.pubkey) as (url, _):
        theirs = await by_nostr_tools(installed, url, SECRET=ALICE.secret_hex())
    assert set(theirs["ids"]) == {event.id for event in THREAD}
    assert theirs["found"] == [FOUND]
    assert theirs["published"] == ""
    with SqliteStore(home.folder / "threads.db") as store:
        (mine,) = (
            note
            for note in store.stored_after(0, now=NOW, most=999).events
            if note.content == "mine"
        )
    assert mine.pubkey == ALICE.pubkey


@pytest.mark.parametrize("private", [False, True])
async def test_nostr_sdk_reads_and_searches_a_mirrored_thread(home: Home, *, private: bool) -> None:
    options = ("--auth", "required", "--accept", ALICE.pubkey) if private else ()
    keys = sdk.Keys.parse(ALICE.secret_hex())
    async with serving(home, *options) as (url, _):
        await searchable(url)
        async with rust_client(url, keys=keys) as client, asyncio.timeout(SECONDS):

            async def ask(wanted: Any) -> list[Any]:
                events: list[Any] = await client.fetch_events(sdk.ReqTarget.auto([wanted]), WAIT)
                return events

            found = {
                event.id().to_hex(): event
                for event in await ask(sdk.Filter().id(sdk.EventId.parse(THREAD[0].id)))
            }
            asked = [*found]
            while asked:
                below = sdk.Filter().events([sdk.EventId.parse(each) for each in asked])
                fresh = {event.id().to_hex(): event for event in await ask(below)}
                asked = [each for each in fresh if each not in found]
                found |= fresh
            by_word = await ask(sdk.Filter().search(WORD))
    assert set(found) == {event.id for event in THREAD}
    assert all(event.verify() for event in found.values())
    assert [event.id().to_hex() for event in by_word] == [FOUND]
