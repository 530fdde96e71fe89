"""The viewer as an ASGI application: its pages, its files, and what is said of errors.

Knows how it is put together. Knows nothing of sockets.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nostr_threads.errors import (
    InvalidInput,
    NoRelayReachable,
    NostrThreadsError,
    NotFound,
    StoreError,
)
from nostr_threads.render import html
from nostr_threads.render.wording import code_of
from nostr_threads.web.forms import Form, json, page, wanted
from nostr_threads.web.guard import Guard
from nostr_threads.web.pictures import picture
from nostr_threads.web.places import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.types import ASGIApp

__all__ = ["viewer"]

_STYLE = Path(html.__file__).parent / "templates" / "style.css"
_STATIC = Path(__file__).parent / "static"


def viewer(routes: Iterable[Route], *, hosts: frozenset[str], token: str) -> ASGIApp:
    """Return the application that answers `routes` for `hosts`; what writes needs `token`."""
    app = Starlette(
        routes=[
            *routes,
            Route("/picture", picture),
            Route("/style.css", _style),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={
            HTTPException: _http_error,
            NostrThreadsError: _error,
        },
    )
    return Guard(app, hosts=hosts, token=token)


async def _style(_: Request) -> Response:
    return FileResponse(_STYLE, media_type="text/css")


async def _error(request: Request, error: Exception) -> Response:
    """Say in words what went wrong: a person reads it, or a program that wants JSON."""
    match error:
        case NotFound():
            status = HTTPStatus.NOT_FOUND
        case InvalidInput():
            status = HTTPStatus.BAD_REQUEST
        case StoreError() | NoRelayReachable():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _said(request, status, str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    is_lost = status is HTTPStatus.NOT_FOUND
    return _said(request, status, "there is no such page" if is_lost else status.phrase)


def _said(request: Request, status: HTTPStatus, words: str) -> Response:
    if request.method == "POST" or wanted(request) is Form.JSON:
        return json({"error": words}, status=status)
    # What is not here may be at a relay: whoever may write can have it looked for.
    lost = request.path_params.get("key", "") if status is HTTPStatus.NOT_FOUND else ""
    code = code_of(key_of(lost)) if lost else ""
    return page("error.html", status=status, title=status.phrase, words=words, code=code, here="")
