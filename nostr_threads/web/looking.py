"""What whoever reads tells the viewer: that they have looked at something, and who they are.

Knows what counts as looked at. Knows nothing of what is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.web.bodies import body_of, number_in, text_in
from nostr_threads.web.forms import json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.store.base import Store

__all__ = ["Looking"]


class Looking:
    """Notes in `store` what was looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [
            Route("/looked", self.looked, methods=["POST"]),
            Route("/token", self.token, methods=["POST"]),
        ]

    async def looked(self, request: Request) -> Response:
        """Count what is new in a thread, or all that is new, as looked at: up to `cursor`."""
        body = await body_of(request)
        root = text_in(body, "root") if body.get("root") else None
        await off_loop(self._look, root, number_in(body, "cursor"))
        return json({})

    async def token(self, request: Request) -> Response:
        """Say that the token is right: who asks with another does not come so far."""
        del request
        return json({})

    def _look(self, root: str | None, upto: int | None) -> None:
        self._store.looked(self._store.arrivals(root, upto=upto))
