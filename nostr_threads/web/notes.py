"""Pages of notes that are of no one thread: where one ends and the next begins.

Knows marks and settings. Knows nothing of what is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from nostr_threads.core.entities import HEX_64
from nostr_threads.render.setting import Setting
from nostr_threads.web.library import Mark
from nostr_threads.web.places import InViewer

if TYPE_CHECKING:
    from starlette.requests import Request

    from nostr_threads.app.surroundings import Surroundings
    from nostr_threads.web.library import Notes

__all__ = ["LINKS", "following_of", "mark_of", "setting_around"]

LINKS = InViewer()
"""Where the links of all pages lead."""

_LONGEST_TIME = 16


def setting_around(around: Surroundings, now: int) -> Setting:
    """Return what notes are shown with."""
    return Setting(around.shown_names, around.tallies, around.quoted, now=now, kept=around.kept)


def mark_of(request: Request) -> Mark | None:
    """Return where the page before this one has ended; None for the first."""
    at, _, event_id = request.query_params.get("after", "").partition(".")
    if not at.isdecimal() or len(at) > _LONGEST_TIME or HEX_64.fullmatch(event_id) is None:
        return None
    return Mark(int(at), event_id)


def following_of(path: str, notes: Notes, **parameters: str) -> str:
    """Return where the next page is, "" where this is the last."""
    if notes.following is None:
        return ""
    after = f"{notes.following.created_at}.{notes.following.id}"
    return f"{path}?{urlencode({**parameters, 'after': after})}"
