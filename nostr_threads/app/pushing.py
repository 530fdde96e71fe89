"""What a source has here and another relay has not, brought to that relay.

Knows what may be passed on (nothing that its author wanted gone, even where the store keeps it),
how fast, and that an OK is no proof. What is missing there is found
out as `syncing` does it, the other way round.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds
from nostr_threads.core.admission import refusal
from nostr_threads.core.coverage import Finish
from nostr_threads.core.delivery import Status
from nostr_threads.core.filters import Filter
from nostr_threads.core.negentropy import Items
from nostr_threads.core.pacing import Pace
from nostr_threads.core.verbs import is_protected
from nostr_threads.core.wire import prefix_of
from nostr_threads.net.info import admission_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from nostr_threads.app.comparing import Comparing
    from nostr_threads.app.documents import Documents
    from nostr_threads.core.admission import Admission
    from nostr_threads.core.event import Verified
    from nostr_threads.core.sources import Source
    from nostr_threads.net.relay import Relay
    from nostr_threads.store.sql import SqlStore

__all__ = ["Pushed", "Pushing"]

# Events that are loaded, sent and read back together, and those under way at once.
_BATCH, _AT_ONCE = 200, 10
# Times that one event is sent to a relay that wants it slower.
_MOST_TRIES = 20
_WORDS = 120


@dataclass(slots=True)
class Pushed:
    """What became of a push. `offered` events were here and might be passed on; `there` were there.

    `taken` were sent and read back. `refused` and `withheld` count events by the reason: what the
    relay said against them, and why they were not even sent. `stopped` is why the rest was not.
    """

    offered: int = 0
    there: int = 0
    taken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def whole(self) -> bool:
        """Whether everything that may be passed on is there."""
        return not self.stopped and not self.refused


class Pushing:
    """Brings what `source` has in the store to `relay`. `own` is whose protected events may go.

    `now` is in unix seconds; `told` is called with what became of it so far.
    """

    def __init__(
        self,
        source: Source,
        relay: Relay,
        store: SqlStore,
        documents: Documents,
        comparing: Comparing,
        *,
        now: int,
        own: str | None = None,
        told: Callable[[Pushed], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._relay = relay
        self._store = store
        self._documents = documents
        self._comparing = comparing
        self._now = now
        self._own = own
        self._told = told
        self._sleep = sleep
        self._result = Pushed()
        self._pace = Pace()
        self._turn = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> Pushed:
        """Bring it there, oldest first. A relay that fails is in the result. `StoreError`."""
        admission = admission_of(await self._documents.of(self._relay.url))
        ids = await off_loop(self._ids)
        self._result.offered = len(ids)
        for batch in _batches(await self._lacking(ids)):
            events = await off_loop(self._load, batch)
            await self._bring([event for event in events if self._may_go(event, admission)])
            self._told(self._result)
            if self._result.stopped:
                break
        return self._result

    def _ids(self) -> list[bytes]:
        """Return the ids of what may be shown to anybody of the source, oldest first."""
        if (condition := self._source.filter) is not None:
            items = self._store.items([condition], now=self._now, strict=True)
        else:
            key = self._source.value
            events = self._store.thread(self._store.thread_root(key) or key)
            wanted = Filter(ids=tuple(event.id for event in events))
            items = self._store.items([wanted], now=self._now, strict=True)
        return [event_id for _, event_id in sorted(items)]

    def _load(self, ids: Sequence[bytes]) -> list[Verified]:
        wanted = Filter(ids=tuple(map(bytes.hex, ids)))
        found = self._store.query([wanted], now=self._now, strict=True)
        return sorted(found, key=lambda event: (event.created_at, event.id))

    def _may_go(self, event: Verified, admission: Admission) -> bool:
        """Whether an event may be passed on, and would be taken."""
        why = ""
        if is_protected(event) and event.pubkey != self._own:
            why = "only its author may send it (NIP-70)"
        elif kinds.is_ephemeral(event.kind):
            why = "no relay keeps it"
        else:
            why = refusal(admission, event, now=self._now).partition(",")[0]
        if why:
            self._result.withheld[why] += 1
        return not why

    # What is missing there

    async def _lacking(self, ids: Sequence[bytes]) -> list[bytes]:
        """Return what the relay lacks, as far as can be told; at worst it is sent what it has."""
        condition = self._source.filter
        has_words = condition is not None and condition.search is not None
        if condition is None or has_words or not await self._comparing.may(self._relay.url):
            return await self._unseen(ids)
        items = Items(await off_loop(self._store.items, [condition], now=self._now, strict=True))
        difference = await self._relay.reconcile(condition, items)
        if difference.finish is not Finish.COMPLETE:
            self._comparing.failed(self._relay.url)
            return await self._unseen(ids)
        missing = set(difference.have)
        there = [each for each in ids if each not in missing]
        # What it says is there is believed where some of it, drawn by lot, is.
        some = Random(len(there)).sample(there, min(len(there), _BATCH))  # noqa: S311 - a sample
        if some and len(await self._held(some)) < len(some):
            return await self._unseen(ids)
        self._result.there = len(there)
        return [each for each in ids if each in missing]

    async def _unseen(self, ids: Sequence[bytes]) -> list[bytes]:
        """Ask for events by their ids; return those that did not come."""
        lacking: list[bytes] = []
        for batch in _batches(ids):
            held = await self._held(batch)
            lacking += [each for each in batch if each.hex() not in held]
        self._result.there = len(ids) - len(lacking)
        return lacking

    async def _held(self, ids: Sequence[bytes]) -> set[str]:
        events = await off_loop(self._load, ids)
        answer = await self._relay.fetch(
            Filter(ids=tuple(map(bytes.hex, ids))), known={event.id: event for event in events}
        )
        if answer.finish is Finish.UNREACHABLE:
            self._stop(answer.reason)
        return {event.id for event in answer.events}

    # Sending

    async def _bring(self, events: Sequence[Verified]) -> None:
        """Send events and read back those that were taken: an OK proves nothing."""
        async with asyncio.TaskGroup() as tasks:
            sending = [tasks.create_task(self._send(event)) for event in events]
        taken = [event for event, task in zip(events, sending, strict=True) if task.result()]
        if not taken or self._result.stopped:
            return
        held = await self._held([bytes.fromhex(event.id) for event in taken])
        self._result.taken += len(held)
        if lost := len(taken) - len(held):
            self._result.refused["it said OK, and does not have it"] += lost

    async def _send(self, event: Verified) -> bool:
        """Send one event; whether the relay says that it has it now."""
        async with self._places:
            for _ in range(_MOST_TRIES):
                await self._keep_pace()
                if self._result.stopped:
                    return False
                status, words = await self._relay.publish(event)
                if status.taken:
                    self._pace = self._pace.taken()
                    return True
                if status is not Status.REJECTED:
                    self._stop(words)
                    return False
                if prefix_of(words) != "rate-limited":
                    self._result.refused[words[:_WORDS] or "it does not say why"] += 1
                    return False
                usual = await self._documents.usual_gap(self._relay.url)
                self._pace = self._pace.refused(words, usual=usual)
            self._stop(f"it wants it slower, again and again: {words[:_WORDS]}")
            return False

    async def _keep_pace(self) -> None:
        clock = asyncio.get_running_loop().time
        async with self._turn:
            if wait := self._pace.wait(clock()):
                await self._sleep(wait)
            self._pace = self._pace.sent(clock())

    def _stop(self, why: str) -> None:
        self._result.stopped = self._result.stopped or why


def _batches(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
