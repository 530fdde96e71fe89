"""A bot at three relays: how soon it answers when idle, and a burst of 1,000 questions.

The bot is a process of its own, run as anybody runs it. Measured is from the moment a relay has
taken a question until it passes the answer on to who listens, less the pause that the bot is told
to make; and the memory of the process, after a hundred answers and after all. Idle, it is at
nostr-sdk's relays; for the burst at ours: those take no more than some 1,300 questions a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

from benchmarks.relay import running
from nostr_threads.core import nip19
from nostr_threads.testing import Author

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Verified

ROUNDS = 10
BURST, PEOPLE, PAUSE = 1_000, 50, 1.1
_BOT = Author(b"bot")
_FILE = f"""
[bot]
mark = false
pace = "0s"
at_once = 8
[guards]
pause = "{PAUSE}s"
[budgets]
per_author_hour = 1000
per_author_day = 1000
per_hour = 10000
per_day = 10000
[[rule]]
name = "echo"
answer = {{ text = "I have heard you." }}
"""


def run(rounds: int) -> None:
    """Measure, and print what was found."""
    with ExitStack() as stack:
        urls = [stack.enter_context(running("nostr-sdk", "0")) for _ in range(3)]
        stack.enter_context(_bot(urls))
        asyncio.run(_idle(urls[0], rounds))
    with ExitStack() as stack:
        urls = [stack.enter_context(running("ours", "0")) for _ in range(3)]
        process = stack.enter_context(_bot(urls))
        asyncio.run(_burst(urls, process))


@contextmanager
def _bot(urls: list[str]) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.joinpath("bot.toml").write_text(_FILE)
        home.joinpath("relays.toml").write_text(
            "".join(f'[[relay]]\nurl = "{url}"\n' for url in urls)
        )
        keys = {"NOSTR_SECRET_KEY": _BOT.secret_hex(), "NOSTR_THREADS_HOME": folder}
        process = subprocess.Popen(
            [sys.executable, "-m", "nostr_threads", "bot", "run", "bot.toml", "--json"],
            cwd=home,
            env={**os.environ, **keys},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert "listening" in process.stdout.readline()
            # What it tells is read by nobody: it must not wait for that.
            sink = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)  # noqa: S607
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)
            sink.wait(timeout=60)


async def _idle(url: str, rounds: int) -> None:
    answers: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
    begun = asyncio.Event()
    listening = asyncio.create_task(_listen(url, answers, begun))
    async with asyncio.timeout(60):
        await begun.wait()
    # Once the first is answered the bot listens, too: it says so before it does.
    _, *idle = [await _once(url, number, answers) for number in range(rounds + 1)]
    figures = "".join(f"{of(idle) * 1e3:10.0f}" for of in (median, min, max))
    goal = "reached" if median(idle) <= 0.2 else "MISSED"
    print(f"  {'':48}{'median':>10}{'min':>10}{'max':>10}  ms")
    print(f"  {'idle: beyond the pause':48}{figures}  at most 200: {goal}")
    listening.cancel()


async def _burst(urls: list[str], process: subprocess.Popen[str]) -> None:
    answers: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
    begun = asyncio.Event()
    listening = asyncio.create_task(_listen(urls[0], answers, begun))
    async with asyncio.timeout(60):
        await begun.wait()
    began = time.perf_counter()
    notes = [_question(f"burst {number}", number) for number in range(BURST)]
    await asyncio.gather(*(_publish(url, notes[place::3]) for place, url in enumerate(urls)))
    wanted, some = {note.id for note in notes}, 0.0
    for count in range(1, BURST + 1):
        async with asyncio.timeout(120):
            answered, _ = await answers.get()
        wanted.discard(answered)
        some = _memory(process) if count == BURST // 10 else some
    seconds = time.perf_counter() - began
    rate = f"{BURST / seconds:.0f} answers a second, {len(wanted)} without an answer"
    print(f"  a burst of {BURST} from {PEOPLE} people: {rate}")
    print(f"  memory after {BURST // 10} and after all: {some:.0f} MB, {_memory(process):.0f} MB")
    listening.cancel()


async def _once(url: str, number: int, answers: asyncio.Queue[tuple[str, float]]) -> float:
    note = _question(f"idle {number}", number)
    await _publish(url, [note])
    taken = time.perf_counter()
    async with asyncio.timeout(60):
        answered, at = await answers.get()
    assert answered == note.id
    return at - taken - PAUSE


def _question(text: str, number: int) -> Verified:
    author = Author(f"person {number % PEOPLE}".encode())
    code = nip19.encode(nip19.PublicKey(_BOT.pubkey))
    return author.event(1, f"nostr:{code} {text}?", int(time.time()), (("p", _BOT.pubkey),))


async def _publish(url: str, events: list[Verified]) -> None:
    async with connect(url, compression=None) as socket:
        for event in events:
            await socket.send(f'["EVENT",{event.to_json()}]')
        for _ in events:
            assert ",true," in str(await socket.recv())


async def _listen(
    url: str, answers: asyncio.Queue[tuple[str, float]], begun: asyncio.Event
) -> None:
    """Put the id of what is answered, and when the answer came, into the queue; each once.

    `begun` is set once the relay passes on what comes.
    """
    seen: set[str] = set()
    async with connect(url, compression=None) as socket:
        await socket.send(json.dumps(["REQ", "answers", {"authors": [_BOT.pubkey], "kinds": [1]}]))
        async for message in socket:
            kind, *rest = json.loads(message)
            if kind == "EOSE":
                begun.set()
            elif kind == "EVENT":
                answered = next(tag[1] for tag in rest[1]["tags"] if tag[0] == "e")
                if answered not in seen:
                    seen.add(answered)
                    answers.put_nowait((answered, time.perf_counter()))


def _memory(process: subprocess.Popen[str]) -> float:
    """The memory of a process in MB, where the system tells (Linux)."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
