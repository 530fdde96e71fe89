"""Secrets in the wrong place, and the commands that bring a key in or let it go: nothing shows.

`test_leaks` has the other commands, with the same marked key.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core import nip19
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, KeySigner
from nostr_threads.signing.words import secret_from_words
from tests.cli.keyring_in_file import kept, with_keyring
from tests.cli.program import Home
from tests.cli.test_leaks import DEAD, MARKED_KEY, NSEC, PASSWORD
from tests.cli.test_program import COMMANDS
from tests.relayd.peers import stocked
from tests.signing.leaks import MARKED_HEX, MARKED_RAW, leaks, marked
from tests.signing.test_plugins import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


WORDS = "leader monkey parrot ring guide accident before fence cannon height naive bean"
OF_WORDS = bytes.fromhex(secret_from_words(WORDS).reveal())
NPUB = nip19.encode(nip19.PublicKey(MARKED_KEY))
NOTE = nip19.encode(nip19.Note("ab" * 32))
# Of these the next word is the id of an event, or what is said to everybody.
TAKES_IDS = ("fetch", "show", "quote", "react", "repost", "delete", "code")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    folder = KeyFolder(home.folder / "keys")
    folder.add("work", marked(), PASSWORD, log_n=2)
    folder.use("work")
    home.file("short.md", "short")
    home.settle([DEAD])
    return home


def assert_nothing_shows(text: str, line: Iterable[str] = ()) -> None:
    assert leaks(text) == [], line
    assert leaks(text, OF_WORDS) == [], line
    assert PASSWORD not in text, line
    assert not re.search("monkey|parrot|accident|cannon", text), line


def assert_no_file_tells(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert MARKED_RAW not in data, path
        assert OF_WORDS not in data, path
        assert_nothing_shows(data.decode("latin-1"), (str(path),))


def misplaced(secret: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Lines on which a secret stands where it must not, and where it can be known to be one."""
    lines: list[tuple[str, ...]] = [secret, ("key", *secret), ("--relays", *secret)]
    for command in COMMANDS:
        if command[0] in ("demo", "outbox", "mirror"):
            continue
        more = (NOTE, "short.md", "more") if command[0] in TAKES_IDS else ()
        lines.append((*command, *more, *secret))
    lines += [("key", each, "safe", *secret) for each in ("program", "plugin", "import", "connect")]
    lines += [
        ("publish", "short.md", *secret),
        ("publish", "short.md", "--limit", *secret),
        ("publish", "short.md", "--reply-to", NOTE, "--relay", *secret),
        ("publish", "short.md", "--key", *secret),
        ("publish", "short.md", "--expires", *secret),
        ("outbox", "list", *secret),
        ("key", "program", "safe", *secret, "true"),
        ("key", "program", "safe", NPUB, "--", *secret),
        ("key", "plugin", "safe", "none", "--setting", *secret),
        ("key", "connect", "safe", "--relay", *secret),
        ("key", "bunker", "--relay", DEAD, "--kinds", *secret),
        ("key", "bunker", "--until", *secret),
        ("key", "clients", "--forget", *secret),
        ("key", "export", "work", "--form", *secret),
        ("key", "new", "other", "--log-n", *secret),
        ("relay", "serve", "--port", *secret),
        ("relay", "serve", "--port", "70000", "--accept", *secret),
    ]
    return lines


SECRETS = {
    "hex": (MARKED_HEX,),
    "hex in capitals": (MARKED_HEX.upper(),),
    "words in one": (WORDS,),
    "words one by one": (*WORDS.split(),),
}


@pytest.mark.parametrize("what", SECRETS)
async def test_a_secret_on_the_command_line_is_not_repeated(home: Home, what: str) -> None:
    lines = misplaced(SECRETS[what])
    for some in (lines[start : start + 8] for start in range(0, len(lines), 8)):
        runs = await asyncio.gather(*(home.run(*line) for line in some))
        for line, ran in zip(some, runs, strict=True):
            assert line[0] == "new" or ran.code != 0, line
            assert_nothing_shows(ran.out + ran.err, line)
    assert KeyFolder(home.folder / "keys").names() == ("work",)
    assert_no_file_tells(home.folder)


