"""Every command, in good times and bad, with a marked key: it shows up nowhere (rule 7).

Searched are what each run printed and every file it left, the store with its log included, for the
secret in hex, as an nsec, as raw bytes and as a number, and for the password and a link's secret.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core import nip19
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, KeySigner, encrypt
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import BOB, LONG, NOW
from tests.cli.program import Home, Ran
from tests.cli.test_program import COMMANDS
from tests.relayd.peers import stocked
from tests.signing.leaks import MARKED_HEX, MARKED_RAW, leaks, marked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


PASSWORD = "marked battery staple"
QUESTION = BOB.note("Why?", NOW - 100)
MARKED_KEY = KeySigner(marked()).public_key
NSEC = nip19.encode(marked())
DEAD = "ws://127.0.0.1:9"
# What asks for the secret itself, and gets it: see `test_keys`.
INSISTED = ("key", "export", "work", "--form")


def assert_nothing_shows(ran: Ran, line: Iterable[str]) -> None:
    for text in (ran.out, ran.err):
        assert leaks(text) == [], line
        assert PASSWORD not in text, line
        assert "marked-link" not in text, line


def assert_no_file_tells(home: Home) -> None:
    files = [path for path in home.folder.rglob("*") if path.is_file()]
    assert any(path.name.endswith(".db") for path in files)
    for path in files:
        data = path.read_bytes()
        assert MARKED_RAW not in data, path
        assert leaks(data.decode("latin-1")) == [], path
        assert PASSWORD.encode() not in data, path
        assert b"marked-link" not in data, path


def good_lines(url: str, code: str) -> list[tuple[str, ...]]:
    """A line that works for every command that is not about keys alone."""
    return [
        ("fetch", code),
        ("show", code, "--json"),
        ("show", code, "--format", "html", "-o", "thread.html"),
        ("verify", "thread.html"),
        ("list", "--json"),
        ("new", "--json"),
        ("compose", "a.md"),
        ("publish", "a.md", "--reply-to", code, "--limit", "400"),
        ("publish", "a.md", "--as", "article", "--json"),
        ("publish", "a.md", "--dry-run"),
        ("quote", code, "short.md"),
        ("react", code),
        ("repost", code),
        ("outbox", "list", "--all"),
        ("outbox", "resume"),
        ("outbox", "check", "--json"),
        ("relay", "list"),
        ("relay", "info", url),
        ("relay", "test", url),
        ("code", code),
        ("search", "question"),
        ("mirror", "add", "hashtag", "nostr"),
        ("mirror", "list"),
        ("mirror", "run"),
        ("mirror", "status", "--json"),
        ("mirror", "push", "hashtag", "nostr", "--to", url, "--key", "work"),
        ("mirror", "export", "all.jsonl"),
        ("mirror", "import", "all.jsonl"),
        ("mirror", "verify"),
        ("mirror", "stats"),
        ("mirror", "vacuum"),
        ("mirror", "salvage", "kept.jsonl"),
        ("mirror", "purge", "--yes"),
        ("mirror", "remove", "hashtag", "nostr"),
        ("mcp", "--allow-publish"),
        ("bot", "new", "faq"),
        ("bot", "check", "faq/bot.toml", "faq/questions.txt"),
        ("bot", "log", "--json"),
        ("key", "list"),
        ("key", "show", "--json"),
        ("key", "use", "work"),
        ("key", "export", "work"),
        ("key", "clients"),
    ]


def bad_lines(code: str) -> list[tuple[str, ...]]:
    """Lines that fail, each in its own way."""
    return [
        ("fetch", code, "--relay", DEAD),
        ("show", "ab" * 32),
        ("publish", "missing.md"),
        ("publish", "short.md", "--relay", DEAD),
        ("publish", "short.md", "--limit", "5"),
        ("publish", "short.md", "--quorum", "99"),
        ("publish", "short.md", "--key", "nobody"),
        ("publish", "-"),
        ("quote", "nonsense", "short.md"),
        ("react", code, "words"),
        ("repost", "ab" * 32),
        ("delete", code),
        ("outbox", "cancel", "ab" * 32),
        ("outbox", "delete", "ab" * 32),
        ("relay", "info", DEAD),
        ("key", "new", "work"),
        ("key", "use", "nobody"),
        ("key", "remove", "nobody", "--yes"),
        ("key", "export", "work", "-o", "a.md"),
        ("key", "program", "safe", NSEC, "true"),
        ("key", "plugin", "hardware", "nothing"),
        ("key", "connect", "phone", "--relay", DEAD, "--seconds", "1"),
        ("key", "bunker", "--relay", "nonsense"),
        ("mirror", "worker"),
        ("mcp", "--trust-host"),
        ("bot", "run", "faq/bot.toml"),
        ("bot", "retry", code),
        ("bot", "forget", code, "--yes"),
        ("key", "import", "mine", "--account", "-1"),
        (NSEC,),
        ("publish", "short.md", "--key", NSEC),
    ]


SETTINGS = {
    "hex": MARKED_HEX,
    "nsec": NSEC,
    "ncryptsec": encrypt(marked(), PASSWORD, log_n=2),
    "nothing": "",
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    folder = KeyFolder(home.folder / "keys")
    folder.add("work", marked(), PASSWORD, log_n=2)
    folder.use("work")
    home.file("a.md", LONG)
    home.file("short.md", "short")
    return home


@pytest.mark.parametrize("setting", SETTINGS)
async def test_no_command_shows_the_key_whether_it_works_or_not(home: Home, setting: str) -> None:
    code = nip19.encode(nip19.EventPointer(QUESTION.id))
    async with FaultyRelay(stocked([QUESTION])) as relay:
        home.settle([relay.url])
        lines = [*good_lines(relay.url, code), *bad_lines(code)]
        # How the key comes matters to what reads and signs with it, and to nothing else.
        some = [line for line in lines if line[0] in ("fetch", "publish", "react")]
        for line in some if setting != "nothing" else lines:
            ran = await home.run(
                *line,
                password=PASSWORD if takes_password(line) else None,
                stdin=f"my key is {NSEC}".encode(),
                NOSTR_SECRET_KEY=SETTINGS[setting],
            )
            assert_nothing_shows(ran, line)
        assert MARKED_KEY in str(relay.received)
        assert leaks(str(relay.received)) == []
    assert_no_file_tells(home)


def takes_password(line: tuple[str, ...]) -> bool:
    return line[0] in ("publish", "quote", "react", "repost", "delete", "mcp") or line[:2] in (
        ("key", "clients"),
        ("key", "bunker"),
        ("key", "new"),
        ("outbox", "resume"),
        ("outbox", "check"),
        ("outbox", "delete"),
        ("mirror", "push"),
    )


async def test_a_bot_shows_no_key_whatever_it_is_told_to_say(home: Home) -> None:
    """Its programs, its templates and its log have what strangers wrote, and nothing else."""
    home.file("env.sh", """printf '"%s"' "$(env | tr '\\n"' '  ')"\n""")
    home.file(
        "bot.toml",
        f"""
        [bot]
        mark = false
        match = "all"
        [guards]
        pause = "1.01s"
        [[rule]]
        name = "environment"
        answer = {{ command = ["sh", "env.sh"] }}
        [[rule]]
        name = "fails"
        answer = {{ command = ["sh", "-c", "echo {MARKED_KEY} >&2; exit 3"] }}
        [[rule]]
        name = "template"
        answer = {{ template = "{{{{ note.text }}}} {{{{ bot }}}}" }}
        """,
    )
    code = nip19.encode(nip19.PublicKey(MARKED_KEY))
    async with FaultyRelay(stocked()) as relay:
        home.settle([relay.url])
        run = ("bot", "run", "bot.toml", "--json", "--metrics", "bot.prom")
        async with home.started(*run, NOSTR_SECRET_KEY=MARKED_HEX) as process:
            assert process.stdout is not None
            out = await process.stdout.readline()
            asked = BOB.event(1, f"nostr:{code} why?", int(time.time()), (("p", MARKED_KEY),))
            relay.store.add([asked], relay=None, now=asked.created_at)
            relay.broadcast(asked)
            while out.count(b'"delivered"') < 2 or b'"failed"' not in out:
                out += await process.stdout.readline()
            process.terminate()
            rest, err = await process.communicate()
        assert_nothing_shows(Ran(0, (out + rest).decode(), err.decode()), run)
        assert leaks(str(relay.received)) == []
        assert b"PATH=" in out
    assert_no_file_tells(home)


