"""Files of events brought into the store: read, skipped or verified, and kept, all at once.

Knows who does what meanwhile. This thread reads, other processes leave out what is known and verify
the rest, and another thread writes; whoever is ahead waits for the others, so that a file may be
longer than any memory.

A line that claims an id whose event is stored is skipped: that event was verified once, and
whatever else the line may be, to keep it would change nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from nostr_threads.app.checkers import Checkers
from nostr_threads.app.taking import Counts, Refusal, Taker, Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from nostr_threads.app.blocks import Block, Source
    from nostr_threads.store.base import Store

__all__ = ["Counts", "Ingest", "Refusal", "processes_for"]

# One thread writes: more than twice what it can keep up with is of no use.
_MOST_BESIDE_WRITING = 2
_MOST = 8
# Bytes that take longer to check than to hand over. To start a process takes longer than a file
# that is smaller than a block.
_WORTH_A_PROCESS = 128 * 1024


def processes_for(cores: int, *, is_stored: bool) -> int:
    """Return how many processes are to verify on a machine with so many cores."""
    return max(1, min(cores - 1, _MOST_BESIDE_WRITING)) if is_stored else min(cores, _MOST)


class Ingest:
    """Takes files into `store`; only verifies them when that is None.

    `path` is where the database is, for `processes` that look there for what is known; with 0 of
    them, all is done here. `relay` (a normalised URL, or None) is where it all was seen, at `now`
    (unix seconds). `refused` is told of each line that is not taken, in order, from another thread.

    A context manager: at its end what was taken is on the disk, unless an error ends it; then it is
    in the store as far as it was written. Raises `StoreError` there or from `take`.
    """

    def __init__(
        self,
        store: Store | None,
        path: Path | str | None = None,
        *,
        processes: int = 0,
        relay: str | None = None,
        now: int,
        refused: Callable[[Refusal], None] = lambda _: None,
    ) -> None:
        self._checkers = Checkers(processes, store=path, relay=relay)
        self._taker = Taker(store, relay=relay, now=now, refused=refused)
        self._open = ExitStack()

    @property
    def counts(self) -> Counts:
        """What became of the lines so far."""
        return self._taker.counts

    def take(self, source: Source, progress: Callable[[], None] = lambda: None) -> None:
        """Take one file; `progress` is told after each block. Raises `OSError`, `StoreError`."""
        for block in source.blocks():
            self._taker.put(self._begun(source.name, block))
            progress()

    def _begun(self, name: str, block: Block) -> Work:
        is_worth = len(block.data) >= _WORTH_A_PROCESS
        return Work(name, block, self._checkers.give(block.data) if is_worth else None)

    def __enter__(self) -> Self:
        self._open.enter_context(self._checkers)
        self._open.enter_context(self._taker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)
