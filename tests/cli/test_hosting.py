"""`mcp` as a program: what it needs, how it ends, and that stdout is the protocol's alone."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from nostr_threads.cli import hosting
from nostr_threads.errors import InvalidInput
from nostr_threads.signing import KeyFolder, secret_from_hex
from tests.app.worlds import ALICE
from tests.cli.program import PASSWORD

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from tests.cli.program import Home

HELLO = (
    json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        }
    ).encode()
    + b"\n"
)


async def greeted(process: Process) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(HELLO)
    await process.stdin.drain()
    answer = json.loads(await process.stdout.readline())
    assert answer["result"]["serverInfo"]["name"] == "nostr-threads"


async def test_it_ends_when_stdin_does(home: Home) -> None:
    home.settle([])
    ran = await home.run("mcp", stdin=b"")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    ran = await home.run("mcp", stdin=b"not json\n")
    assert ran.code == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in ran.out.splitlines())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_quietly_while_stdin_is_open(
    home: Home, number: signal.Signals
) -> None:
    home.settle([])
    async with home.started("mcp") as process:
        await greeted(process)
        process.send_signal(number)
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = await asyncio.gather(process.stdout.read(), process.stderr.read())
        await process.wait()
    assert process.returncode == (130 if number is signal.SIGINT else -signal.SIGTERM)
    assert (out, err.strip()) in ((b"", b""), (b"", b"Aborted."))


async def test_the_key_is_opened_only_where_something_may_be_published(home: Home) -> None:
    """One with a password asks for it, or takes it from a descriptor, before it serves."""
    home.settle([])
    folder = KeyFolder(home.folder / "keys")
    folder.add("work", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=2)
    folder.use("work")
    reads = await home.run("mcp", stdin=b"")
    publishes = await home.run("mcp", "--allow-publish", stdin=b"")
    opened = await home.run("mcp", "--allow-publish", stdin=b"", password=PASSWORD)
    wrong = await home.run("mcp", "--allow-publish", stdin=b"", password="no")
    assert (reads.code, publishes.code, opened.code, wrong.code) == (0, 7, 0, 7)
    assert "use --password-fd" in publishes.err
    assert (publishes.out, wrong.out) == ("", "")


async def test_what_cannot_be_served_is_said_before(home: Home) -> None:
    home.settle([])
    alone, nobody, missing = await asyncio.gather(
        home.run("mcp", "--trust-host"),
        home.run("mcp", "--allow-publish"),
        home.run("mcp", "--relays", "missing.toml"),
    )
    assert (alone.code, nobody.code, missing.code) == (2, 7, 2)
    assert "say --allow-publish, too" in alone.err
    assert (alone.out, nobody.out, missing.out) == ("", "", "")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "nostr_threads.hosts.mcp_server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    with pytest.raises(InvalidInput, match=r"pip install 'nostr-threads\[mcp\]'") as caught:
        hosting.mcp()
    assert caught.value.exit_code == 2