def test_every_command_is_run() -> None:
    groups = {command[0] for command in COMMANDS if len(command) > 1}
    lines = (*good_lines("", ""), *bad_lines(""))
    run = {line[: 2 if line[0] in groups else 1] for line in lines}
    # `demo` makes a key of its own; a password is changed at a terminal. What serves has none, and
    # tests of its own.
    serving = {("serve",), ("relay", "serve")}
    assert {*COMMANDS} - run == {("demo",), ("key", "password"), *serving}


WRONG = (
    ("key", "import", "mine"),
    ("publish", "short.md", "--key", "work"),
    ("publish", "short.md"),
    ("key", "clients"),
    ("key", "bunker", "--relay", DEAD),
    (*INSISTED, "nsec", "--yes"),
)


@pytest.mark.parametrize("what", ["wrong password", "damaged file", "others can read it"])
async def test_a_key_that_does_not_open_is_exit_7_and_shows_nothing(home: Home, what: str) -> None:
    file = home.folder / "keys/work.ncryptsec"
    password = PASSWORD
    match what:
        case "wrong password":
            password = "marked but wrong"
        case "damaged file":
            kept = json.loads(file.read_text())
            kept["ncryptsec"] = kept["ncryptsec"][:-9]
            file.write_text(json.dumps(kept))
        case "others can read it":
            file.chmod(0o644)
    home.settle([DEAD])
    stdin = encrypt(marked(), PASSWORD, log_n=2).encode()
    stdin = stdin[:-9] if what == "damaged file" else stdin
    for line in WRONG:
        ran = await home.run(*line, password=password, stdin=stdin)
        if line[0] == "key" and line[1] == "import" and what == "others can read it":
            assert ran.code == 0
            continue
        assert (ran.code, ran.out) == (7, ""), (line, ran.err)
        assert_nothing_shows(ran, line)
        assert password not in ran.err


