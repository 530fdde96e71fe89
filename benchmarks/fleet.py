"""A PostgreSQL store filled from two relays by one worker, and by two.

Eight sources, each a stretch of time, are got from two relays of ours, which have the same 55,000
events: 16 jobs. Relays, server and workers are processes of their own, and share this machine: on
two cores the second worker finds little left to use, and what it brings shows on machines of their
own. Workers count from when they are started until nothing is left to do.
"""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial

from benchmarks.relay import running
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.store.opening import open_store
from nostr_threads.testing import START
from tests.store.postgres_server import PostgresServer

ROUNDS = 3
EVENTS = 55_000
_SLICES = 8
_FIRST, _LAST = int(START) - 10 * 50_000, int(START) + 1_000_000


def run(rounds: int) -> None:
    """Measure, and print the table."""
    with PostgresServer(settings=()) as server, running("ours") as one, running("ours") as two:
        seconds = in_turn(
            {
                "one worker": partial(_filled, server, (one, two), workers=1),
                "two workers": partial(_filled, server, (one, two), workers=2),
            },
            rounds,
        )
    table(seconds, unit="us", per=EVENTS)
    alone, together = seconds.values()
    for name, each in seconds.items():
        print(f"  {name}: {EVENTS / sorted(each)[len(each) // 2]:,.0f} events a second")
    ratio("one worker / two", alone, together, "")


def _filled(server: PostgresServer, relays: tuple[str, ...], *, workers: int) -> float:
    place = server.place()
    with open_store(place) as store:
        for each in _sources(relays):
            store.sources.put(each, now=int(START))
    command = [sys.executable, "-m", "nostr_threads", "mirror", "worker", "--once"]
    began = time.perf_counter()
    processes = [
        subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--store", place], stderr=subprocess.DEVNULL
        )
        for _ in range(workers)
    ]
    assert [process.wait() for process in processes] == [0] * workers
    seconds = time.perf_counter() - began
    with open_store(place) as store:
        assert store.upkeep.statistics(now=int(START)).events == EVENTS
    return seconds


def _sources(relays: tuple[str, ...]) -> list[Source]:
    step = (_LAST - _FIRST) // _SLICES + 1
    starts = range(_FIRST, _LAST, step)
    texts = (f'{{"since":{start},"until":{start + step - 1}}}' for start in starts)
    return [Source.parse(SourceKind.FILTER, text, relays=relays) for text in texts]
