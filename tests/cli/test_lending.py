"""Which keys can be lent, and what is said of the others; `test_bunker` lends them."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyEntry, KeyFolder, Kind, secret_from_hex
from tests.app.worlds import ALICE
from tests.cli.program import PASSWORD, Home
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path

DEAD = "ws://127.0.0.1:9"


@pytest.fixture
def owner(home: Home) -> Home:
    keys = KeyFolder(home.folder / "keys")
    keys.add("work", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=2)
    keys.use("work")
    return home


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Kind.COMMAND, "a program does not encrypt"),
        (Kind.NOWHERE, "only the public half of this key is here"),
    ],
)
async def test_what_cannot_encrypt_cannot_be_lent(home: Home, kind: Kind, sentence: str) -> None:
    keys = KeyFolder(home.folder / "keys")
    keys.put("it", KeyEntry(kind, ALICE.pubkey, {"command": ["true"]}))
    for line in (("key", "bunker", "it", "--relay", DEAD), ("key", "clients", "it")):
        ran = await home.run(*line)
        assert (ran.code, ran.out) == (7, "")
        assert sentence in ran.err


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_key_that_is_lent_is_lent_on_where_its_bunker_encrypts(
    owner: Home, tmp_path: Path, allowed: bool
) -> None:
    homes = [Home(tmp_path / name) for name in ("second", "third")]
    for each in homes:
        each.folder.mkdir()
    second, third = homes
    rules = ("--encryption",) if allowed else ()
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        third.settle([relay.url])
        lending = ("key", "bunker", "--relay", meeting.url, *rules)
        async with owner.started(*lending, password=PASSWORD) as first:
            assert first.stdout is not None
            link = await first.stdout.readline()
            assert (await second.run("key", "import", "lent", stdin=link)).code == 0
            async with second.started("key", "bunker", "lent", "--relay", meeting.url) as middle:
                assert middle.stdout is not None
                link = await middle.stdout.readline()
                if allowed:
                    assert (await third.run("key", "import", "lent", stdin=link)).code == 0
                    ran = await third.run("publish", third.file("a.md", "text"), "--json")
                    assert ran.object["parts"][0]["event"]["pubkey"] == ALICE.pubkey
                    middle.send_signal(signal.SIGINT)
                _, said = await middle.communicate()
    assert middle.returncode == (130 if allowed else 7)
    assert "this key is lent to you" in said.decode()
    assert ("can be lent on only if its bunker encrypts" in said.decode()) is not allowed


async def test_the_kinds_that_are_signed_are_all_some_or_none(owner: Home) -> None:
    for given, code in (("", 2), (" ", 2), ("1,,7", 2), ("no", 2)):
        ran = await owner.run("key", "bunker", "--relay", DEAD, "--kinds", given)
        assert (ran.code, ran.out) == (code, "")
        assert "or `all`, or `none`" in ran.err
    none = ("key", "bunker", "--relay", DEAD, "--kinds", "none", "--json")
    async with owner.started(*none, password=PASSWORD) as process:
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline())["link"].startswith("bunker://")


async def test_one_client_is_one(owner: Home, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Home(tmp_path / "other")
    async with RelayServer(stocked()) as meeting:
        for expected in ("0 clients may", "1 client may"):
            lending = ("key", "bunker", "--relay", meeting.url)
            async with owner.started(*lending, password=PASSWORD) as process:
                assert process.stdout is not None
                assert process.stderr is not None
                if expected.startswith("0"):
                    link = await process.stdout.readline()
                    assert (await other.run("key", "import", "lent", stdin=link)).code == 0
                said = await process.stderr.readline() + await process.stderr.readline()
            assert expected in said.decode()