@pytest.mark.parametrize("given", [MARKED_HEX, NSEC, MARKED_HEX.upper(), f"  {NSEC}\n"])
async def test_a_key_that_is_read_from_stdin_shows_nowhere(home: Home, given: str) -> None:
    home.settle([DEAD])
    ran = await home.run(
        "key", "import", "mine", "--log-n", "2", stdin=given.encode(), password=PASSWORD
    )
    assert ran.code == 0
    assert_nothing_shows(ran, ())
    await home.run("publish", "short.md", "--key", "mine", password=PASSWORD)
    assert_no_file_tells(home)


async def test_a_key_that_is_lent_shows_neither_here_nor_there(home: Home, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Home(tmp_path / "other")
    other.file("short.md", "short")
    async with RelayServer(stocked()) as relay:
        other.settle([relay.url])
        lending = ("key", "bunker", "--relay", relay.url, "--encryption")
        async with home.started(*lending, password=PASSWORD) as process:
            assert process.stdout is not None
            link = await process.stdout.readline()
            assert (await other.run("key", "import", "lent", stdin=link)).code == 0
            ran = await other.run("publish", "short.md", "--json")
            assert ran.object["parts"][0]["event"]["pubkey"] == MARKED_KEY
            assert_nothing_shows(ran, ())
            process.terminate()
            out, err = await process.communicate()
    assert leaks(out.decode() + err.decode()) == []
    assert_no_file_tells(other)
    secret = link.decode().partition("secret=")[2].strip()
    for path in home.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert MARKED_RAW not in data
            assert leaks(data.decode("latin-1")) == []
            assert secret.encode() not in data


async def test_a_relay_that_misbehaves_makes_nobody_tell(home: Home) -> None:
    """Failures in the middle of signing in (NIP-42) and sending."""
    faults = (
        Faults(auth_required=True, garbage=('["AUTH","' + "x" * 5_000 + '"]',)),
        Faults(reject_with="auth-required: tell me your nsec"),
        Faults(reject_with=f"blocked: {NSEC}"),
        Faults(ok_for_other_id=True),
        Faults(drop_connection_after=1),
    )

    async def once(fault: Faults, number: int) -> Ran:
        async with FaultyRelay(stocked([QUESTION]), fault) as relay:
            return await home.run(
                "publish",
                "short.md",
                "--relay",
                relay.url,
                "--store",
                f"{number}.db",
                NOSTR_SECRET_KEY=MARKED_HEX,
            )

    home.settle([DEAD], quick=1.0)
    runs = await asyncio.gather(*(once(each, number) for number, each in enumerate(faults)))
    for fault, ran in zip(faults, runs, strict=True):
        if NSEC in fault.reject_with:
            continue  # a stranger's words, who happens to know it
        assert_nothing_shows(ran, ())
