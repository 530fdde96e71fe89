"""The forms in which a page can be had: for people, for programs, for feed readers.

Knows what a request asks for and how each is sent. Knows nothing of what is in them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from nostr_threads.render.html.templates import fill

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Form", "feed", "json", "page", "saved_file", "wanted"]


class Form(StrEnum):
    """How a page is sent."""

    HTML = "html"
    JSON = "json"
    ATOM = "atom"


_TYPES = {
    "text/html": Form.HTML,
    "application/json": Form.JSON,
    "application/atom+xml": Form.ATOM,
}
_VARIES = {"Vary": "Accept"}


def wanted(request: Request, *, has_feed: bool = False) -> Form:
    """Return the form that `?format=` names, else the first of ours that `Accept` does."""
    offered = [Form.HTML, Form.JSON, *([Form.ATOM] if has_feed else [])]
    named = request.query_params.get("format")
    if named in offered:
        return Form(named)
    for each in _accepted(request.headers.get("accept", "")):
        if (form := _TYPES.get(each)) in offered and form is not None:
            return form
    return Form.HTML


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page made of a template."""
    return HTMLResponse(fill(template, **values), status, headers=_VARIES)


def json(value: object, *, status: int = 200) -> Response:
    """Return a value as JSON."""
    return JSONResponse(value, status, headers=_VARIES)


def feed(text: str) -> Response:
    """Return an Atom feed."""
    return Response(text, headers=_VARIES, media_type="application/atom+xml")


def saved_file(text: str) -> Response:
    """Return a page that is to be saved, and not opened here."""
    disposition = {"Content-Disposition": 'attachment; filename="thread.html"'}
    return HTMLResponse(text, headers=disposition)


def _accepted(header: str) -> list[str]:
    """The media types of an `Accept` header, those wanted most first."""
    weighed = []
    for part in header.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if weight := _weight(parameters):
            weighed.append((-weight, kind))
    return [kind for _, kind in sorted(weighed, key=lambda each: each[0])]


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        if each.startswith("q="):
            try:
                return float(each[2:])
            except ValueError:
                return 0.0
    return 1.0
