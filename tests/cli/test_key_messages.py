"""What `key` says when something is not as it should be: early, in words, and with what to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core.nip19 import Profile, PublicKey
from nostr_threads.signing import KeyEntry, KeyFolder, Kind, secret_from_hex
from nostr_threads.signing.plugins import GROUP
from tests.app.worlds import ALICE, BOB
from tests.cli.program import PASSWORD, Home
from tests.cli.terminal import at_terminal

if TYPE_CHECKING:
    from tests.cli.program import Ran

SECRET = ALICE.secret_hex()
NSEC = nt.encode(secret_from_hex(SECRET))
NPUB = nt.encode(PublicKey(ALICE.pubkey))
WORDS = "leader monkey parrot ring guide accident before fence cannon height naive bean"
DEAD = "ws://127.0.0.1:9"


def keys(home: Home) -> KeyFolder:
    return KeyFolder(home.folder / "keys")


# Names


@pytest.mark.parametrize(
    "line",
    [
        ("key", "new"),
        ("key", "import"),
        ("key", "connect", "--relay", DEAD),
        ("key", "program"),
        ("key", "plugin"),
    ],
)
async def test_a_name_is_looked_at_before_anything_is_asked(
    home: Home, line: tuple[str, ...]
) -> None:
    keys(home).put("taken", KeyEntry(Kind.NOWHERE, ALICE.pubkey))
    more = {"program": (NPUB, "true"), "plugin": ("none",)}.get(line[1], ())
    for name, code, sentence in (
        ("taken", 7, "there is a key called 'taken' already"),
        ("No Name", 2, "small letters a-z, digits, _ and -, with a letter or a digit in front"),
    ):
        async with at_terminal(home, *line[:2], name, *more, *line[2:]) as terminal:
            ended, shown = await terminal.end()
        assert (ended, sentence in " ".join(shown.split())) == (code, True), shown
        assert "assword" not in shown
        assert "not shown" not in shown


async def test_where_keys_are_and_none_is_in_use_they_are_named(home: Home) -> None:
    for name in ("play", "work"):
        keys(home).add(name, secret_from_hex(SECRET), PASSWORD, log_n=2)
    home.settle([DEAD])
    for line in (
        ("key", "show"),
        ("publish", home.file("a.md", "text")),
        ("key", "bunker", "--relay", DEAD),
        ("key", "clients"),
    ):
        ran = await home.run(*line)
        assert (ran.code, ran.out) == (7, "")
        assert "choose one with `nostr-threads key use NAME` (there is: play, work)" in ran.err


async def test_the_list_stands_in_columns(home: Home) -> None:
    for name in ("a", "a-longer-name"):
        keys(home).put(name, KeyEntry(Kind.NOWHERE, ALICE.pubkey))
    keys(home).use("a")
    ran = await home.run("key", "list")
    assert [line.index("npub1") for line in ran.out.splitlines()] == [17, 17]
    assert [line[:3] for line in ran.out.splitlines()] == ["* a", "  a"]


async def test_every_damaged_file_is_told_of_and_the_others_listed(home: Home) -> None:
    keys(home).put("good", KeyEntry(Kind.NOWHERE, ALICE.pubkey))
    for name in ("bad", "worse"):
        file = home.folder / f"keys/{name}.signer"
        file.write_text("{")
        file.chmod(0o600)
    ran = await home.run("key", "list", "--json")
    assert (ran.code, ran.object["name"]) == (7, "good")
    assert ["or is damaged" in line for line in ran.err.splitlines()] == [True, True]


# Keys that come in


async def imported(home: Home, given: bytes, *more: str) -> Ran:
    return await home.run("key", "import", "mine", *more, stdin=given, password=PASSWORD)


@pytest.mark.parametrize(
    ("given", "code", "sentence"),
    [
        (b"nonsense", 7, "12 to 24 words, an npub, or a bunker:// link"),
        (NSEC[:-1].encode(), 7, "this nsec is damaged, its checksum does not fit"),
        (NSEC.replace("1", "1b", 1).encode(), 7, "this nsec is damaged"),
        (f"'{NSEC}'".encode(), 2, "there are quotes around it"),
        (b"\xe2\x80\x9cbunker://x\xe2\x80\x9d", 2, "there are quotes around it"),
        (b"bunker:/x?secret=hush", 2, "two slashes"),
        (b"bunker:x?secret=hush", 2, "two slashes"),
        (b"NOSTRCONNECT:/x?secret=hush", 2, "two slashes"),
        (bytes(range(1, 256)), 2, "is not text in UTF-8"),
        ("é ".encode("latin-1") * 12, 2, "is not text in UTF-8"),
        (b"two: words 1", 7, "this is no key"),
        (b"x" * 10_001, 2, "longer than any key"),
    ],
)
async def test_what_is_no_key_is_told_from_what_is_nearly_one(
    home: Home, given: bytes, code: int, sentence: str
) -> None:
    ran = await imported(home, given)
    assert (ran.code, ran.out) == (code, "")
    assert sentence in ran.err
    for secret in (NSEC[10:40], "hush", "bunker://x"):
        assert secret not in ran.err
    assert keys(home).names() == ()


async def test_a_profile_is_read_as_and_a_mark_of_bytes_is_no_part_of_a_key(home: Home) -> None:
    profile = nt.encode(Profile(ALICE.pubkey, ("wss://relay.example",)))
    ran = await imported(home, b"\xef\xbb\xbf" + profile.encode(), "--json")
    assert ran.object["kind"] == "nowhere"


@pytest.mark.parametrize("more", [("--account", "0"), ("--account", "3"), ("--passphrase",)])
async def test_what_is_for_words_alone_is_not_passed_over(
    home: Home, more: tuple[str, ...]
) -> None:
    for given in (NSEC, SECRET, NPUB):
        ran = await imported(home, given.encode(), *more)
        assert (ran.code, "are for a key that comes as words" in ran.err) == (2, True)


async def test_without_a_terminal_a_new_key_s_password_has_another_way_in(home: Home) -> None:
    ran = await home.run("key", "new", "mine")
    assert ran.code == 7
    assert "a new password is needed: run this on a terminal, or use --password-fd" in ran.err


async def test_a_passphrase_is_asked_for_once_and_on_a_terminal(home: Home) -> None:
    ran = await imported(home, WORDS.encode(), "--passphrase")
    assert (ran.code, "run this on a terminal" in ran.err) == (7, True)
    line = ("key", "import", "mine", "--passphrase", "--log-n", "2")
    async with at_terminal(home, *line) as terminal:
        for question, answer in (
            ("(it is not shown):", WORDS),
            ("The passphrase of these words:", "more"),
            ("A new password for 'mine':", PASSWORD),
            ("Repeat for confirmation:", PASSWORD),
        ):
            await terminal.until(question)
            await terminal.type_unseen(answer)
        code, shown = await terminal.end()
    assert (code, "* mine" in shown) == (0, True)
    assert ALICE.pubkey not in shown


# Elsewhere


async def test_a_program_that_is_not_there_is_not_kept(home: Home) -> None:
    for command in (("no-such-program", "--slot", "2"), ("./sign.py",), ("true --slot 2",)):
        ran = await home.run("key", "program", "safe", NPUB, "--", *command)
        assert (ran.code, ran.out) == (2, "")
        assert "there is no program" in ran.err
    assert keys(home).names() == ()


async def test_the_secret_itself_is_not_kept_as_an_argument_of_a_program(home: Home) -> None:
    ran = await home.run("key", "program", "safe", NPUB, "--", "true", f"--key={SECRET.upper()}")
    assert (ran.code, ran.out) == (2, "")
    assert "the secret key itself" in ran.err
    other = await home.run("key", "program", "safe", NPUB, "--", "true", BOB.secret_hex())
    assert other.code == 0
    assert BOB.secret_hex() not in other.err


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (ALICE.pubkey, "give the npub"),
        (SECRET, "give the npub"),
        (NPUB[:-1], "this npub cannot be read: its checksum"),
        ("note1qqqqqqqqqqqqqqqqqqqq", "this is no npub"),
        (WORDS, "this is no npub"),
    ],
)
async def test_what_is_no_npub_is_not_repeated(home: Home, given: str, sentence: str) -> None:
    ran = await home.run("key", "program", "safe", given, "--", sys.executable)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert given[5:20] not in ran.err


BROKEN = """
class Signer:
    def __init__(self, setting):
        self.public_key = setting

    async def close(self):
        print("closed")
"""


async def test_a_plugin_without_a_public_key_is_not_kept(home: Home) -> None:
    info = home.folder / "some_signer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-signer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nsome = some_signer:Signer\n")
    home.file("some_signer.py", BROKEN)
    for setting in ("nonsense", "f" * 64, ALICE.pubkey.upper()):
        line = ("key", "plugin", "safe", "some", "--setting", setting)
        async with home.started(*line, PYTHONPATH=str(home.folder)) as process:
            _, err = await process.communicate()
        assert (process.returncode, setting in err.decode()) in ((2, False), (7, False))
    assert keys(home).names() == ()


async def test_a_relay_that_is_down_is_told_from_a_signer_that_does_not_come(home: Home) -> None:
    ran = await home.run("key", "connect", "phone", "--relay", DEAD)
    assert (ran.code, ran.out) == (7, "")
    assert f"no relay to meet the signer at can be reached: {DEAD}" in ran.err
