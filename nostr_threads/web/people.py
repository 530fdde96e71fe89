"""The page of a person: what they say of themselves, and their notes.

Knows what is on it. That a name or an address in a profile is true nobody has checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds
from nostr_threads.core.filters import Filter
from nostr_threads.core.nip19 import parse_pubkey
from nostr_threads.core.node import part_of
from nostr_threads.core.profile import Profile
from nostr_threads.render.contracts import event_object
from nostr_threads.render.escape import one_line, printable
from nostr_threads.render.html.feed import feed_of
from nostr_threads.render.html.flat import flat
from nostr_threads.render.wording import author, npub
from nostr_threads.web.forms import Form, feed, json, page, wanted
from nostr_threads.web.notes import LINKS, following_of, mark_of, setting_around
from nostr_threads.web.places import person_path

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.core.event import Event
    from nostr_threads.web.library import Library

__all__ = ["People"]

_NOTES = 50
# Seconds that a clock may be wrong.
_AHEAD = 900
_NAME = 100


class People:
    """Answers what concerns people."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [Route("/p/{code}", self.person)]

    async def person(self, request: Request) -> Response:
        """Show somebody's profile and their notes, the newest first."""
        pubkey = parse_pubkey(request.path_params["code"]).pubkey
        # What says to be of far ahead would stand before everything that comes.
        until = self._library.now + _AHEAD
        wanted_notes = Filter(kinds=kinds.WRITTEN, authors=(pubkey,), until=until)
        notes = await self._library.notes(wanted_notes, _NOTES, mark_of(request))
        known = await self._library.profile(pubkey)
        setting = setting_around(notes.around, self._library.now)
        path = person_path(pubkey)
        following = following_of(path, notes)
        match wanted(request, has_feed=True):
            case Form.JSON:
                return json(
                    {
                        "pubkey": pubkey,
                        "npub": npub(pubkey),
                        "profile": event_object(known[0]) if known is not None else None,
                        "notes": [event_object(event) for event in notes.events],
                        "next": following,
                    }
                )
            case Form.ATOM:
                title = author(pubkey, setting)
                base = str(request.base_url)
                return feed(await off_loop(feed_of, title, base, path, notes.events, setting))
        # What goes on a text is in its place in the thread.
        shown = [event for event in notes.events if not _goes_on(event)]
        entries = await off_loop(flat, shown, setting, LINKS)
        return page(
            "person.html",
            title=author(pubkey, setting),
            profile=_shown(known[1] if known is not None else Profile()),
            npub=npub(pubkey),
            path=path,
            entries=entries,
            following=following,
            here="",
        )


def _goes_on(event: Event) -> bool:
    part = part_of(event)
    return part is not None and part.index > 1


def _shown(profile: Profile) -> dict[str, object]:
    """A stranger's words, made harmless; a picture is a link to where it is shown."""
    picture = profile.picture if profile.picture.startswith(("http://", "https://")) else ""
    return {
        "nip05": one_line(profile.nip05, _NAME),
        "about": printable(profile.about),
        "bot": profile.bot,
        "picture": picture,
        "frame": LINKS.picture(picture) if picture else "",
    }
