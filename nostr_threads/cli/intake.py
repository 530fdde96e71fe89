"""One `mirror import` from its files to its exit code: the bar meanwhile, the report at the end.

Knows words and a terminal. How anything is read or verified is known in `app.ingest`.
"""

from __future__ import annotations

import gc
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from nostr_threads.app.ingest import Counts, Ingest, processes_for
from nostr_threads.cli.console import bars, emit_json, say
from nostr_threads.cli.reports import INCOMPLETE, NOTHING_ACCEPTED, counted
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress

    from nostr_threads.app.blocks import Source
    from nostr_threads.app.ingest import Refusal

__all__ = ["Intake"]

# Refusals that are named; the others are only counted.
_NAMED = 100
_REASON = 200
# Of a block there are lists and tuples by the hundred thousand and no cycles among them: to look
# for some each time costs a tenth of all.
_COLLECT_AFTER = 200_000
# The system keeps the file in memory as well; twice as much here makes nothing faster.
_CACHE_MIB = 32


class Intake:
    """Files on their way into the store, and what became of their lines."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.counts = Counts()
        self._sources = sources
        self._named: list[Refusal] = []
        self._seconds = 0.0

    def run(self, store: str | None, *, relay: str | None, dry_run: bool) -> None:
        """Take all files, one after the other; `relay` is where they were seen."""
        gc.set_threshold(_COLLECT_AFTER)
        began = time.monotonic()
        try:
            with ExitStack() as stack:
                ingest = stack.enter_context(self._ingest(stack, store, relay, dry_run))
                shown = stack.enter_context(bars())
                for source in self._sources:
                    ingest.take(source, _progress(shown, source, ingest.counts))
        except KeyboardInterrupt:
            say("interrupted: what was stored stays, and the same command goes on from there")
            raise
        finally:
            self._seconds = time.monotonic() - began

    def _ingest(
        self, stack: ExitStack, named: str | None, relay: str | None, dry_run: bool
    ) -> Ingest:
        from nostr_threads.app.places import store_path
        from nostr_threads.store.opening import open_store

        path = named or store_path(os.environ)
        store = None if dry_run else stack.enter_context(open_store(path, cache_mib=_CACHE_MIB))
        ingest = Ingest(
            store,
            None if dry_run else path,
            processes=processes_for(os.cpu_count() or 1, is_stored=not dry_run),
            relay=relay,
            now=int(time.time()),
            refused=self._note,
        )
        self.counts = ingest.counts
        return ingest

    def _note(self, refusal: Refusal) -> None:
        if len(self._named) < _NAMED:
            self._named.append(refusal)

    @property
    def exit_code(self) -> int:
        """The one of docs/cli.md."""
        torn = any(source.torn for source in self._sources)
        if not self.counts.refused and not torn:
            return 0
        taken = self.counts.known + self.counts.verified
        return INCOMPLETE if taken else NOTHING_ACCEPTED

    def show(self, *, as_json: bool) -> None:
        """Write the report: what was refused, and how many of everything."""
        for refusal in self._named:
            say(f"{refusal.file}:{refusal.line}: {one_line(refusal.reason, _REASON)}")
        if (more := self.counts.refused - len(self._named)) > 0:
            say(f"and {counted(more, 'more line')} refused")
        for source in self._sources:
            if source.torn:
                say(f"{source.name}: {source.torn}; what came before was taken")
        if as_json:
            emit_json(self._object())
        else:
            say(", ".join(self._words()))

    def _words(self) -> Iterator[str]:
        counts = self.counts
        # In a dry run nothing becomes new or known; otherwise one of them may be verified, too.
        events = counts.new + counts.known or counts.verified
        yield f"{counted(events, 'event')}: {counts.new} new"
        if counts.hidden:
            yield f"{counts.hidden} of them replaced or deleted"
        yield f"{counts.known} known"
        yield f"{counts.verified} verified"
        if counts.refused:
            yield f"{counted(counts.refused, 'line')} refused"
        yield f"{self._seconds:.1f} s"

    def _object(self) -> dict[str, object]:
        counts = self.counts
        return {
            "new": counts.new,
            "hidden": counts.hidden,
            "known": counts.known,
            "verified": counts.verified,
            "refused": counts.refused,
            "refusals": [
                {"file": each.file, "line": each.line, "reason": each.reason}
                for each in self._named
            ],
            "torn": [
                {"file": source.name, "reason": source.torn}
                for source in self._sources
                if source.torn
            ],
            "bytes": sum(source.position for source in self._sources),
            "seconds": round(self._seconds, 3),
        }


def _progress(shown: Progress, source: Source, counts: Counts) -> Callable[[], None]:
    """Return what moves the bar of one file."""
    task = shown.add_task(one_line(source.name, 60), total=source.total or None, words="")
    began, before = time.monotonic(), counts.known + counts.verified

    def move() -> None:
        events = counts.known + counts.verified - before
        rate = events / max(time.monotonic() - began, 0.001)
        words = f"{source.position / 1e6:,.1f} MB, {events:,} events, {rate:,.0f} a second"
        shown.update(task, completed=source.position, words=words)

    return move
