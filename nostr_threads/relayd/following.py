"""What is stored while clients listen, whoever stores it: given to those who asked for it.

Knows where the store ended when it was last looked at. Knows nothing of sockets.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from nostr_threads.relayd.conversation import Frame
    from nostr_threads.relayd.visitor import Visitor
    from nostr_threads.store.base import Store

__all__ = ["Follower"]

_log = logging.getLogger(__name__)

# Events that are looked at in one step, and the pause between two: 2,000 a second at most, which
# whoever reads at all can take.
_AT_ONCE = 100
_PAUSE = 0.05


class Follower:
    """Looks into `store` every `seconds`, and at once after `wake`. `clock` tells unix seconds."""

    def __init__(self, store: Store, *, seconds: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._woken = asyncio.Event()
        self._cursor: int | None = None

    def wake(self) -> None:
        """Say that something was stored."""
        self._woken.set()

    async def run(self, visitors: Collection[Visitor]) -> None:
        """Go on until cancelled; `visitors` are those who are there at each moment."""
        while True:
            self._woken.clear()
            before = self._cursor
            for visitor, frames in await asyncio.to_thread(self._look, tuple(visitors)):
                visitor.push(frames)
            if before is not None and self._cursor != before:
                await asyncio.sleep(_PAUSE)  # so that whoever reads keeps up
                continue
            try:
                async with asyncio.timeout(self._seconds):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def _look(self, visitors: Sequence[Visitor]) -> list[tuple[Visitor, Sequence[Frame]]]:
        """Return what the next events are to whom; runs in a thread, as it may be much to match."""
        # With nobody there, what is stored is passed over.
        begun = self._cursor if visitors else None
        try:
            found = self._store.stored_after(begun, now=int(self._clock()), most=_AT_ONCE)
        except StoreError as error:
            _log.error("what is stored cannot be followed: %s", error)
            return []
        self._cursor = found.cursor
        heard = (
            (visitor, visitor.conversation.broadcast(event))
            for event in found.events
            for visitor in visitors
        )
        return [(visitor, frames) for visitor, frames in heard if frames]
