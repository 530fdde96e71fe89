"""One open socket: its conversation, and what is on its way through it.

Knows how much of what may be held for one client. Knows nothing of other clients.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from nostr_threads.core.messages import Delivered
from nostr_threads.core.wire import encode
from nostr_threads.relayd.conversation import HangUp
from nostr_threads.relayd.outbox import Outbox
from nostr_threads.relayd.turns import Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from websockets.asyncio.server import ServerConnection

    from nostr_threads.relayd.conversation import Conversation, Frame

__all__ = ["Visitor"]

_log = logging.getLogger(__name__)

# Bytes. Of an answer so much is in the outbox and as much read ahead, and a frame beside each.
_ANSWERS_WAITING = 2**15
_READ_AHEAD = 2**14
# Those who hear the same live events share them: it is not so much for each.
_LIVE_WAITING = 2**22
# What a frame takes beside its text.
_FRAME = 256


class Visitor:
    """One client, as the server sees it; `share` is what it has had of the threads."""

    def __init__(self, socket: ServerConnection, conversation: Conversation) -> None:
        self.socket = socket
        self.conversation = conversation
        self.share = Share()
        self.outbox: Outbox[Frame] = Outbox(
            answers=_ANSWERS_WAITING, live=_LIVE_WAITING, size=_size
        )
        self._answer: Iterator[Frame] = iter(())

    async def hear(self) -> bytes:
        """Wait for the next message."""
        # Piece by piece: kept apart, a message in a million of them takes a hundred times its size.
        message = bytearray()
        async for piece in self.socket.recv_streaming(decode=False):
            message += piece
        return bytes(message)

    def answer(self, frames: Iterable[Frame]) -> None:
        """Begin with the answer to a message: `more` reads it."""
        self._answer = iter(frames)

    def more(self) -> tuple[Sequence[Frame], bool]:
        """Return the next frames of the answer, ready to be sent; whether there are others.

        Runs in a thread: it reads the store.
        """
        frames: list[Frame] = []
        size = 0
        for frame in self._answer:
            frames.append(_ready(frame))
            size += _size(frames[-1])
            if size >= _READ_AHEAD:
                return frames, True
        return frames, False

    def push(self, frames: Sequence[Frame]) -> None:
        """Queue live frames; cut the connection when too many wait already."""
        if self.socket.transport.is_closing():
            return
        if not self.outbox.push(frames):
            _log.warning("cut a client off: %d messages waited unread", len(self.outbox))
            self.cut()

    async def send(self, frame: Frame) -> None:
        """Send one frame, or hang up."""
        ready = _ready(frame)
        if isinstance(ready, str | bytes):
            await self.socket.send(ready)
        else:
            # Not `cut`: what was sent before is to arrive.
            self.socket.transport.close()
            await self.socket.wait_closed()

    def cut(self) -> None:
        """End the connection at once: the reader and the writer both wake up to find it gone."""
        self.socket.transport.abort()


def _ready(frame: Frame) -> str | bytes | HangUp:
    return frame if isinstance(frame, str | bytes | HangUp) else encode(frame)


def _size(frame: Frame) -> int:
    """Return about how many bytes a frame takes."""
    match frame:
        case str() | bytes():
            return sys.getsizeof(frame)
        case Delivered(_, event):
            tags = sum(len(value) for tag in event.tags for value in tag)
            return _FRAME + len(event.content) + tags
    return _FRAME
