"""When an answer may be sent: the pause after its note, the pace of the bot, the hours of quiet.

Knows waiting. Knows nothing of what is answered.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.core.bots.guards import closed, due

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.core.bots.cases import Wait

__all__ = ["Turns"]

# Seconds until it is looked again whether it is quiet no more, or the kill file is gone.
_NEXT_LOOK = 5.0
# Notes of which it is known to the fraction of a second when they were heard.
_MOST_HEARD = 1_000


class Turns:
    """The turns of the bot of `file`, one after the other. `clock` gives unix seconds."""

    def __init__(self, file: BotFile, clock: Callable[[], int]) -> None:
        self._file = file
        self._clock = clock
        self._gate = asyncio.Lock()
        self._last: float | None = None
        self._heard: dict[str, float] = {}

    def heard(self, event_id: str) -> None:
        """Note that a note was heard just now."""
        self._heard[event_id] = asyncio.get_running_loop().time()
        if len(self._heard) > _MOST_HEARD:
            # The record says it, too, only less exactly.
            del self._heard[next(iter(self._heard))]

    def over(self, event_id: str) -> None:
        """Forget a note: it is answered, or will not be."""
        self._heard.pop(event_id, None)

    async def wait(self, event_id: str, seen_at: int) -> None:
        """Wait until that note may be answered, and those before it are.

        `seen_at` (unix seconds) is when it was heard, if that was in an earlier life.
        """
        loop, limits = asyncio.get_running_loop(), self._file.limits
        async with self._gate:
            # By whole seconds: it may be almost one less.
            waited = max(0, self._clock() - seen_at - 1)
            heard_at = self._heard.get(event_id, loop.time() - waited)
            at = due(heard_at, self._last, pause=limits.pause, pace=self._file.pace)
            await asyncio.sleep(max(0.0, at - loop.time()))  # the pause itself
            self._last = loop.time()

    async def opened(self, tell: Callable[[Wait], None]) -> None:
        """Wait while nothing is answered at all, and tell why."""
        told = ""
        while (wait := self._closed()) is not None:
            if wait.why != told:
                tell(wait)
            told = wait.why
            await asyncio.sleep(_NEXT_LOOK)  # the kill file may be gone before that

    def is_stopped(self) -> bool:
        """Whether the kill file is there."""
        if not self._file.kill_file:
            return False
        try:
            return Path(self._file.kill_file).exists()
        except OSError:
            # Where nobody may look, whoever wants the bot silent may have put it.
            return True

    def _closed(self) -> Wait | None:
        return closed(self._file.limits, now=self._clock(), is_stopped=self.is_stopped())
