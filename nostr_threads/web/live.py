"""What is stored while a page is open, told as server-sent events.

Knows how far each page was told. Knows nothing of what a page does with it.

Any process may write the store: a mirror, a fetch, a bot. Each stream asks it what is new, from
where its page was made, or from where the stream was lost: nothing is missed in between.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds
from nostr_threads.errors import StoreError
from nostr_threads.web.places import thread_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.store.base import Store

__all__ = ["Live"]

# Seconds between two looks at the store, and between two signs of life to a browser.
_PAUSE = 0.5
_BREATH = 15.0
# Events of one look, and ids that are named of a thread.
_AT_ONCE = 1_000
_NAMED = 100
_MOST_STREAMS = 64


class Live:
    """Tells pages of what is stored. `clock` gives unix seconds. `close` ends all streams."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._closing = asyncio.Event()
        self._streams = 0

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [Route("/live", self.listen)]

    def close(self) -> None:
        """End all streams."""
        self._closing.set()

    async def listen(self, request: Request) -> Response:
        """Answer with a stream that begins after `?after=`, or after the last event that came."""
        if request.method == "HEAD":
            return PlainTextResponse("", media_type="text/event-stream")
        if self._streams >= _MOST_STREAMS:
            return PlainTextResponse("too many pages\n", HTTPStatus.SERVICE_UNAVAILABLE)
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        cursor = int(last) if last.isdecimal() and len(last) < 17 else None
        return StreamingResponse(self._stream(cursor), media_type="text/event-stream")

    async def _stream(self, cursor: int | None) -> AsyncIterator[str]:
        self._streams += 1
        try:
            # A browser that lost its stream asks again after so many milliseconds.
            yield "retry: 2000\n\n"
            quiet = 0.0
            while not self._closing.is_set():
                before = cursor
                cursor, threads = await self._after(cursor)
                if threads:
                    yield _frame("stored", cursor, threads)
                    quiet = 0.0
                elif quiet >= _BREATH:
                    yield ": still here\n\n"
                    quiet = 0.0
                if cursor == before:
                    await self._pause()
                    quiet += _PAUSE
        finally:
            self._streams -= 1

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_PAUSE):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _after(self, cursor: int | None) -> tuple[int | None, list[dict[str, object]]]:
        try:
            return await off_loop(self._stored, cursor)
        except StoreError:
            # Busy or gone for a moment: it is asked again.
            return cursor, []

    def _stored(self, cursor: int | None) -> tuple[int, list[dict[str, object]]]:
        """Return how far the store was looked through, and what was stored by thread."""
        stored = self._store.stored_after(cursor, now=self._clock(), most=_AT_ONCE, own=True)
        threads: dict[str, list[str]] = {}
        for event in stored.events:
            root = self._store.thread_root(event.id) or event.id
            ids = threads.setdefault(root, [])
            if event.kind in kinds.WRITTEN:
                ids.append(event.id)
        return stored.cursor, [
            {"root": root, "path": thread_path(root), "count": len(ids), "notes": ids[:_NAMED]}
            for root, ids in threads.items()
        ]


def _frame(kind: str, cursor: int | None, what: object) -> str:
    return f"event: {kind}\nid: {cursor}\ndata: {json.dumps(what)}\n\n"
