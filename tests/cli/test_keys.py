"""`key`: made, chosen, shown; the secret never comes out, and a wrong password signs nothing."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core.nip19 import PublicKey
from nostr_threads.errors import NoSigner, WrongPassword
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, encrypt, secret_from_hex
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, LONG
from tests.cli.program import PASSWORD
from tests.cli.terminal import at_terminal
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from tests.cli.program import Home, Ran

SECRET = ALICE.secret_hex()
NPUB = nt.encode(PublicKey(ALICE.pubkey))


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
    assert set(shown) == {"name", "npub", "public_key", "used", "kind"}
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


# Keys that were made elsewhere

WORDS = "leader monkey parrot ring guide accident before fence cannon height naive bean"
WORDS_KEY = "17162c921dc4d2518f9a101db33695df1afb56ab82f5ff3e5da6eec3ca5cd917"


async def imported(home: Home, given: str, *more: str, password: str | None = PASSWORD) -> Ran:
    stdin = given.encode() + b"\n"
    return await home.run("key", "import", "mine", "--json", *more, stdin=stdin, password=password)


@pytest.mark.parametrize(
    ("given", "public_key", "kind"),
    [
        (SECRET, ALICE.pubkey, "password"),
        (SECRET.upper(), ALICE.pubkey, "password"),
        (nt.encode(secret_from_hex(SECRET)), ALICE.pubkey, "password"),
        (encrypt(secret_from_hex(SECRET), PASSWORD, log_n=2), ALICE.pubkey, "password"),
        (WORDS, WORDS_KEY, "password"),
        (NPUB, ALICE.pubkey, "nowhere"),
    ],
)
async def test_a_key_that_one_has_is_kept_and_used(
    home: Home, given: str, public_key: str, kind: str
) -> None:
    ran = await imported(home, given, "--log-n", "2")
    assert (ran.code, ran.object["kind"]) == (0, kind)
    assert (ran.object["public_key"], ran.object["used"]) == (public_key, True)
    assert_secret_is_not_in(ran)
    if kind == "password":
        folder = KeyFolder(home.folder / "keys")
        assert nt.KeySigner(folder.load("mine", PASSWORD)).public_key == public_key


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        ("", 2, "nothing was given"),
        ("nonsense", 7, "this is no key"),
        ("0" * 64, 7, "not a valid secret key"),
        ("f" * 64, 7, "not a valid secret key"),
        (nt.encode(secret_from_hex(SECRET))[:-1] + "q", 7, "not a valid secret key"),
        ("nevent1qqqqqq", 7, "this is no key"),
        ("ncryptsec1qqqqqq", 7, "damaged"),
        (encrypt(secret_from_hex(SECRET), "another", log_n=2), 7, "does not open this key"),
        (WORDS + " bean", 7, "right checksum"),
        ("bunker://nobody", 2, "no public key"),
        (f"nostrconnect://{ALICE.pubkey}?relay=wss://x.example&secret=s", 2, "is for a signer"),
    ],
)
async def test_what_is_no_key_is_refused_and_nothing_is_kept(
    home: Home, given: str, code: int, sentence: str
) -> None:
    ran = await imported(home, given)
    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err
    assert_secret_is_not_in(ran)
    assert given[10:] not in ran.err or not given[10:]
    assert (await home.run("key", "list", "--json")).out == ""


async def test_a_key_is_exported_as_it_is_kept_and_comes_back(home: Home) -> None:
    with_key(home)
    out = await home.run("key", "export", "work")
    file = await home.run("key", "export", "work", "-o", "work.txt")
    again = await home.run("key", "export", "work", "-o", "work.txt")
    assert (out.code, file.code, again.code) == (0, 0, 2)
    assert out.out.startswith("ncryptsec1")
    path = home.folder / "work.txt"
    assert path.read_text(encoding="utf-8") == out.out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "not overwritten" in again.err
    ran = await imported(home, out.out, "--log-n", "2")
    assert ran.object["public_key"] == ALICE.pubkey


async def test_the_bare_secret_is_given_only_to_who_insists(home: Home) -> None:
    with_key(home)
    refused = await home.run("key", "export", "work", "--form", "nsec", password=PASSWORD)
    assert (refused.code, refused.out) == (2, "")
    assert "say --yes" in refused.err
    wrong = await home.run("key", "export", "work", "--form", "hex", "--yes", password="no")
    assert (wrong.code, wrong.out) == (7, "")
    nsec = await home.run("key", "export", "work", "--form", "nsec", "-y", password=PASSWORD)
    bare = await home.run("key", "export", "work", "--form", "hex", "-y", password=PASSWORD)
    assert nsec.out == nt.encode(secret_from_hex(SECRET)) + "\n"
    assert bare.out == SECRET + "\n"


async def test_a_key_is_removed_only_on_purpose(home: Home) -> None:
    with_key(home)
    with_key(home, "play")
    asked = await home.run("key", "remove", "play")
    assert (asked.code, "say --yes" in asked.err) == (2, True)
    removed = await home.run("key", "remove", "play", "--yes")
    assert (removed.code, removed.out) == (0, "")
    listed = await home.run("key", "list", "--json")
    assert [each["name"] for each in listed.objects] == ["work"]
    unused = await home.run("key", "show")
    assert unused.code == 7  # the one in use was removed, and no other was chosen for anybody
    unknown = await home.run("key", "remove", "play", "--yes")
    assert (unknown.code, "no key called 'play'" in unknown.err) == (7, True)


async def test_another_program_signs(home: Home) -> None:
    home.file(
        "sign.py",
        "import json, sys\n"
        "from nostr_threads.core.event import Draft\n"
        "from nostr_threads.testing import Author\n"
        "told = json.loads(sys.stdin.readline())\n"
        "del told['pubkey']\n"
        "told['tags'] = tuple(map(tuple, told['tags']))\n"
        "print(Author(b'alice').sign(Draft(**told)).to_json())\n",
    )
    made = await home.run("key", "program", "safe", NPUB, "--json", "--", sys.executable, "sign.py")
    assert (made.code, made.object["kind"], made.object["used"]) == (0, "command", True)
    async with RelayServer(stocked()) as relay:
        home.settle([relay.url])
        ran = await home.run("publish", home.file("a.md", LONG), "--limit", "400", "--json")
    assert ran.code == 0
    authors = {part["event"]["pubkey"] for part in ran.object["parts"]}
    assert authors == {ALICE.pubkey}
    bad = await home.run("key", "program", "other", "nobody", "true")
    assert (bad.code, "no npub" in bad.err) == (2, True)


async def test_a_signer_that_is_not_installed_is_not_kept(home: Home) -> None:
    ran = await home.run("key", "plugin", "hardware", "no-such-signer")
    assert (ran.code, ran.out) == (7, "")
    assert "no signer called 'no-such-signer' is installed" in ran.err
    assert (await home.run("key", "list", "--json")).out == ""


async def test_a_key_that_is_only_read_as_signs_nothing(home: Home) -> None:
    await imported(home, NPUB, password=None)
    home.settle(["ws://127.0.0.1:9"])
    ran = await home.run("publish", home.file("a.md", "text"))
    assert (ran.code, ran.out) == (7, "")
    assert "which cannot sign" in ran.err


# At a terminal


async def test_passwords_are_asked_for_and_not_shown(home: Home) -> None:
    async with at_terminal(home, "key", "new", "work", "--log-n", "2") as terminal:
        await terminal.until("A new password for 'work':")
        await terminal.type_unseen(PASSWORD)
        await terminal.until("Repeat for confirmation:")
        await terminal.type_unseen(PASSWORD)
        code, shown = await terminal.end()
    assert code == 0
    assert "* work  npub1" in shown
    assert PASSWORD not in shown
    async with at_terminal(home, "key", "password", "work", "--log-n", "2") as terminal:
        await terminal.until("The old password of 'work':")
        await terminal.type_unseen(PASSWORD)
        await terminal.until("A new password for 'work':")
        await terminal.type_unseen("another")
        await terminal.until("Repeat for confirmation:")
        await terminal.type_unseen("another")
        code, shown = await terminal.end()
    assert (code, "another password" in shown) == (0, True)
    folder = KeyFolder(home.folder / "keys")
    with pytest.raises(WrongPassword):
        folder.load("work", PASSWORD)
    assert nt.KeySigner(folder.load("work", "another")).public_key == folder.public_key("work")


async def test_the_bare_secret_is_asked_about(home: Home) -> None:
    with_key(home)
    async with at_terminal(home, "key", "export", "work", "--form", "nsec") as terminal:
        await terminal.until("can sign as you [y/N]:")
        terminal.type("n")
        code, shown = await terminal.end()
    assert code == 1
    assert "nsec1" not in shown


async def test_a_secret_that_is_typed_is_not_shown(home: Home) -> None:
    async with at_terminal(home, "key", "import", "mine", "--log-n", "2") as terminal:
        await terminal.until("(it is not shown):")
        await terminal.type_unseen(SECRET)
        await terminal.until("A new password for 'mine':")
        await terminal.type_unseen(PASSWORD)
        await terminal.until("Repeat for confirmation:")
        await terminal.type_unseen(PASSWORD)
        code, shown = await terminal.end()
    assert code == 0
    assert SECRET not in shown
