"""Threads looked for at relays because somebody in the browser asks for it.

Knows how many may be looked for at once, and for how long. How it is done is `app.fetch`'s.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.routing import Route

from nostr_threads.web.bodies import body_of, text_in
from nostr_threads.web.forms import json
from nostr_threads.web.places import key_of, note_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.app.client import Nostr

__all__ = ["Fetching"]

_AT_ONCE = 2
# Seconds: whoever waits longer asks again, and goes on from there.
_PATIENCE = 60.0


class Fetching:
    """Fetches threads with `nostr`, at `relays` or else where that looks."""

    def __init__(self, nostr: Nostr, relays: Sequence[str] = ()) -> None:
        self._nostr = nostr
        self._relays = tuple(relays)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [Route("/fetch", self.fetch, methods=["POST"])]

    async def fetch(self, request: Request) -> Response:
        """Look for the thread around `code`, keep it, and say how whole it is."""
        code = text_in(await body_of(request), "code")
        async with self._turn:
            found = await self._nostr.fetch(code, relays=self._relays, seconds=_PATIENCE)
        return json(
            {
                "href": note_path(key_of(code)),
                "found": found.thread.found,
                "missing": len(found.thread.missing),
                "relays": len(found.coverage.relays),
                "unsure": len(found.coverage.unsure),
                "whole": found.whole,
            }
        )
