"""A file of events taken into PostgreSQL, by one process and by two, against the bare check.

Bare is what `benchmarks.mirror` measures: signatures checked on one core, and nothing else done.
`imported` is `nostr-threads mirror import` into new tables of a server on this machine, with its
usual settings: on the disk when it is over. Its processes, the server's among them, share the cores
with each other. `two at once` are two such imports, each of one half of the file, into the same
tables; one writes while the other checks. `as SQLite` is the same file into an SQLite store.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.archive import archive
from benchmarks.mirror import checked_bare, first_lines, imported
from benchmarks.timing import in_turn, ratio, table
from tests.store.postgres_server import PostgresServer

ROUNDS = 5
EVENTS = 100_000
# Events of one job that is not an import.
_SOME = 10_000


def run(rounds: int) -> None:
    """Measure, and print the table."""
    path = archive(EVENTS)
    with tempfile.TemporaryDirectory() as folder, PostgresServer(settings=()) as server:
        imports = _Imports(path, Path(folder), server)
        seconds = in_turn(
            {
                "bare": partial(checked_bare, first_lines(path, _SOME)),
                "imported as SQLite": imports.file,
                "imported": imports.one,
                "imported again": imports.again,
                "two at once": imports.two,
            },
            rounds,
        )
    table(seconds, unit="us", per=_SOME)
    alone, file, one, again, two = seconds.values()
    print("  rate / bare rate")
    ratio("imported as SQLite", alone, file, "")
    ratio("imported", alone, one, "at least 0.35")
    ratio("imported again", alone, again, "at least 2.0")
    ratio("two at once", alone, two, "at least 0.35")


class _Imports:
    """Imports of one file; each returns the seconds that `_SOME` events took."""

    def __init__(self, path: Path, folder: Path, server: PostgresServer) -> None:
        self._path = path
        self._folder = folder
        self._server = server
        self._place = ""
        lines = path.read_bytes().splitlines(keepends=True)
        self._halves = (folder / "first.jsonl", folder / "second.jsonl")
        for half, each in zip(self._halves, (lines[::2], lines[1::2]), strict=True):
            half.write_bytes(b"".join(each))

    def file(self) -> float:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            return self._of_all(imported(self._path, f"{folder}/t.db", EVENTS, again=False).seconds)

    def one(self) -> float:
        self._place = self._server.place()
        return self._of_all(imported(self._path, self._place, EVENTS, again=False).seconds)

    def again(self) -> float:
        return self._of_all(imported(self._path, self._place, EVENTS, again=True).seconds)

    def two(self) -> float:
        place = self._server.place()
        take = partial(imported, store=place, events=EVENTS // 2, again=False)
        with ThreadPoolExecutor(2) as pool:
            return self._of_all(max(each.seconds for each in pool.map(take, self._halves)))

    def _of_all(self, seconds: float) -> float:
        return seconds * _SOME / EVENTS
