"""`key`: made, chosen, shown; the secret never comes out, and a wrong password signs nothing."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.errors import NoSigner, WrongPassword
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, secret_from_hex
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, LONG
from tests.cli.program import PASSWORD
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from tests.cli.program import Home, Ran

SECRET = ALICE.secret_hex()


def with_key(home: Home, name: str = "work") -> None:
    """Give somebody a key that the test knows, without the time that a strong password takes."""
    folder = KeyFolder(home.folder / "keys")
    folder.add(name, secret_from_hex(SECRET), PASSWORD, log_n=4)
    folder.use(name)


def assert_secret_is_not_in(ran: Ran) -> None:
    for text in (ran.out, ran.err):
        assert SECRET not in text
        assert "nsec1" not in text
        assert PASSWORD not in text


async def test_a_new_key_is_kept_encrypted_used_and_shown_by_its_public_half(home: Home) -> None:
    made = await home.run("key", "new", "work", "--json", password=PASSWORD)
    assert made.code == 0
    shown = made.object
    assert set(shown) == {"name", "npub", "public_key", "used"}
    assert (shown["name"], shown["used"], len(shown["public_key"])) == ("work", True, 64)
    assert nt.encode(nt.decode(shown["npub"])) == shown["npub"]
    second = await home.run("key", "new", "play", password=PASSWORD)
    assert second.out.startswith("  play  npub1")
    listed, current, named = await asyncio.gather(
        home.run("key", "list", "--json"),
        home.run("key", "show", "--json"),
        home.run("key", "show", "play"),
    )
    assert [(each["name"], each["used"]) for each in listed.objects] == [
        ("play", False),
        ("work", True),
    ]
    assert current.object == shown
    assert named.out == second.out
    for ran in (made, second, listed, current, named):
        assert_secret_is_not_in(ran)
    for file in (home.folder / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads((home.folder / "keys/work.ncryptsec").read_text(encoding="utf-8"))
    assert kept["ncryptsec"].startswith("ncryptsec1")


async def test_the_key_that_is_used_can_be_changed(home: Home) -> None:
    with_key(home, "work")
    with_key(home, "play")
    used = await home.run("key", "use", "work")
    assert (used.code, used.out) == (0, "")
    listed = await home.run("key", "list")
    assert [line[:6] for line in listed.out.splitlines()] == ["  play", "* work"]


async def test_publishing_signs_with_the_key_in_use_once_its_password_is_given(home: Home) -> None:
    with_key(home)
    async with RelayServer(stocked()) as relay:
        home.settle([relay.url])
        ran = await home.run("publish", home.file("a.md", LONG), "--json", password=PASSWORD)
    assert ran.code == 0
    assert ran.object["parts"][0]["event"]["pubkey"] == ALICE.pubkey
    assert_secret_is_not_in(ran)


async def test_a_dry_run_needs_no_password(home: Home) -> None:
    with_key(home)
    home.settle(["ws://127.0.0.1:9"])
    ran = await home.run("publish", home.file("a.md", LONG), "--dry-run", "--json")
    assert (ran.code, ran.object["text"]) == (0, LONG)


@pytest.mark.parametrize(
    ("password", "more", "sentence"),
    [
        ("wrong", (), "password"),
        ("", (), "password"),
        (None, (), "use --password-fd"),
        (None, ("--password-fd", "77"), "no password can be read from descriptor 77"),
    ],
)
async def test_without_the_right_password_it_is_exit_7_and_nothing_is_sent(
    home: Home, password: str | None, more: tuple[str, ...], sentence: str
) -> None:
    with_key(home)
    async with FaultyRelay(stocked()) as relay:
        home.settle([relay.url])
        ran = await home.run("publish", home.file("a.md", LONG), *more, password=password)
    assert (ran.code, ran.out) == (7, "")
    assert sentence in ran.err
    assert_secret_is_not_in(ran)
    assert relay.received == []


async def test_what_cannot_be_done_with_keys_says_why(home: Home) -> None:
    with_key(home)
    cases = (
        (("key", "show", "nobody"), 7, "there is no key called 'nobody'"),
        (("key", "use", "nobody"), 7, "there is no key called 'nobody'"),
        (("key", "new", "mine", "--password-fd", "-1"), 2, "--password-fd"),
        (("key", "new", "mine", "--password-fd", "9" * 30), 2, "--password-fd"),
        (("key", "use", "../evil"), 2, "a key's name is"),
        (("key", "new", "Big Name", "--password-fd", "0"), 2, "a key's name is"),
        (("key", "new", "work", "--password-fd", "0"), 7, "not overwritten"),
    )
    runs = await asyncio.gather(*(home.run(*each, stdin=b"pass word\n") for each, _, _ in cases))
    for ran, (_, code, sentence) in zip(runs, cases, strict=True):
        assert (ran.code, ran.out) == (code, "")
        assert sentence in ran.err


async def test_without_any_key_list_is_empty_and_show_is_exit_7(home: Home) -> None:
    listed, shown = await asyncio.gather(home.run("key", "list"), home.run("key", "show"))
    assert (listed.code, listed.out) == (0, "")
    assert (shown.code, shown.out) == (7, "")
    assert "nostr-threads key new NAME" in listed.err
    assert "nostr-threads key new NAME" in shown.err


async def test_an_empty_password_is_refused_and_no_key_is_made(home: Home) -> None:
    ran = await home.run("key", "new", "work", password="")
    assert (ran.code, ran.out) == (7, "")
    assert "empty password" in ran.err
    assert (await home.run("key", "list", "--json")).out == ""


async def test_resume_says_who_is_writing_with_the_password_of_the_key(home: Home) -> None:
    """A relay that asks for NIP-42 only when it is up again."""
    with_key(home)
    faults = Faults(auth_required=True, refuse_connections=True)
    async with FaultyRelay(stocked(), faults) as relay:
        home.settle([relay.url])
        down = await home.run("publish", home.file("a.md", "short"), password=PASSWORD)
        relay.faults = Faults(auth_required=True)
        unknown = await home.run("outbox", "resume", "--json")
        known = await home.run("outbox", "resume", "--json", password=PASSWORD)
    assert (down.code, unknown.code, known.code) == (4, 1, 0)
    assert [each["status"] for each in known.object["deliveries"]] == ["stored"]
    assert_secret_is_not_in(known)


def test_a_program_signs_with_a_key_that_was_made_on_the_command_line(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOSTR_THREADS_HOME", str(home.folder))
    with pytest.raises(NoSigner, match="key new"):
        nt.signer_from_key(PASSWORD)
    with_key(home)
    assert nt.signer_from_key(PASSWORD).public_key == ALICE.pubkey
    assert nt.signer_from_key(PASSWORD, "work").public_key == ALICE.pubkey
    with pytest.raises(WrongPassword):
        nt.signer_from_key("wrong")
