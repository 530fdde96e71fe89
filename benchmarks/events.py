"""The events that the benchmarks work on: the same each time, made once.

Knows their shapes and where they are kept. Knows nothing of who uses them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from nostr_threads.core.event import Event, Verified
from nostr_threads.testing import START, Author, thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["THREAD_NOTES", "chain", "crowd", "other_events", "sides", "thread_of"]

THREAD_NOTES = 5_000

# Changed when what is made below changes: what was kept before is then made anew.
_EDITION = 1


def thread_of(notes: int, *, authors: int = 300, depth: int = 5) -> list[Verified]:
    """A thread as large ones are: many authors, wide and not deep, some six tags on a note.

    Tags are what costs after signatures: each answer names everybody who is above it.
    """
    return _kept(
        f"thread-{notes}-{authors}-{depth}",
        lambda: thread(notes, authors=authors, depth=depth, seed=7),
    )


def other_events(count: int = 50_000) -> list[Verified]:
    """Notes of other threads, each of ten notes."""
    return _kept(f"others-{count}", lambda: _others(count))


def crowd(notes: int) -> list[Verified]:
    """A thread of bare notes, a hundred under each: quick to make, and wide."""
    return _kept(f"crowd-{notes}", lambda: _answers(notes, lambda number: (number - 1) // 100))


def chain(notes: int) -> list[Verified]:
    """A thread in which each note answers the one before."""
    return _kept(f"chain-{notes}", lambda: _answers(notes, lambda number: number - 1))


def sides(count: int) -> tuple[list[Verified], list[Verified]]:
    """What a client and a relay have of so many notes: one in a hundred is at one of them only."""
    events = other_events(100_000)[:count]
    client = [event for number, event in enumerate(events) if number % 200 != 100]
    relay = [event for number, event in enumerate(events) if number % 200]
    return client, relay


def _others(count: int) -> list[Verified]:
    random = Random(1)  # noqa: S311 - the same events each time is what it is for
    people = [Author(b"other %d" % number) for number in range(300)]
    made: list[Verified] = []
    for number in range(count):
        author, text = random.choice(people), f"other {number} " + "x" * random.randrange(200)
        # All of them before the thread, so that its pages are found among them.
        when = START - 10 * count + 10 * number
        if number % 10:
            made.append(author.reply(made[number - number % 10], text, when))
        else:
            made.append(author.note(text, when))
    return made


def _answers(notes: int, parent: Callable[[int], int]) -> list[Verified]:
    people = [Author(b"crowd %d" % number) for number in range(100)]
    made = [people[0].note("root")]
    root = made[0].id
    for number in range(1, notes):
        above = made[parent(number)].id
        tags = (("e", root, "", "root"), ("e", above, "", "reply"))
        made.append(people[number % 100].note(f"note {number}", START + number, tags))
    return made


def _kept(name: str, make: Callable[[], Iterable[Verified]]) -> list[Verified]:
    folder = Path(tempfile.gettempdir()) / "nostr-threads-benchmarks"
    path = folder / f"{name}.{_EDITION}.jsonl"
    if not path.exists():
        print(f"  making {name}, once", file=sys.stderr)
        folder.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text("".join(f"{event.to_json()}\n" for event in make()), "utf-8")
        unfinished.replace(path)
    # They were verified when they were made.
    return [Verified(Event.from_json(line)) for line in path.read_text("utf-8").splitlines()]
