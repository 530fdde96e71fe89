"""A thread built of its events: ten times the notes, and a chain as deep as it has notes.

The time of one note should not grow with the thread, and not with its depth either.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.events import chain, crowd
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified

ROUNDS = 5


def run(rounds: int) -> None:
    """Measure, and print the table."""
    small, large, deep = crowd(10_000), crowd(100_000), chain(10_000)
    seconds = in_turn(
        {
            "10,000 notes": lambda: _build(small),
            "100,000 notes": lambda: _build(large),
            "10,000 notes, each under the last": lambda: _build(deep),
        },
        rounds,
    )
    table(seconds, unit="ms")
    of_small, of_large, of_deep = seconds.values()
    ratio("100,000 / 10,000 notes", of_large, of_small, "about 10")
    ratio("deep / wide", of_deep, of_small, "about 1")


def _build(events: Sequence[Verified]) -> float:
    began = time.perf_counter()
    thread = Thread.build(events, root=events[0].id, now=events[-1].created_at)
    seconds = time.perf_counter() - began
    assert len(list(thread.events)) == len(events)
    return seconds
