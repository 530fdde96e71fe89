"""The pages of threads: all of them, one of them, a note's place in it.

Knows what is on each page. How it looks is the templates' to know.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds
from nostr_threads.core.node import State
from nostr_threads.errors import NotFound
from nostr_threads.render.contracts import event_object, listed_object, thread_object
from nostr_threads.render.html.entries import Entries, time_of
from nostr_threads.render.html.export import last_fetch, shares, summary_of
from nostr_threads.render.html.feed import feed_of
from nostr_threads.render.html.plot import plot
from nostr_threads.render.listing import called
from nostr_threads.render.setting import Setting
from nostr_threads.render.wording import author, code_of
from nostr_threads.store.base import Activity
from nostr_threads.web.forms import Form, feed, json, page, saved_file, wanted
from nostr_threads.web.notes import LINKS, setting_around
from nostr_threads.web.places import key_of, thread_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.app.fetch import Found
    from nostr_threads.app.listing import Listed, Listing
    from nostr_threads.core.event import Verified
    from nostr_threads.core.node import Node
    from nostr_threads.web.library import Library, Whole

__all__ = ["Threads"]

_THREADS = 50
_BLOCKS = 100
_IN_FEED = 50
# Seconds that a clock may be wrong.
_AHEAD = 900


class Threads:
    """Answers what concerns threads."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [
            Route("/", self.index),
            Route("/t/{key:path}", self.thread),
            Route("/n/{key:path}", self.note),
        ]

    async def index(self, request: Request) -> Response:
        """List the threads, those first in which something was written last."""
        found = await self._library.threads(_THREADS + 1, _before(request))
        following = ""
        if len(found.threads) > _THREADS:
            last = found.threads[_THREADS - 1].activity
            following = "/?" + urlencode({"before": f"{last.last_at}.{last.root}"})
        shown = replace(found, threads=found.threads[:_THREADS])
        if wanted(request) is Form.JSON:
            return json({"threads": [_object(each) for each in shown.threads], "next": following})
        rows = list(_rows(shown, self._library.now))
        return page(
            "threads.html",
            rows=rows,
            following=following,
            cursor=found.cursor,
            here="threads",
        )

    async def thread(self, request: Request) -> Response:
        """Show a thread, a hundred blocks at a time."""
        key = key_of(request.path_params["key"])
        if request.query_params.get("format") == "file":
            return saved_file(await self._library.file(key))
        whole = await self._library.thread(key)
        match wanted(request, has_feed=True):
            case Form.JSON:
                return await off_loop(lambda: json(_thread_object(whole.found)))
            case Form.ATOM:
                return feed(await off_loop(self._feed, request, whole))
        return await off_loop(self._page, request, whole)

    async def note(self, request: Request) -> Response:
        """Lead to where a note is in its thread."""
        key = key_of(request.path_params["key"])
        whole = await self._library.thread(key)
        number, shown = _place(whole, key)
        form = request.query_params.get("format", "")
        path = thread_path(whole.root, page=number, at=shown, form=form)
        return RedirectResponse(path, HTTPStatus.TEMPORARY_REDIRECT)

    def _page(self, request: Request, whole: Whole) -> Response:
        found, now = whole.found, self._library.now
        thread = found.thread
        entries = Entries(thread, setting_around(found.surroundings, now), LINKS, fresh=whole.fresh)
        number = _number(request)
        blocks = whole.blocks[(number - 1) * _BLOCKS : number * _BLOCKS]
        if not blocks:
            raise NotFound(f"this thread has no page {number}")
        path = thread_path(whole.root)
        is_more = number * _BLOCKS < len(whole.blocks)
        return page(
            "thread.html",
            title=entries.title(),
            summary=summary_of(thread),
            root=whole.root,
            cursor=whole.cursor,
            code=code_of(whole.root),
            path=path,
            entries=[entries.entry(block) for block in blocks],
            number=number,
            size=_BLOCKS,
            before=thread_path(whole.root, page=number - 1) if number > 1 else "",
            following=thread_path(whole.root, page=number + 1) if is_more else "",
            fresh=len(whole.fresh),
            plot=plot([event.created_at for event in thread.events]),
            coverage=shares(found.coverage, found.fetched, whole.dates, thread.events),
            fetched=last_fetch(found.fetched, now),
            here="",
        )

    def _feed(self, request: Request, whole: Whole) -> str:
        thread = whole.found.thread
        setting = setting_around(whole.found.surroundings, self._library.now)
        title = Entries(thread, setting, LINKS).title()
        # What says to be of far ahead would stand before everything that comes.
        latest = self._library.now + _AHEAD
        said = [each for each in _said(thread.nodes) if each.created_at <= latest]
        newest = sorted(said, key=lambda each: -each.created_at)[:_IN_FEED]
        return feed_of(title, str(request.base_url), thread_path(whole.root), newest, setting)


def _rows(listing: Listing, now: int) -> Iterator[dict[str, object]]:
    setting = Setting(listing.names, now=now)
    for each in listing.threads:
        yield {
            "href": thread_path(each.activity.root),
            "title": called(each.activity.root, each.root, setting),
            "by": author(each.root.pubkey, setting) if each.root is not None else "",
            "notes": each.activity.notes,
            "unread": each.activity.unread,
            "at": time_of(each.activity.last_at, now),
        }


def _object(each: Listed) -> dict[str, object]:
    about = each.activity
    return listed_object(
        about.root, each.root, notes=about.notes, unread=about.unread, last_at=about.last_at
    )


def _thread_object(found: Found) -> dict[str, object]:
    around = found.surroundings
    made = thread_object(
        found.thread,
        found.coverage,
        found.budget_hit,
        names=around.shown_names,
        tallies=around.tallies,
        fetched=found.fetched,
    )
    return made | {"events": [event_object(event) for event in _said(found.thread.nodes)]}


def _said(nodes: tuple[Node, ...]) -> Iterator[Verified]:
    """Yield the events that are to be seen."""
    for node in nodes:
        if node.event is not None and node.state is State.PRESENT:
            yield node.event


def _before(request: Request) -> Activity | None:
    at, _, root = request.query_params.get("before", "").partition(".")
    return Activity(root, 0, 0, int(at)) if at.isdecimal() and len(at) < 17 else None


def _number(request: Request) -> int:
    named = request.query_params.get("page", "1")
    return max(1, int(named)) if named.isdecimal() and len(named) < 8 else 1


def _place(whole: Whole, key: str) -> tuple[int, str]:
    """Return the page on which a key's note is, and the id by which it is there."""
    for place, block in enumerate(whole.blocks):
        for node in block.nodes:
            address = kinds.address_of(node.event) if node.event is not None else None
            if key in (node.id, address):
                return place // _BLOCKS + 1, node.id
    return 1, ""
