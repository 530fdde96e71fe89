"""Files of events taken in, against the bare check of their signatures on one core.

Bare is what coincurve's libsecp256k1 does on one thread with keys, ids and signatures that lie
ready as bytes. Everything is told as a rate in its units: an import at 0.55 takes in events at a
little more than half the rate at which one core could check signatures and do nothing else.

`decode, id, verify` does that with lines, as they come from a file: on one thread; on two threads;
and by an import that stores nothing, in two processes, which reads the file as well. `imported` is
`nostr-threads mirror import` into a new store on the disk, indexed and durable; `imported again` is
the same file once more. Both are processes of their own, and count from when they have started. The
processor's time stands beside the clock's: on a machine that is busy with other things the clock
tells about these. With `--long` a million events are imported, too, which takes some minutes and 3
GB on the disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from coincurve import PublicKeyXOnly

from benchmarks.archive import archive
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.app.blocks import opened
from nostr_threads.app.checking import check
from nostr_threads.app.ingest import Ingest, processes_for
from nostr_threads.core.event import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 5
EVENTS, MANY = 100_000, 1_000_000
# Events of one job that is not an import.
_SOME = 10_000
_CHUNK = 500


class _Imported(NamedTuple):
    """What an import took: seconds by the clock and of the processor, and bytes at its peak."""

    seconds: float
    processor: float
    peak: int


def run(rounds: int) -> None:
    """Measure, and print the table."""
    path = archive(EVENTS)
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "some.jsonl"
        lines = first_lines(path, _SOME)
        some.write_bytes(b"\n".join(lines))
        imports = _Imports(path, EVENTS, Path(folder))
        seconds = in_turn(
            {
                "bare": partial(checked_bare, lines),
                "decode, id, verify: one thread": partial(_checked, lines, 1),
                "decode, id, verify: two threads": partial(_checked, lines, 2),
                "decode, id, verify: two processes": partial(_dry, some),
                "imported": partial(imports.run, again=False),
                "imported again": partial(imports.run, again=True),
            },
            rounds,
        )
    table(seconds, unit="us", per=_SOME)
    bare, one, threads, two, first, again = seconds.values()
    print("  rate / bare rate")
    ratio("decode, id, verify: one thread", bare, one, "at least 0.78")
    ratio("decode, id, verify: two threads", bare, threads, "")
    ratio("decode, id, verify: two processes", bare, two, "at least 1.4")
    ratio("imported", bare, first, "at least 0.55")
    ratio("imported again", bare, again, "at least 4.0")
    imports.tell(median(bare))


def run_long(rounds: int) -> None:
    """Measure a million, against a tenth of it in the same round, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        few = _Imports(archive(EVENTS), EVENTS, Path(folder))
        many = _Imports(archive(MANY), MANY, Path(folder))
        lines = first_lines(archive(EVENTS), _SOME)
        seconds = in_turn(
            {
                "bare": partial(checked_bare, lines),
                "100,000 imported": partial(few.run, again=False),
                "1,000,000 imported": partial(many.run, again=False),
                "1,000,000 imported again": partial(many.run, again=True),
            },
            min(rounds, 2),
        )
    table(seconds, unit="us", per=_SOME)
    bare, first, large, again = seconds.values()
    ratio("rate of 1,000,000 / bare rate", bare, large, "")
    ratio("rate of 1,000,000 again / bare rate", bare, again, "")
    ratio("rate of 1,000,000 / rate of 100,000", first, large, "at least 0.8")
    many.tell(median(bare))


class _Imports:
    """Imports of one file, first into a new store and then into the same once more."""

    def __init__(self, path: Path, events: int, folder: Path) -> None:
        self._path = path
        self._events = events
        self._store = folder / f"{events}.db"
        self._done: dict[bool, list[_Imported]] = {False: [], True: []}

    def run(self, *, again: bool) -> float:
        """Return the seconds that `_SOME` events took."""
        if not again:
            for each in self._store.parent.glob(f"{self._store.name}*"):
                each.unlink()
        done = imported(self._path, self._store, self._events, again=again)
        self._done[again].append(done)
        return done.seconds * _SOME / self._events

    def tell(self, bare: float) -> None:
        """Print what the clock does not tell."""
        first = self._done[False]
        spent = median(each.processor for each in first) / self._events * _SOME
        peak = max(each.peak for each in first) / 1e6
        print(f"  {'processor time of an import / bare':48}{spent / bare:10.2f}")
        print(f"  {'peak memory of an import':48}{peak:10.0f}  MB, at most 300")


def imported(path: Path, store: Path | str, events: int, *, again: bool) -> _Imported:
    command = [sys.executable, "-m", "nostr_threads", "mirror", "import", str(path)]
    with subprocess.Popen(  # noqa: S603 - ourselves
        [*command, "--store", str(store), "--json"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert told["known" if again else "new"] == events
    return _Imported(told["seconds"], used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def first_lines(path: Path, events: int) -> list[bytes]:
    with path.open("rb") as file:
        return [file.readline().rstrip() for _ in range(events)]


def checked_bare(lines: Sequence[bytes]) -> float:
    events = [Event.from_json(line) for line in lines]
    hexes = [(event.pubkey, event.id, event.sig) for event in events]
    ready = [(bytes.fromhex(a), bytes.fromhex(b), bytes.fromhex(c)) for a, b, c in hexes]
    began = time.perf_counter()
    for key, text, signature in ready:
        PublicKeyXOnly(key).verify(signature, text)
    return time.perf_counter() - began


def _checked(lines: Sequence[bytes], threads: int) -> float:
    chunks = [lines[start : start + _CHUNK] for start in range(0, len(lines), _CHUNK)]
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        verdicts = [*pool.map(check, chunks)]
        seconds = time.perf_counter() - began
    assert sum(verdict.verified for verdict in verdicts) == len(lines)
    return seconds


def _dry(path: Path) -> float:
    """Only verify; the processes are there already, as in all but the first moment of a file."""
    ingest = Ingest(None, processes=processes_for(2, is_stored=False), now=0)
    with ingest, opened(path) as first, opened(path) as second:
        ingest.take(first)
        _wait(ingest, _SOME)
        began = time.perf_counter()
        ingest.take(second)
        _wait(ingest, 2 * _SOME)
        return time.perf_counter() - began


def _wait(ingest: Ingest, verified: int) -> None:
    while ingest.counts.verified < verified:
        time.sleep(0.0005)  # far less than a block takes, and enough for the others to work
