"""What a page's script sends: a JSON object, whose fields are what they should be.

Knows types. Knows nothing of what a field is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["body_of", "number_in", "text_in"]


async def body_of(request: Request) -> dict[str, Any]:
    """Return the object that was sent. Raises `InvalidInput` for anything else."""
    try:
        found = await request.json()
    except (ValueError, RecursionError):
        raise InvalidInput("this is no JSON") from None
    if not isinstance(found, dict):
        raise InvalidInput("an object is wanted")
    return found


def text_in(body: dict[str, Any], name: str) -> str:
    """Return a text. Raises `InvalidInput` where there is none."""
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidInput(f"`{name}` is wanted, a text")
    return value


def number_in(body: dict[str, Any], name: str) -> int | None:
    """Return a whole number, None where none was sent. Raises `InvalidInput` for anything else."""
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise InvalidInput(f"`{name}` is a number")
    return value
