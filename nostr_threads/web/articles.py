"""The page of a long text by itself: an article (NIP-23), or what came in several notes.

Knows which text a key names and what it is called. How Markdown is laid out is `render.html`'s.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds
from nostr_threads.core.node import State
from nostr_threads.errors import NotFound
from nostr_threads.render.contracts import event_object
from nostr_threads.render.html.articles import article
from nostr_threads.render.html.entries import Entries, time_of
from nostr_threads.render.html.texts import Speller
from nostr_threads.render.listing import called
from nostr_threads.render.wording import field, title_of, warning_of
from nostr_threads.web.forms import Form, json, page, wanted
from nostr_threads.web.notes import LINKS, setting_around
from nostr_threads.web.places import key_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.app.fetch import Found
    from nostr_threads.core.event import Verified
    from nostr_threads.web.library import Library, Whole

__all__ = ["Articles"]

_TITLE = 100
_HEADING = re.compile(r"\s*# +([^\n]+?)(?: +#+)? *(?:\n|$)")


class Articles:
    """Answers what concerns long texts."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [Route("/a/{key:path}", self.article)]

    async def article(self, request: Request) -> Response:
        """Show a long text."""
        key = key_of(request.path_params["key"])
        whole = await self._library.thread(key)
        first, text, parts = _long_text(whole.found, key)
        if wanted(request) is Form.JSON:
            written = {"text": text, "title": title_of(first), "parts": parts}
            return json({"event": event_object(first), **written})
        return await off_loop(self._page, whole, first, text)

    def _page(self, whole: Whole, first: Verified, text: str) -> Response:
        setting = setting_around(whole.found.surroundings, self._library.now)
        entries = Entries(whole.found.thread, setting, LINKS)
        heading, rest = _headed(text)
        title = title_of(first) or field(heading, _TITLE)
        said = replace(first, content=rest if field(heading, _TITLE) == title else text)
        return page(
            "article.html",
            title=title or called(first.id, first, setting),
            has_title=bool(title),
            person=entries.person(first.pubkey),
            written=time_of(first.created_at, setting.now),
            warning=warning_of(first),
            html=article(said, Speller(setting, LINKS), LINKS, above=1),
            note=LINKS.note(first.id),
            here="",
        )


def _headed(text: str) -> tuple[str, str]:
    """Return the heading that a Markdown text begins with, "" for none, and what comes after it."""
    match = _HEADING.match(text)
    return (match[1], text[match.end() :]) if match is not None else ("", text)


def _long_text(found: Found, key: str) -> tuple[Verified, str, int]:
    """Return the first event of the text that begins with `key`, the text, and its notes."""
    for text in found.thread.articles():
        if text.root.id == key and text.root.event is not None:
            return text.root.event, text.text, len(text.nodes)
    for node in found.thread.nodes:
        if node.event is None or node.state is not State.PRESENT:
            continue
        if key in (node.id, kinds.address_of(node.event)):
            return node.event, node.event.content, 1
    raise NotFound(f"the store has no text under {key}")
