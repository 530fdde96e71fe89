"""HTTP at a relay's door: who is let through to the websocket, and what the others are told.

Knows NIP-11's headers. Knows nothing of what is said on the websocket.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.datastructures import Headers
from websockets.http11 import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from websockets.http11 import Request

__all__ = ["answer_http", "refuse"]

_DOCUMENT = "application/nostr+json"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
}
_PAGE = "This is a Nostr relay. Open it with a Nostr client, as a websocket.\n"


def answer_http(request: Request, document: Mapping[str, object]) -> Response | None:
    """Return the answer to a plain request, or None for one that asks for a websocket.

    NIP-01 wants one endpoint: every other path is 404. NIP-11's document goes to whoever accepts
    `application/nostr+json`, with the CORS headers it asks for, also on OPTIONS.
    """
    if request.path.partition("?")[0] != "/":
        return refuse(HTTPStatus.NOT_FOUND, "the relay is at /")
    # websockets before 17 knows GET only and has no such attribute.
    if getattr(request, "method", "GET") == "OPTIONS":
        return _response(HTTPStatus.NO_CONTENT, "text/plain", b"")
    if "websocket" in request.headers.get("Upgrade", "").lower():
        return None
    if any(_DOCUMENT in value.lower() for value in request.headers.get_all("Accept")):
        return _response(HTTPStatus.OK, _DOCUMENT, json.dumps(document).encode())
    return _response(HTTPStatus.OK, "text/plain; charset=utf-8", _PAGE.encode())


def refuse(status: HTTPStatus, reason: str) -> Response:
    """Return an HTTP answer that lets nobody in."""
    return _response(status, "text/plain; charset=utf-8", f"{reason}\n".encode())


def _response(status: HTTPStatus, kind: str, body: bytes) -> Response:
    headers = Headers(_CORS)
    headers["Content-Type"] = kind
    headers["Vary"] = "Accept"
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
