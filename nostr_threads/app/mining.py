"""Proof of work on all processors, in processes of their own: `python -m nostr_threads.app.mining`.

Knows how the search is shared out, followed and ended. A worker sees the draft and the public key
on its input, and nothing else: no environment, no secret. How a nonce is tried is `core.pow`'s.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, cast

from nostr_threads.app.blocking import off_loop
from nostr_threads.core.event import Draft
from nostr_threads.core.pow import expected_tries, with_nonce
from nostr_threads.core.pow import mine as search

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Iterable

__all__ = ["Mining", "mine", "mine_chain"]

_MOST_WORKERS = 64
# Nanoseconds: what a try costs on a slow processor, and how long a slice of them may take there.
_TRY = 1_000
_TRY_FOR_A_CHARACTER = 1
_SLICE = 100_000_000
_TELL_SECONDS = 0.1
# What starts an interpreter. Anything else of the environment may be a secret.
_ENVIRONMENT = ("PATH", "SYSTEMROOT", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Mining:
    """How far a search is: nonces tried, how many it takes on average, seconds since it began.

    It may well take several times the average.
    """

    tried: int
    expected: int
    seconds: float


async def mine(
    draft: Draft,
    pubkey: str,
    bits: int,
    *,
    workers: int | None = None,
    progress: Callable[[Mining], None] = lambda _: None,
) -> Draft:
    """Return `draft` with a nonce that gives its id `bits` leading zero bits (NIP-13).

    `pubkey` (64 hex digits) is who will sign. Uses `workers` processes, one for each processor
    unless told; one thread for little work. `progress` is called some times a second. When it is
    cancelled, everything ends at once. Raises `InvalidInput` for more than 256 bits, and
    `InvalidEvent` for text that no UTF-8 can carry.
    """
    count = min(workers or os.cpu_count() or 1, _MOST_WORKERS)
    job = _Job(draft, pubkey, bits, progress)
    # So little is done before a process has started.
    is_little = bits < 0 or expected_tries(bits) <= _slice(draft)
    if is_little or count < 2 or not _has_interpreter():
        return await job.alone()
    return await job.shared(count)


async def mine_chain(
    drafts: Iterable[Draft],
    pubkey: str,
    bits: int,
    *,
    workers: int | None = None,
    progress: Callable[[Mining], None] = lambda _: None,
) -> list[Draft]:
    """Mine drafts of which each may name those before it, as the parts of an answer do.

    Work changes an id, so each is mined only once those before it are final, and the tags that
    named them name what they have become. See `mine`.
    """
    final: dict[str, str] = {}
    mined: list[Draft] = []
    for draft in drafts:
        tags = tuple(tuple(final.get(value, value) for value in tag) for tag in draft.tags)
        now = replace(draft, tags=tags)
        mined.append(await mine(now, pubkey, bits, workers=workers, progress=progress))
        final[draft.id_for(pubkey)] = mined[-1].id_for(pubkey)
    return mined


class _Job:
    """One search, and how far it is."""

    def __init__(
        self, draft: Draft, pubkey: str, bits: int, progress: Callable[[Mining], None]
    ) -> None:
        self._draft = draft
        self._pubkey = pubkey
        self._bits = bits
        self._progress = progress
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._told = self._began
        self._tried = 0

    async def alone(self) -> Draft:
        """Search in a thread: each slice is short, so that nothing is left to run for long."""
        tries, start = _slice(self._draft), 0
        while True:
            found = await off_loop(
                search, self._draft, self._pubkey, self._bits, start=start, tries=tries
            )
            if found is not None:
                return found
            start += tries
            self._note(tries)

    async def shared(self, count: int) -> Draft:
        """Search in `count` processes; the first that finds ends all."""
        # A bad draft is the caller's to hear of, not a worker's to die of.
        search(self._draft, self._pubkey, self._bits, tries=0)
        nonce = None
        # Where no process may be started, or all were killed, it takes longer.
        with suppress(OSError):
            async with _workers(count) as workers:
                nonce = await self._first(workers)
        if nonce is None:
            return await self.alone()
        return with_nonce(self._draft, nonce, self._bits)

    async def _first(self, workers: list[Process]) -> int | None:
        asked = [
            asyncio.create_task(self._ask(worker, start, len(workers)))
            for start, worker in enumerate(workers)
        ]
        try:
            for answer in asyncio.as_completed(asked):
                if (nonce := await answer) is not None:
                    return nonce
            return None
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _ask(self, worker: Process, start: int, step: int) -> int | None:
        """Give a worker its share and listen to it; None when it ends without a nonce."""
        into, out = cast("StreamWriter", worker.stdin), cast("StreamReader", worker.stdout)
        task = {"draft": asdict(self._draft), "pubkey": self._pubkey, "bits": self._bits}
        with suppress(ConnectionError):
            into.write(json.dumps({**task, "start": start, "step": step}).encode())
            await into.drain()
        into.close()
        async for line in out:
            word, _, number = line.decode().partition(" ")
            if word == "found":
                return int(number)
            self._note(int(number))
        return None

    def _note(self, tried: int) -> None:
        self._tried += tried
        now = self._clock()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            expected = expected_tries(self._bits)
            self._progress(Mining(self._tried, expected, now - self._began))


def _slice(draft: Draft) -> int:
    """How many nonces are tried in a tenth of a second or less."""
    size = len(draft.content) + sum(len(value) for tag in draft.tags for value in tag)
    return max(1, _SLICE // (_TRY + _TRY_FOR_A_CHARACTER * size))


# The processes


def _has_interpreter() -> bool:
    """Whether `sys.executable` is Python: in a program of one file it is that program."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


@asynccontextmanager
async def _workers(count: int) -> AsyncIterator[list[Process]]:
    """Start processes, and see to it that none is left. Raises `OSError` when none can be."""
    started: list[Process] = []
    try:
        while len(started) < count:
            started.append(await _start())
        yield started
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                process.kill()
        # What is killed ends: this waits for no work.
        await asyncio.gather(*(process.wait() for process in started))


async def _start() -> Process:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # What this process can import, and nothing from the folder that it happens to stand in.
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )


def _work() -> None:
    """Search the share that is told on standard input, saying `tried N` on the way to `found N`.

    Who has asked and is gone reads nothing more, which ends the search with the next slice.
    """
    task = json.load(sys.stdin)
    draft = Draft(**task["draft"])
    tries, start, step = _slice(draft), task["start"], task["step"]
    with suppress(BrokenPipeError):
        while True:
            found = search(draft, task["pubkey"], task["bits"], start=start, step=step, tries=tries)
            if found is not None:
                return _say("found", found.tags[-1][1])
            _say("tried", str(tries))
            start += step * tries


def _say(word: str, number: str) -> None:
    sys.stdout.write(f"{word} {number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _work()
