"""The programs under examples/, run as a reader would run them, against a relay on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.bunker_links import BunkerLink, write_link
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import Author, Faults, FaultyRelay
from tests.peers.bunkers import served
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("fetch_thread.py", "post_answer.py", "bot_with_bunker.py", "mirror_thread.py")
ALICE, BOB = Author(1), Author(2)
QUESTION = ALICE.note("Why?")
ANSWER = "Because.\r\n\r\n" + "A long answer has many words. " * 200


@asynccontextmanager
async def started(
    name: str, *arguments: str, folder: Path, secret: str | None = None
) -> AsyncIterator[Process]:
    """Give the running program; it is gone at the end, whatever happens."""
    environ = {
        **os.environ,
        "NOSTR_THREADS_HOME": str(folder),
        "NOSTR_SECRET_KEY": secret or BOB.secret_hex(),
        "PYTHONIOENCODING": "utf-8",
    }
    async with asyncio.timeout(30):
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / name),
            *arguments,
            cwd=folder,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield program
        finally:
            if program.returncode is None:
                program.kill()
                await program.communicate()


async def run(
    name: str, *arguments: str, folder: Path, secret: str | None = None
) -> tuple[int | None, str, str]:
    async with started(name, *arguments, folder=folder, secret=secret) as program:
        out, err = await program.communicate()
    return program.returncode, out.decode(), err.decode()


async def test_an_answer_is_posted_and_the_thread_fetched(tmp_path: Path) -> None:
    (tmp_path / "answer.md").write_bytes(ANSWER.encode())
    async with RelayServer(stocked([QUESTION])) as relay:
        posted, told, before = await run(
            "post_answer.py", "answer.md", QUESTION.id, relay.url, folder=tmp_path
        )
        code = told.splitlines()[-1]
        fetched, tree, _ = await run("fetch_thread.py", code, relay.url, folder=tmp_path)
    assert (posted, fetched) == (0, 0)
    assert code.startswith("nevent1")
    assert before == f"{len(told.splitlines()) - 1} events to 1 relays\n"
    assert told.count(": stored") == len(told.splitlines()) - 1 > 1
    assert "Because." in tree
    assert f"{relay.url}: {len(told.splitlines())} notes" in tree


async def test_a_bot_answers_once_with_a_key_that_is_elsewhere(tmp_path: Path) -> None:
    asking = ALICE.note("#hello, anybody?")
    async with (
        RelayServer(stocked([asking, ALICE.reply(asking, "still #hello")])) as relay,
        served(relay.url) as house,
    ):
        link = write_link(house.link)
        for expected in (2, 0):
            code, told, err = await run(
                "bot_with_bunker.py", asking.id, relay.url, folder=tmp_path, secret=link
            )
            assert (code, len(told.splitlines())) == (0, expected), err
    signed = [deed for deed in house.deeds if deed.method == "sign_event"]
    assert len(signed) == 2
    assert BOB.secret_hex() not in err


async def test_a_thread_is_mirrored_and_what_is_new_told_once(tmp_path: Path) -> None:
    first = BOB.reply(QUESTION, "Because of the first.")
    store = stocked([QUESTION, first])
    async with RelayServer(store) as relay:
        line = ("mirror_thread.py", QUESTION.id, relay.url)
        code, told, err = await run(*line, folder=tmp_path)
        assert (code, err) == (0, f"{relay.url}: complete\n")
        assert told.count("\n") == 2
        assert "Because of the first." in told
        store.add([BOB.reply(first, "And of the second.")], relay=None, now=0)
        code, told, _ = await run(*line, folder=tmp_path)
        assert (code, told) == (0, f"{BOB.pubkey[:8]}: And of the second.\n")
        assert (await run(*line, folder=tmp_path))[:2] == (0, "")


@pytest.mark.parametrize("name", NAMES)
async def test_without_arguments_an_example_explains_itself(name: str, tmp_path: Path) -> None:
    code, out, err = await run(name, folder=tmp_path)
    assert (code, out) == (1, "")
    assert f"python examples/{name}" in err


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and all they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("name", NAMES)
async def test_ctrl_c_ends_an_example_without_a_traceback(name: str, tmp_path: Path) -> None:
    (tmp_path / "answer.md").write_bytes(ANSWER.encode())
    before = ("answer.md",) if name == "post_answer.py" else ()
    async with (
        FaultyRelay(stocked([QUESTION]), Faults(silent_eose=True, no_ok=True)) as relay,
        started(
            name,
            *(*before, QUESTION.id, relay.url),
            folder=tmp_path,
            secret=write_link(BunkerLink(ALICE.pubkey, (relay.url,), "x"))
            if name == "bot_with_bunker.py"
            else None,
        ) as program,
    ):
        while not relay.received:  # noqa: ASYNC110 - a relay tells nobody what it has heard
            await asyncio.sleep(0.01)
        program.send_signal(signal.SIGINT)
        out, err = await program.communicate()
    assert (program.returncode, out) == (130, b"")
    assert b"Traceback" not in err


async def test_a_bad_code_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    code, _, err = await run("fetch_thread.py", "nonsense", "ws://127.0.0.1:9", folder=tmp_path)
    assert code == 1
    assert err.startswith("error: 'nonsense' is not a Nostr code")
