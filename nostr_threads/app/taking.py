"""Verified lines written to the store in large transactions, by a thread of its own.

Knows what becomes of each line, and counts it. Who verifies, and how, is not its business.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Queue
from typing import TYPE_CHECKING

from nostr_threads.app.checking import check
from nostr_threads.core.event import Verified
from nostr_threads.core.lines import event_of
from nostr_threads.store.base import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set
    from types import TracebackType
    from typing import Self

    from nostr_threads.app.blocks import Block
    from nostr_threads.app.checking import Verdict
    from nostr_threads.store.base import Store

__all__ = ["Counts", "Refusal", "Taker", "Work"]

# Blocks that may wait: enough for the time of one transaction.
_WAITING = 72
# Of one transaction. The ids in it lie all over the indices of a large store: the more it holds,
# the less often each of their pages is written.
_BATCH_EVENTS = 20_000
# The first ones hold less, or there would be nothing to write for a long time.
_FIRST_EVENTS = 2_500
_BATCH_BYTES = 20 * 2**20
_TOO_LONG = "longer than 4 MiB"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken: its file, its number (from 1), and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Work:
    """A block of one file under way, and who is checking it; None for nobody yet."""

    file: str
    block: Block
    answer: Callable[[], Verdict | None] | None

    def verdict(self) -> Verdict | None:
        """Wait for what is found; None when nobody could check it."""
        return None if self.answer is None else self.answer()


@dataclass(slots=True)
class Counts:
    """What became of the lines so far.

    `known` were skipped, or turned out to be there. `verified` were checked here. `new` are stored
    since, and `hidden` those of them that are superseded or deleted. `refused` are no events.
    """

    known: int = 0
    verified: int = 0
    new: int = 0
    hidden: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Batch:
    events: list[Verified] = field(default_factory=list)
    size: int = 0


class Taker:
    """Takes works in order and keeps what is true of them; see `Ingest` for its parameters."""

    def __init__(
        self,
        store: Store | None,
        *,
        relay: str | None,
        now: int,
        refused: Callable[[Refusal], None],
    ) -> None:
        self.counts = Counts()
        self._store = store
        self._relay = relay
        self._now = now
        self._refused = refused
        self._batch = _Batch()
        self._works: Queue[Work | None] = Queue(_WAITING)
        self._failure: BaseException | None = None
        self._is_over = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="taking")
        self._run: Future[None] = Future()

    def put(self, work: Work) -> None:
        """Hand on a block; waits while too many do. Raises what ended the writing."""
        if self._failure is not None:
            raise self._failure
        self._works.put(work)

    def __enter__(self) -> Self:
        self._run = self._thread.submit(self._take_all)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was not verified yet is dropped when an error ends it.
        self._is_over = error is not None
        self._works.put(None)
        self._thread.shutdown()
        if error is None:
            self._run.result()

    def _take_all(self) -> None:
        works = iter(self._works.get, None)
        try:
            for work in works:
                if not self._is_over:
                    self._take(work)
        except BaseException as error:
            self._failure = error
            # Or whoever hands on waits for ever, and those who check wait for their reader.
            for work in works:
                work.verdict()
            raise
        self._store_batch()
        if self._store is not None:
            self._store.flush()

    def _take(self, work: Work) -> None:
        if work.block.is_too_long:
            self._refuse(work, 0, _TOO_LONG)
            return
        lines = work.block.lines()
        verdict = work.verdict() or check(lines, self._known)
        for place, reason in verdict.faults:
            self._refuse(work, place, reason)
        self.counts.known += verdict.known
        self.counts.verified += verdict.verified
        if self._store is not None:
            for start, end in verdict.good:
                self._collect(lines[start:end])

    def _known(self, ids: Set[str]) -> Set[str]:
        return set() if self._store is None else self._store.known(ids, relay=self._relay)

    def _refuse(self, work: Work, place: int, reason: str) -> None:
        self.counts.refused += 1
        self._refused(Refusal(work.file, work.block.first + place, reason))

    def _collect(self, lines: Iterable[bytes]) -> None:
        """Add verified lines to the batch, and store it whenever it is full."""
        for line in lines:
            # These very bytes were verified, in whichever process that was.
            self._batch.events.append(Verified(event_of(line)))
            self._batch.size += len(line)
            if self._is_full():
                self._store_batch()

    def _is_full(self) -> bool:
        most = min(max(self.counts.new, _FIRST_EVENTS), _BATCH_EVENTS)
        return len(self._batch.events) >= most or self._batch.size >= _BATCH_BYTES

    def _store_batch(self) -> None:
        batch, self._batch = self._batch.events, _Batch()
        if self._store is None or not batch:
            return
        became = self._store.add(batch, relay=self._relay, now=self._now)
        known = became.count(Added.KNOWN)
        self.counts.known += known
        self.counts.new += len(became) - known
        self.counts.hidden += len(became) - known - became.count(Added.NEW)
