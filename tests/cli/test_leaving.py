"""`key export` and `key remove`: asked about, and possible also for what is damaged or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.app.sessions import bunker_entry
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import (
    KeyEntry,
    KeyFolder,
    KeySigner,
    Kind,
    decrypt,
    new_secret,
    secret_from_hex,
)
from nostr_threads.signing.bunker import BunkerSession
from tests.app.worlds import ALICE, BOB
from tests.cli.keyring_in_file import GONE, LOCKED, keep, kept, with_keyring
from tests.cli.program import PASSWORD, Home
from tests.cli.terminal import at_terminal
from tests.peers.bunkers import served
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path

SECRET = ALICE.secret_hex()
NSEC = nt.encode(secret_from_hex(SECRET))
DEAD = "ws://127.0.0.1:9"


def keys(home: Home) -> KeyFolder:
    return KeyFolder(home.folder / "keys")


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    return tmp_path / "keyring.json"


@pytest.fixture
async def owner(tmp_path: Path, keyring: Path) -> Home:
    """Somebody whose key is in the keyring."""
    (tmp_path / "home").mkdir()
    home = with_keyring(tmp_path / "home", keyring)
    ran = await home.run("key", "import", "ring", "--keyring", stdin=NSEC.encode())
    assert ran.code == 0, ran.err
    assert kept(keyring) == {"ring": NSEC}
    return home


# Export


async def test_who_makes_a_key_in_the_keyring_is_told_how_to_copy_it(owner: Home) -> None:
    ran = await owner.run("key", "new", "other", "--keyring")
    assert ran.code == 0
    assert "has the only copy: `nostr-threads key export other -o FILE` makes one" in ran.err


async def test_a_key_of_the_keyring_is_exported_under_a_new_password(owner: Home) -> None:
    ran = await owner.run("key", "export", "ring", password=PASSWORD)
    assert ran.code == 0, ran.err
    assert decrypt(ran.out.strip(), PASSWORD).reveal() == SECRET
    nobody = await owner.run("key", "export", "ring")
    assert (nobody.code, nobody.out) == (7, "")
    async with at_terminal(owner, "key", "export", "ring", "-o", "copy.txt") as terminal:
        await terminal.until("Write the key 'ring', encrypted?")
        terminal.type("y")
        for question in ("A new password for the copy of 'ring':", "Repeat for confirmation:"):
            await terminal.until(question)
            await terminal.type_unseen(PASSWORD)
        code, _ = await terminal.end()
    assert code == 0
    copy = (owner.folder / "copy.txt").read_text(encoding="utf-8").strip()
    assert decrypt(copy, PASSWORD).reveal() == SECRET


async def test_the_bare_key_of_the_keyring_takes_insisting(owner: Home) -> None:
    refused = await owner.run("key", "export", "ring", "--form", "nsec")
    assert (refused.code, refused.out) == (2, "")
    assert (await owner.run("key", "export", "ring", "--form", "nsec", "-y")).out == f"{NSEC}\n"
    assert (await owner.run("key", "export", "ring", "--form", "hex", "-y")).out == f"{SECRET}\n"


async def test_another_key_of_that_name_in_the_keyring_is_not_exported(
    owner: Home, keyring: Path
) -> None:
    keep(keyring, {"ring": nt.encode(secret_from_hex(BOB.secret_hex()))})
    ran = await owner.run("key", "export", "ring", "--form", "hex", "-y")
    assert (ran.code, ran.out) == (7, "")
    assert "another key called 'ring'" in ran.err


async def test_a_key_under_a_password_leaves_after_a_question_or_where_nobody_is(
    home: Home,
) -> None:
    keys(home).add("work", secret_from_hex(SECRET), PASSWORD, log_n=2)
    async with at_terminal(home, "key", "export", "work") as terminal:
        await terminal.until("Who has its password can open it [y/N]:")
        terminal.type("n")
        code, shown = await terminal.end()
    assert (code, "ncryptsec1" in shown) == (1, False)
    ran = await home.run("key", "export", "work")
    assert (ran.code, ran.out) == (0, f"{keys(home).ncryptsec('work')}\n")


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        (Kind.BUNKER, "it is at a bunker"),
        (Kind.COMMAND, "it is with another program"),
        (Kind.PLUGIN, "it is with a plugin"),
        (Kind.NOWHERE, "only its public half is known"),
    ],
)
async def test_what_is_elsewhere_has_neither_password_nor_copy_here(
    home: Home, kind: Kind, where: str
) -> None:
    keys(home).put("far", KeyEntry(kind, ALICE.pubkey))
    for line in (("key", "export", "far", "--form", "hex", "-y"), ("key", "password", "far")):
        ran = await home.run(*line)
        assert (ran.code, ran.out) == (7, "")
        assert "there is no file with the key 'far'" in ran.err
        assert where in ran.err


# Removal


async def test_a_key_leaves_the_keyring_too(owner: Home, keyring: Path) -> None:
    assert (await owner.run("key", "remove", "ring", "--yes")).code == 0
    assert kept(keyring) == {}
    assert keys(owner).names() == ()


async def test_a_name_goes_whose_keyring_or_entry_is_gone(owner: Home, keyring: Path) -> None:
    keys(owner).put("lost", KeyEntry(Kind.KEYRING, ALICE.pubkey))
    entry = await owner.run("key", "remove", "lost", "--yes")
    gone = await owner.run("key", "remove", "ring", "--yes", PYTHON_KEYRING_BACKEND=GONE)
    assert (entry.code, gone.code) == (0, 0)
    assert "if one had this key, it still has it" in gone.err
    assert keys(owner).names() == ()
    assert kept(keyring) == {"ring": NSEC}


async def test_a_keyring_that_is_locked_keeps_name_and_key(owner: Home) -> None:
    ran = await owner.run("key", "remove", "ring", "--yes", PYTHON_KEYRING_BACKEND=LOCKED)
    assert (ran.code, "KeyringLocked" in ran.err) == (7, True)
    assert NSEC not in ran.err
    assert keys(owner).names() == ("ring",)


@pytest.mark.parametrize("suffix", ["ncryptsec", "signer"])
async def test_a_damaged_file_is_removed_once_that_was_said(home: Home, suffix: str) -> None:
    keys(home).add("good", new_secret(), PASSWORD, log_n=2)
    file = home.folder / f"keys/work.{suffix}"
    file.write_text("{", encoding="utf-8")
    file.chmod(0o600)
    refused = await home.run("key", "remove", "work")
    assert (refused.code, file.exists()) == (2, True)
    async with at_terminal(home, "key", "remove", "work") as terminal:
        said = await terminal.until("Remove the file of 'work' as it is")
        terminal.type("y")
        code, _ = await terminal.end()
    assert "is not a key file, or is damaged" in said
    assert (code, file.exists()) == (0, False)
    assert keys(home).names() == ("good",)


async def test_a_damaged_choice_keeps_no_key_here(home: Home) -> None:
    keys(home).add("work", new_secret(), PASSWORD, log_n=2)
    file = home.folder / "keys/current"
    file.write_text("../evil")
    file.chmod(0o600)
    assert (await home.run("key", "remove", "work", "--yes")).code == 0
    assert keys(home).names() == ()


def session(url: str) -> KeyEntry:
    signer = KeySigner(new_secret()).public_key
    return bunker_entry(BunkerSession(signer, new_secret(), (url,), ALICE.pubkey))


async def test_a_bunker_that_does_not_hear_of_it_is_told_of(home: Home) -> None:
    keys(home).put("lent", session(DEAD))
    ran = await home.run("key", "remove", "lent", "--yes")
    assert ran.code == 0
    assert keys(home).names() == ()
    (line,) = [each for each in ran.err.splitlines() if "bunker" in each]
    assert line.startswith("the bunker did not take it that this machine leaves")
    assert "no relay of the bunker can be reached" in line


async def test_a_bunker_that_refuses_is_told_of(home: Home) -> None:
    async with RelayServer(stocked()) as relay, served(relay.url) as house:
        found = BunkerSession(house.link.signer, new_secret(), (relay.url,), ALICE.pubkey)
        keys(home).put("lent", bunker_entry(found))
        ran = await home.run("key", "remove", "lent", "--yes")
    assert ran.code == 0
    assert "the bunker says no: you are not known here" in ran.err
    assert keys(home).names() == ()


QUESTIONS = {
    Kind.KEYRING: "Remove the key 'it' from the keyring? Without a copy nobody can bring it back",
    Kind.BUNKER: "Remove the connection 'it' to a bunker? Only a new link brings it back",
    Kind.COMMAND: "Remove 'it'? What signs for it stays where it is",
    Kind.PLUGIN: "Remove 'it'? What signs for it stays where it is",
    Kind.NOWHERE: "Remove 'it'? Only its public half is here",
}


@pytest.mark.parametrize("kind", QUESTIONS)
async def test_the_question_says_what_would_be_lost(home: Home, kind: Kind) -> None:
    keys(home).put("it", KeyEntry(kind, ALICE.pubkey))
    async with at_terminal(home, "key", "remove", "it") as terminal:
        await terminal.until(QUESTIONS[kind])
        terminal.type("n")
        code, _ = await terminal.end()
    assert (code, keys(home).names()) == (1, ("it",))
