"""What is on its way to one client: bounded, whatever the client asks for and however it reads.

Knows how much may wait. Knows nothing of sockets, nor of what is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Outbox"]

Frame = TypeVar("Frame")


class Outbox(Generic[Frame]):
    """A queue with two doors: answers wait for room, live events are turned away.

    A client that does not read can be made to wait for its answers, since it asked for them;
    whoever published a live event cannot be made to wait for a stranger. At either door there is
    room while what came through it and waits is less than `answers` or `live`, each frame counting
    as `size` says: so it is never more than one frame above. One task puts answers, one takes; any
    may push.
    """

    def __init__(self, *, answers: int, live: int, size: Callable[[Frame], int]) -> None:
        self._frames: deque[tuple[Frame, bool]] = deque()
        self._answers_room = answers
        self._live_room = live
        self._size = size
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    def __len__(self) -> int:
        return len(self._frames)

    async def put(self, frames: Iterable[Frame]) -> None:
        """Add answers, in order, each as soon as there is room for it."""
        for frame in frames:
            while self._answers_room <= 0:
                self._emptied.clear()
                await self._emptied.wait()
            self._answers_room -= self._size(frame)
            self._add(frame, live=False)

    def push(self, frames: Iterable[Frame]) -> bool:
        """Add live frames at once; False, and the rest dropped, when they do not fit."""
        for frame in frames:
            if self._live_room <= 0:
                return False
            self._live_room -= self._size(frame)
            self._add(frame, live=True)
        return True

    async def take(self) -> Frame:
        """Wait for the next frame, whichever door it came through."""
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        frame, live = self._frames.popleft()
        if live:
            self._live_room += self._size(frame)
        else:
            self._answers_room += self._size(frame)
            self._emptied.set()
        return frame

    def _add(self, frame: Frame, *, live: bool) -> None:
        self._frames.append((frame, live))
        self._filled.set()
