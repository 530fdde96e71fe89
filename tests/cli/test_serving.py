"""`relay serve` as a process: who may do what, what goes live, and what nobody can do to it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import time
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
import typer.main
from websockets.exceptions import ConnectionClosed

from nostr_threads.cli.commands import app
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Auth,
    AuthChallenge,
    Close,
    Closed,
    Count,
    CountResult,
    Delivered,
    Eose,
    Ok,
    Request,
    Tally,
)
from nostr_threads.core.nip19 import PublicKey, encode
from nostr_threads.core.wire import encode as written
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Author, thread
from tests.cli.program import SECONDS, Home
from tests.relayd.peers import Peer, dialled
from tests.store.events import made

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

ALICE, BOB = Author(1), Author(2)
NOW = int(time.time())
NOTES = thread(5)
SLOW = 200
# What docs/relay.md says.
MOST_MIB = 256


@pytest.fixture
def home(tmp_path: Path) -> Home:
    with SqliteStore(tmp_path / "threads.db") as store:
        store.add(NOTES, relay="wss://relay.example", now=NOW)
    return Home(tmp_path)


@asynccontextmanager
async def serving(
    home: Home, *options: str, **environ: str
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Give where it listens, and the process, which must not say anything unexpected."""
    command = ("relay", "serve", "--port", "0", "--json", *options)
    async with home.started(*command, **environ) as process:
        assert process.stdout is not None
        line = await process.stdout.readline()
        yield json.loads(line)["url"], process


async def ended(process: asyncio.subprocess.Process, number: int) -> bytes:
    """Send a signal; return what it says when it ends."""
    process.send_signal(number)
    _, err = await process.communicate()
    assert b"Traceback" not in err
    return err


async def refused(peer: Peer, author: Author) -> str:
    ok = await peer.publish(author.note("mine", NOW))
    assert isinstance(ok, Ok)
    return "" if ok.accepted else ok.reason


@pytest.mark.parametrize(
    ("options", "alice", "bob"),
    [
        ((), "restricted: this relay is read-only", "restricted: this relay is read-only"),
        (("--accept", encode(PublicKey(ALICE.pubkey))), "", "restricted: only events of its"),
        (("--accept", "me"), "", "restricted: only events of its"),
        (("--accept", "me", "--accept", BOB.pubkey), "", ""),
        (("--accept-all",), "", ""),
    ],
)
async def test_it_takes_the_events_of_whom_its_owner_named(
    home: Home, options: tuple[str, ...], alice: str, bob: str
) -> None:
    async with (
        serving(home, *options, NOSTR_SECRET_KEY=ALICE.secret_hex()) as (url, process),
        dialled(url) as peer,
    ):
        for author, reason in ((ALICE, alice), (BOB, bob)):
            said = await refused(peer, author)
            assert said.startswith(reason) if reason else said == ""
        info = await told(url)
        assert info["limitation"]["restricted_writes"] is (options != ("--accept-all",))
        assert b"serving ws://127.0.0.1:" in await ended(process, signal.SIGINT)
        assert process.returncode == 130


async def told(url: str) -> dict[str, Any]:
    """Return the NIP-11 document."""
    async with httpx.AsyncClient(timeout=SECONDS) as web:
        answer = await web.get(
            url.replace("ws", "http", 1), headers={"Accept": "application/nostr+json"}
        )
    found: dict[str, Any] = answer.json()
    return found


async def test_a_key_of_the_key_folder_is_accepted_by_its_name(home: Home) -> None:
    made_key = await home.run("key", "new", "work", "--json", password="correct horse")
    async with serving(home, "--accept", "work") as (url, _):
        assert (await told(url))["limitation"]["restricted_writes"]
        async with dialled(url) as peer:
            assert (await refused(peer, ALICE)).startswith("restricted: only")
    assert made_key.object["name"] == "work"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--accept", "nobody"), "this is no npub"),
        (("--accept", "me"), "no key is in use"),
        (("--accept", BOB.pubkey, "--accept-all"), "either --accept or --accept-all"),
        (("--auth", "required"), "say with --accept"),
        (("--public-url", "not a url"), "cannot use relay"),
    ],
)
async def test_what_cannot_be_meant_is_exit_2(
    home: Home, options: tuple[str, ...], words: str
) -> None:
    ran = await home.run("relay", "serve", "--port", "0", *options)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


