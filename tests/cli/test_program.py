"""The program as a whole: help, what it imports, secrets on the command line, `demo`."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.signing import secret_from_hex
from tests.app.worlds import ALICE
from tests.cli.program import SECONDS

if TYPE_CHECKING:
    from tests.cli.program import Home

COMMANDS = (
    ("demo",),
    ("fetch",),
    ("show",),
    ("new",),
    ("search",),
    ("compose",),
    ("publish",),
    ("quote",),
    ("react",),
    ("repost",),
    ("delete",),
    ("outbox", "list"),
    ("outbox", "resume"),
    ("outbox", "check"),
    ("outbox", "cancel"),
    ("outbox", "delete"),
    ("key", "new"),
    ("key", "show"),
    ("key", "list"),
    ("key", "use"),
    ("key", "import"),
    ("key", "password"),
    ("key", "export"),
    ("key", "remove"),
    ("key", "program"),
    ("key", "plugin"),
    ("key", "connect"),
    ("key", "bunker"),
    ("key", "clients"),
    ("relay", "list"),
    ("relay", "info"),
    ("relay", "test"),
    ("relay", "serve"),
    *(("mirror", name) for name in ("add", "list", "remove", "run", "status", "push", "worker")),
    *(("mirror", name) for name in ("import", "export", "verify", "stats", "purge", "vacuum")),
    ("mirror", "salvage"),
    *(("bot", name) for name in ("new", "check", "run", "log", "retry", "forget")),
    ("verify",),
    ("list",),
    ("mcp",),
    ("serve",),
    ("code",),
)
HEAVY = {"websockets", "pynostr", "httpx", "coincurve", "cryptography", "sqlite3", "nostr_sdk"}
HEAVY |= {"mcp", "pydantic", "llm"}
HELP = """
import json, sys
sys.argv = ["nostr-threads", "--help"]
from nostr_threads.cli import main
try:
    main()
except SystemExit as ended:
    print(json.dumps([ended.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
NSEC = nt.encode(secret_from_hex(ALICE.secret_hex()))


async def test_help_of_every_command_has_an_example(home: Home) -> None:
    runs = await asyncio.gather(*(home.run(*command, "--help") for command in COMMANDS))
    for command, ran in zip(COMMANDS, runs, strict=True):
        assert ran.code == 0
        assert f"Example: nostr-threads {' '.join(command)}" in " ".join(ran.out.split())


async def test_help_is_as_wide_as_the_terminal_and_has_a_short_name(home: Home) -> None:
    for command in (("publish",), ("serve",), ("mcp",), ("search",), ("key", "bunker")):
        long, short = [await home.run(*command, name, COLUMNS="80") for name in ("--help", "-h")]
        assert long.out == short.out
        lines = [line.strip() for line in long.out.partition("╭")[0].splitlines()]
        for line, following in pairwise(lines):
            # What is on the next line had no room in this one.
            assert not (line and following) or len(f"{line} {following.split()[0]}") > 78, line


async def test_every_command_is_in_the_list_above() -> None:
    from nostr_threads.cli.commands import app

    names: set[tuple[str | None, ...]] = {(each.name,) for each in app.registered_commands}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        inner = group.typer_instance.registered_commands
        names |= {(group.name, each.name) for each in inner}
    assert names == set(COMMANDS)


async def run_python(code: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", code, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(SECONDS):
        out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_help_imports_nothing_heavy() -> None:
    code, modules = json.loads((await run_python(HELP)).splitlines()[-1])
    assert code == 0
    assert HEAVY.isdisjoint(modules)


async def test_importing_the_package_imports_nothing_that_is_not_in_python() -> None:
    code = "import sys, nostr_threads; print(*{name.partition('.')[0] for name in sys.modules})"
    modules = set((await run_python(code)).split())
    assert (HEAVY | {"msgspec", "typer", "rich", "platformdirs"}).isdisjoint(modules)


WITH_A_SECRET = (
    ("fetch", NSEC),
    ("show", f"nostr:{NSEC}"),
    ("code", NSEC),
    ("code", NSEC.upper()),
    ("code", f"https://njump.example/{NSEC}"),
    ("code", "ab" * 32, "--to", "nevent", "--author", NSEC),
    ("code", NSEC[:-3], "--to", "npub"),
    ("publish", "-", "--reply-to", NSEC),
    ("publish", "-", "--key", NSEC),
    ("publish", "-", "--limit", NSEC),
    ("fetch", "ab" * 32, "--relay", f"wss://{NSEC}"),
    ("key", "use", NSEC),
    ("relay", "info", NSEC),
    (NSEC,),
)
LINK = f"bunker://{ALICE.pubkey}?relay=wss%3A%2F%2Frelay.example&secret=marked-secret"


async def test_a_secret_key_on_the_command_line_is_refused_and_not_echoed(home: Home) -> None:
    runs = await asyncio.gather(*(home.run(*each, stdin=b"text") for each in WITH_A_SECRET))
    for ran in runs:
        assert (ran.code, ran.out) == (2, "")
        assert "this is a secret key" in ran.err
        assert NSEC[5:20] not in ran.err.lower()


async def test_a_link_with_a_secret_on_the_command_line_is_refused_and_not_echoed(
    home: Home,
) -> None:
    lines = (("key", "import", LINK), ("code", LINK), (LINK.upper(),), ("publish", LINK))
    for ran in await asyncio.gather(*(home.run(*each) for each in lines)):
        assert (ran.code, ran.out) == (2, "")
        assert "key import NAME` asks for it" in ran.err
        assert "marked-secret" not in ran.err.lower()


async def test_what_is_no_command_is_exit_2(home: Home) -> None:
    runs = await asyncio.gather(
        home.run("fetchh"), home.run("fetch"), home.run("show", "a", "b"), home.run("fetch", "--x")
    )
    assert {(ran.code, ran.out) for ran in runs} == {(2, "")}


async def test_demo_goes_the_whole_way_and_says_so_last(home: Home) -> None:
    ran, in_one_part = await asyncio.gather(home.run("demo"), home.run("demo", "--limit", "5000"))
    for each in (ran, in_one_part):
        assert each.code == 0
        assert each.out.splitlines()[-1] == (
            "6. Joined, the parts are the answer again: 960 of 960 characters"
        )
    assert "3 of 3 read back" in ran.out
    assert "parts 1-3 of 3" in ran.out
    assert list(home.folder.iterdir()) == []


async def test_the_output_is_utf8_whatever_the_locale(home: Home) -> None:
    ran = await home.run("demo", PYTHONIOENCODING="ascii")
    assert ran.code == 0
    assert "🧵" in ran.out
    assert "└─ npub1" in ran.out


async def test_demo_with_an_impossible_limit_is_exit_2(home: Home) -> None:
    ran = await home.run("demo", "--limit", "3")
    assert ran.code == 2
    assert ran.err.startswith("error: ")


def test_a_secret_never_shows_itself() -> None:
    secret = nip19.decode(NSEC)
    for text in (repr(secret), str(secret), f"{secret}"):
        assert ALICE.secret_hex() not in text
        assert NSEC not in text
