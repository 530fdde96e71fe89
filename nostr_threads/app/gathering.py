"""Events that a relay names, got from it by their ids, a few questions at a time.

Knows what need not be asked for: what came from another relay meanwhile, and what was purged.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.net.relay import Relay
    from nostr_threads.store.sql import SqlStore

__all__ = ["Gathering"]

# Ids in a question, and questions under way: while one answer is stored the next is on its way.
_IDS, _AT_ONCE = 500, 2
# Times that one question is asked again after the connection was lost in it.
_MOST_LOSSES = 3


class Gathering:
    """Gets events that match `condition` from `relay`; `keep` stores what came."""

    def __init__(
        self,
        condition: Filter,
        relay: Relay,
        store: SqlStore,
        keep: Callable[[Sequence[Verified]], Awaitable[None]],
    ) -> None:
        self._condition = condition
        self._relay = relay
        self._store = store
        self._keep = keep
        self._missing = 0
        self._failed: tuple[Finish, str] | None = None

    async def run(self, ids: Sequence[bytes]) -> tuple[Finish, str]:
        """Get what is not here yet; return how it ended: COMPLETE once all of it is here."""
        chunks = [ids[start : start + _IDS] for start in range(0, len(ids), _IDS)]
        # Several relays name the same: each begins elsewhere, and finds the rest done.
        Random(self._relay.url).shuffle(chunks)  # noqa: S311 - nothing secret
        waiting = iter(chunks)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(self._work(waiting))
        if self._failed is not None:
            return self._failed
        if self._missing:
            return (
                Finish.LIMITED,
                f"it names {self._missing} events that it does not send, or that are others",
            )
        return Finish.COMPLETE, ""

    async def _work(self, waiting: Iterator[Sequence[bytes]]) -> None:
        for chunk in waiting:
            if self._failed is not None:
                return
            ids = await off_loop(self._wanted, [each.hex() for each in chunk])
            if ids:
                await self._get(ids)

    async def _get(self, ids: tuple[str, ...]) -> None:
        answer = await self._relay.fetch(Filter(ids=ids))
        for _ in range(_MOST_LOSSES):
            if answer.finish is not Finish.LOST:
                break
            await self._keep(self._wanted_of(answer.events))
            answer = await self._relay.fetch(Filter(ids=ids))
        events = self._wanted_of(answer.events)
        await self._keep(events)
        self._missing += len(set(ids).difference(event.id for event in events))
        if answer.finish is not Finish.COMPLETE:
            self._failed = answer.finish, answer.reason

    def _wanted_of(self, events: Sequence[Verified]) -> list[Verified]:
        """Leave out what a relay has named although nobody asked for such a thing."""
        return [event for event in events if self._condition.matches(event)]

    def _wanted(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Leave out what is here by now, and what is not to come back."""
        done = self._store.known(ids) | self._store.upkeep.purged(ids)
        return tuple(each for each in ids if each not in done)
