"""Which of the events that came are what they say: two threads at work, the event loop kept free.

Knows how to share the work. What makes an event true is known in `core.event`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from nostr_threads.core.event import verify
from nostr_threads.errors import InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from nostr_threads.core.event import Event, Verified

__all__ = ["verified"]

# To wake a thread costs as much as checking a few events.
_WORTH_SHARING = 200
# Taken at a time by either thread: the one that is done first waits for the other's last.
_CHUNK = 8
_SLICE_SECONDS = 0.008

# One for all relays: with more than two threads they only wait for each other.
_helper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verifying")


async def verified(
    events: Sequence[Event], known: MutableMapping[str, Verified] | None = None
) -> tuple[tuple[Verified, ...], int, bool]:
    """Return the events that are what they say, once each, how many are not, and if any is lost.

    An id counts as seen only once an event with that id was verified: a forged copy that comes
    first must not hide the honest one. An id of which only forged copies came is lost. What is in
    `known` (ids to events) is not checked again; what is verified here is added to it.
    """
    known = {} if known is None else known
    batch = _Batch(events, known)
    await _work_off(batch)
    good = {
        verdict.id: known.setdefault(verdict.id, verdict)
        for verdict in batch.verdicts
        if verdict is not None
    }
    refused = batch.verdicts.count(None)
    is_lost = refused > 0 and not all(event.id in good for event in events)
    return tuple(good.values()), refused, is_lost


async def _work_off(batch: _Batch) -> None:
    """Work in slices, with the loop's turn between them; the helper works all the time."""
    helping = _helper.submit(batch.work) if batch.waiting >= _WORTH_SHARING else None
    try:
        while not batch.work(_SLICE_SECONDS):  # noqa: ASYNC110 - a turn for others, no waiting
            await asyncio.sleep(0)  # between two slices the loop serves everybody else
    finally:
        batch.stop()
        # One that has not begun is not waited for: it may be busy with another batch.
        if helping is not None and not helping.cancel():
            await asyncio.wrap_future(helping)


class _Batch:
    """Events and what is found of each: itself, or None for one that is not what it says.

    `work` may run in two threads at once: a chunk is taken in one step, and each event has a place
    of its own for its verdict.
    """

    def __init__(self, events: Sequence[Event], known: Mapping[str, Verified]) -> None:
        self.verdicts: list[Verified | None] = [known.get(event.id) for event in events]
        self._events = events
        self._good: dict[str, Verified] = {}
        open_ones = [
            place for place, event in enumerate(events) if event is not self.verdicts[place]
        ]
        self.waiting = len(open_ones)
        self._chunks = deque(
            open_ones[start : start + _CHUNK] for start in range(0, self.waiting, _CHUNK)
        )

    def work(self, seconds: float = float("inf")) -> bool:
        """Check events for so long; whether all are taken, by this thread or the other."""
        end = time.perf_counter() + seconds
        while True:
            try:
                chunk = self._chunks.popleft()
            except IndexError:
                return True
            for place in chunk:
                self.verdicts[place] = self._check(self._events[place], self.verdicts[place])
            if time.perf_counter() >= end:
                return not self._chunks

    def stop(self) -> None:
        """Leave what nobody has taken yet."""
        self._chunks.clear()

    def _check(self, event: Event, known: Verified | None) -> Verified | None:
        same = self._good.get(event.id, known)
        if same is not None and event == same:
            return same
        try:
            self._good[event.id] = good = verify(event)
        except InvalidEvent:
            return None
        return good