async def test_what_is_noted_of_keys_elsewhere_tells_nothing(home: Home) -> None:
    lines = (
        ("key", "program", "safe", NPUB, "--", "true"),
        ("publish", "short.md", "--key", "safe"),
        ("key", "remove", "safe", "--yes"),
        ("key", "remove", "work", "--yes"),
    )
    for line in lines:
        ran = await home.run(*line)
        assert ran.code == (7 if line[0] == "publish" else 0), ran.err
        assert_nothing_shows(ran.out + ran.err, line)
    assert KeyFolder(home.folder / "keys").names() == ()


async def test_a_plugin_is_kept_without_a_secret(home: Home, tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "some_signer-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-signer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nostr_threads.signers]\nsome = some_signer:Signer\n")
    (site / "some_signer.py").write_text(PACKAGE.format(marked=MARKED_HEX))
    for setting, code in (("anything", 0), ("refuse", 7)):
        line = ("key", "plugin", f"safe-{code}", "some", "--setting", setting)
        async with home.started(*line, PYTHONPATH=str(site)) as process:
            out, err = await process.communicate()
        assert process.returncode == code, err.decode()
        assert_nothing_shows(out.decode() + err.decode(), line)
    assert_no_file_tells(home.folder / "keys")


@pytest.mark.parametrize("given", [WORDS, MARKED_HEX, MARKED_HEX.upper(), NSEC])
async def test_what_is_imported_shows_nowhere(home: Home, given: str) -> None:
    ran = await home.run(
        "key", "import", "mine", "--log-n", "2", stdin=given.encode(), password=PASSWORD
    )
    assert ran.code == 0
    assert_nothing_shows(ran.out + ran.err)
    removed = await home.run("key", "remove", "mine", "--yes")
    assert_nothing_shows(removed.out + removed.err)
    assert_no_file_tells(home.folder)


async def test_a_key_of_the_keyring_is_there_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    home = with_keyring(tmp_path / "home", tmp_path / "keyring.json")
    home.file("short.md", "short")
    async with RelayServer(stocked()) as relay:
        home.settle([relay.url])
        lines = (
            ("key", "import", "ring", "--keyring"),
            ("key", "import", "ring", "--keyring"),
            ("key", "list"),
            ("publish", "short.md"),
            ("key", "export", "ring"),
            ("key", "new", "other", "--keyring"),
            ("key", "remove", "other", "--yes"),
        )
        for line in lines:
            password = PASSWORD if "export" in line else None
            ran = await home.run(*line, stdin=MARKED_HEX.encode(), password=password)
            assert_nothing_shows(ran.out + ran.err, line)
    assert kept(tmp_path / "keyring.json") == {"ring": NSEC}
    assert_no_file_tells(home.folder)


async def test_a_client_that_shows_its_link_shows_no_more(home: Home, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Home(tmp_path / "other")
    async with RelayServer(stocked()) as meeting:
        connecting = ("key", "connect", "lent", "--relay", meeting.url, "--seconds", "25")
        async with other.started(*connecting) as client:
            assert client.stdout is not None
            link = await client.stdout.readline()
            lending = ("key", "bunker", "work", "--connect", "--relay", meeting.url)
            async with home.started(*lending, password=PASSWORD) as process:
                assert process.stdin is not None
                process.stdin.write(link)
                process.stdin.close()
                out, err = await client.communicate()
                assert client.returncode == 0, err.decode()
                removed = await other.run("key", "remove", "lent", "--yes")
                process.terminate()
                lent, said = await process.communicate()
    own = KeySigner(marked()).public_key
    assert own in out.decode()
    secret = link.decode().partition("secret=")[2].partition("&")[0]
    for text in (out, err, lent, said, removed.err.encode()):
        assert_nothing_shows(text.decode())
        assert secret not in text.decode()
    assert_no_file_tells(home.folder / "keys")