async def test_a_private_archive_is_read_and_written_by_the_named_alone(home: Home) -> None:
    public = "wss://archive.example"
    options = ("--auth", "required", "--accept", ALICE.pubkey, "--public-url", public)
    async with serving(home, *options) as (url, _):
        for author, known in ((ALICE, True), (BOB, False)):
            async with dialled(url) as peer:
                hello = await peer.hear()
                assert isinstance(hello, AuthChallenge)
                _, ending = await peer.ask(Filter())
                assert isinstance(ending, Closed)
                assert ending.reason.startswith("auth-required: ")
                proof = author.authentication(public, hello.challenge, int(time.time()))
                await peer.say(Auth(proof))
                assert await peer.hear() == Ok(proof.id, True, "")
                events, ending = await peer.ask(Filter(kinds=(1,)))
                assert isinstance(ending, Eose) is known
                assert (len(events) == len(NOTES)) is known
                await peer.say(Close("sub"))
                # NIP-70: what is protected is taken from its author, who is known here.
                guarded = author.event(1, "protected", NOW, (("-",),))
                ok = await peer.publish(guarded)
                assert isinstance(ok, Ok)
                assert (ok.accepted, ok.reason[:12]) == (
                    (True, "") if known else (False, "restricted: ")
                )


async def test_what_another_process_stores_is_searched_and_goes_live(home: Home) -> None:
    async with serving(home) as (url, _), dialled(url) as peer:
        async with asyncio.timeout(SECONDS):
            while 50 not in (await told(url))["supported_nips"]:
                pass
        assert (await peer.ask(Filter(search="-nothing")))[1] == Closed(
            "sub", "invalid: a search has a word that is to be found"
        )
        await peer.ask(Filter(kinds=(1,)), name="live")
        fresh = ALICE.note("an unheard-of zebra", NOW)
        with SqliteStore(home.folder / "threads.db") as store:
            store.add([fresh], relay="wss://relay.example", now=NOW)
        assert await peer.hear() == Delivered("live", fresh)
        zebra = Filter(search="zebra")
        async with asyncio.timeout(SECONDS):
            while (found := await peer.ask(zebra))[0] == []:
                pass
        assert found == ([fresh], Eose("sub", ("finish",)))
        await peer.say(Count("c", (zebra,)))
        assert await peer.hear() == CountResult("c", Tally(1))


def test_the_page_has_every_option_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "relay.md").read_text(encoding="utf-8")
    command = typer.main.get_command(app).commands["relay"].commands["serve"]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z][a-z-]*", page)) - {"--follow"} == options - {"--help"}


def memory(process: asyncio.subprocess.Process) -> int:
    """Return what a process holds in memory, in MiB."""
    pages = Path(f"/proc/{process.pid}/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") >> 20


def deaf(stack: ExitStack, url: str, *messages: bytes) -> socket.socket:
    """Open a websocket that will hardly take a thing, and say something."""
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    opened = stack.enter_context(socket.socket())
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    opened.settimeout(SECONDS)
    opened.connect((place.hostname, place.port))
    opened.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert opened.recv(12) == b"HTTP/1.1 101"
    for message in messages:
        opened.sendall(framed(message))
    return opened


def framed(message: bytes, first: int = 0x81) -> bytes:
    """Return a client's frame; its mask is zeros."""
    length = len(message)
    small = bytes([first, 0x80 | length]) if length < 126 else b""
    return (small or bytes([first, 0xFE]) + length.to_bytes(2)) + bytes(4) + message


