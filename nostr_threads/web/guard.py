"""Who may ask the viewer what, and what a browser may do with an answer.

Knows hosts, origins, the token and the headers. Knows nothing of pages.

Pages of other sites run in the same browser. They can make it send requests here, also under a name
of their own that leads to this machine (DNS rebinding): hence `Host`, `Origin` and `Sec-Fetch-Site`
are checked. What writes needs the token, which only the person was told who started the viewer. It
is no cookie: browsers send those to every port of a machine.
"""

from __future__ import annotations

from hmac import compare_digest
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MOST_BYTES", "POLICY", "Guard"]

MOST_BYTES = 2**21
"""What one request may hold: an answer with all of its signatures."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and run: nothing of anybody else's."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_LONG = f"more than {MOST_BYTES >> 20} MiB"
_READING = ("GET", "HEAD")


class Guard:
    """Lets requests for `hosts` ("127.0.0.1:7448") through to `app`, and marks every answer."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], token: str) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(f"http://{host}" for host in hosts)
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(str(scope["method"]), headers)
        if refusal is not None:
            status, words = refusal
            # Scripts send, and want to read what is said; people open.
            is_script = scope["method"] not in _READING
            said = (
                JSONResponse({"error": words}, status)
                if is_script
                else PlainTextResponse(f"{words}\n", status)
            )
            await said(scope, receive, marked)
            return
        await self._app(scope, _bounded(receive), marked)

    def _refusal(self, method: str, headers: Headers) -> tuple[HTTPStatus, str] | None:
        if headers.get("host", "") not in self._hosts:
            return HTTPStatus.MISDIRECTED_REQUEST, "this viewer has another name"
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            return HTTPStatus.FORBIDDEN, "another page may not ask here"
        if _is_embedding(headers):
            return HTTPStatus.FORBIDDEN, "another page may not show this"
        if method in _READING:
            return None
        if not self._is_known(headers.get("authorization", "")):
            return HTTPStatus.UNAUTHORIZED, "this needs the token that the viewer's start has shown"
        if int(headers.get("content-length", "0") or 0) > MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _LONG
        return None

    def _is_known(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), self._token)


def _is_embedding(headers: Headers) -> bool:
    """Whether another site's page asks for itself, and not a person who follows a link."""
    site = headers.get("sec-fetch-site", "none")
    mode = headers.get("sec-fetch-mode", "navigate")
    destination = headers.get("sec-fetch-dest", "document")
    is_followed = mode == "navigate" and destination == "document"
    return site in ("cross-site", "same-site") and not is_followed


def _bounded(receive: Receive) -> Receive:
    """Give a body up to `MOST_BYTES`, which need not say how long it is."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _LONG)
        return message

    return bounded
