"""What bots have done, from their record, as a file of metrics.

Knows which figures are whose, and that a reader never finds half a file. The format is
`core.bots.metrics`'s.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from nostr_threads.core.bots.metrics import Figures, exposition
from nostr_threads.errors import InvalidInput
from nostr_threads.store.bots import State

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.store.bots import Bots, RecordedBot

__all__ = ["MetricsFile", "figures_of"]

_WAITING = (State.SEEN, State.ANSWERING)


def figures_of(record: Bots, bot: RecordedBot, *, now: int) -> Figures:
    """Return the figures of a bot at `now` (unix seconds)."""
    by_state: Counter[State] = Counter()
    skipped: Counter[str] = Counter()
    for (state, guard), count in record.counts(bot).items():
        by_state[state] += count
        if state is State.SKIPPED:
            skipped[guard] += count
    seconds, answered = record.latencies(bot)
    return Figures(
        bot.name,
        now,
        answered=answered,
        delivered=by_state[State.DELIVERED],
        failed=by_state[State.FAILED],
        waiting=sum(by_state[state] for state in _WAITING),
        seconds=seconds,
        skipped=skipped,
    )


class MetricsFile:
    """Keeps the figures of bots in a file, for node_exporter's textfile collector."""

    def __init__(self, path: Path, record: Bots) -> None:
        self._path = path
        self._record = record
        self._figures: dict[str, Figures] = {}

    def write(self, bot: RecordedBot, *, now: int) -> None:
        """Write the file anew, with what is on record of `bot`. Raises `InvalidInput`."""
        self._figures[bot.name] = figures_of(self._record, bot, now=now)
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            new.write_text(exposition(list(self._figures.values())), encoding="utf-8")
            new.replace(self._path)
        except OSError as error:
            raise InvalidInput(f"cannot write {self._path}: {error.strerror or error}") from None