async def test_200_slow_readers_raise_no_memory_and_keep_nobody_waiting(home: Home) -> None:
    """What docs/relay.md says of memory: each asks for all of 50 MB, and reads nothing."""
    large = [made(content=f"{number:05} " * 4000, at=NOW - number) for number in range(2000)]
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(large, relay=None, now=NOW)
    ask = written(Request("all", (Filter(limit=5000),)))
    async with serving(home) as (url, process), dialled(url) as good:
        assert len((await good.ask(Filter(limit=100)))[0]) == 100
        with ExitStack() as stack:
            for _ in range(SLOW):
                deaf(stack, url, ask.encode())
            slowest = most = 0.0
            for _ in range(20):
                started = time.perf_counter()
                events, ending = await good.ask(Filter(limit=100))
                slowest = max(slowest, time.perf_counter() - started)
                most = max(most, memory(process))
                assert (len(events), ending) == (100, Eose("sub", ("more",)))
            assert most < MOST_MIB
            assert slowest < 5
        # They are gone, and so is what was held for them.
        with ExitStack() as stack:
            for _ in range(SLOW):
                deaf(stack, url)
        assert (await good.ask(Filter(limit=1)))[1] == Eose("sub", ("more",))
        assert memory(process) < MOST_MIB


async def test_huge_filters_of_some_keep_nobody_else_waiting(home: Home) -> None:
    """Whoever asks for little is answered each time, while others ask for all, again and again."""
    with SqliteStore(home.folder / "threads.db") as store:
        notes = [made(content=str(number), at=NOW - number) for number in range(5000)]
        store.add(notes, relay=None, now=NOW)
    huge = Request("all", tuple(Filter(since=number, limit=5000) for number in range(20)))
    async with serving(home) as (url, _), dialled(url) as good, asyncio.TaskGroup() as tasks:
        greedy = [tasks.create_task(asked_in_vain(url, huge)) for _ in range(8)]
        answers = [await good.ask(Filter(limit=1)) for _ in range(20)]
        assert not any(task.done() for task in greedy)
        assert all(ending == Eose("sub", ("more",)) for _, ending in answers)
        for task in greedy:
            task.cancel()


async def asked_in_vain(url: str, question: Request) -> None:
    """Ask the same again and again, and read each answer to its end."""
    async with dialled(url) as client:
        while True:
            await client.say(question)
            while isinstance(await client.hear(), Delivered):
                pass


async def test_sigterm_ends_it_soon_whoever_is_connected(home: Home) -> None:
    ask = written(Request("all", (Filter(limit=5000),))).encode()
    async with serving(home) as (url, process):
        with ExitStack() as stack:
            for _ in range(100):
                deaf(stack, url, ask)
            await ended(process, signal.SIGTERM)
    assert process.returncode == -signal.SIGTERM


async def test_a_message_in_a_hundred_thousand_pieces_takes_no_more_than_it_says(
    home: Home,
) -> None:
    async with serving(home) as (url, process), dialled(url) as good:
        await good.ask(Filter(limit=1))
        before = memory(process)
        with ExitStack() as stack:
            opened = deaf(stack, url)
            opened.settimeout(SECONDS)
            pieces = framed(b" ", 0x01) + framed(b" ", 0x00) * 100_000
            with suppress(OSError):  # it may be cut off at once
                await asyncio.to_thread(opened.sendall, pieces)
            assert (await good.ask(Filter(limit=1)))[1] == Eose("sub", ("more",))
            assert memory(process) - before < 20


async def test_strangers_at_the_door_leave_no_trace(home: Home) -> None:
    """Half a handshake, no HTTP at all, a client that dies: none of it is an error of ours."""
    async with serving(home) as (url, process), dialled(url) as good:
        place = urlsplit(url)
        for words in (b"GET / HTTP/1.1\r\nHos", b"\x16\x03\x01\x02\x00", b"\xff" * 100_000, b""):
            with socket.create_connection((place.hostname, place.port)) as stranger:
                stranger.sendall(words)
        with ExitStack() as stack:
            deaf(stack, url, b'["REQ"', b"\xff\xfe")
        async with dialled(url) as peer:
            await peer.say(b"\xff\xfe")
            await peer.hear()
            peer.socket.transport.abort()
            with pytest.raises(ConnectionClosed):
                await peer.hear()
        assert (await good.ask(Filter(limit=1)))[1] == Eose("sub", ("more",))
        err = await ended(process, signal.SIGINT)
        assert err.count(b"\n") == 1, err.decode()
