"""A picture somebody asked for, in a frame that may load it and nothing else.

Knows which addresses are not to be asked. The viewer itself asks nobody: the browser does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nostr_threads.core.relay_url import is_local
from nostr_threads.errors import InvalidInput, InvalidRelayUrl
from nostr_threads.web.forms import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["picture"]

_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_LONGEST = 4_096


async def picture(request: Request) -> Response:
    """Show the picture at `?url=`, which the frame may load from its host alone."""
    url = request.query_params.get("url", "")
    origin = _origin(url)
    made = page("picture.html", url=url)
    made.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src {origin}; style-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )
    return made


def _origin(url: str) -> str:
    """Return the origin of a picture's address. Raises `InvalidInput` for one not to be asked."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise InvalidInput("this is no address of a picture") from None
    if len(url) > _LONGEST or parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise InvalidInput("this is no address of a picture")
    if _is_near(host):
        raise InvalidInput("this picture is said to be on your own machine or network")
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def _is_near(host: str) -> bool:
    try:
        return is_local(f"wss://{host}/")
    except InvalidRelayUrl:
        return True
