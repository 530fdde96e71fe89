"""The pages of what was looked for, what is on its way, and what bots have done: to be read only.

Knows what is on each. How it looks is the templates' to know.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.bots.recorded import ask_object
from nostr_threads.app.publish import Report, State
from nostr_threads.core import kinds
from nostr_threads.core.filters import Filter
from nostr_threads.core.nip19 import parse_event, parse_pubkey
from nostr_threads.core.search_terms import found_by, parse_terms
from nostr_threads.errors import InvalidCode
from nostr_threads.render.contracts import event_object, report_object
from nostr_threads.render.escape import one_line
from nostr_threads.render.html.entries import time_of
from nostr_threads.render.html.hits import hits
from nostr_threads.render.listing import called
from nostr_threads.render.wording import short_code
from nostr_threads.web.forms import Form, json, page, wanted
from nostr_threads.web.notes import LINKS, following_of, mark_of, setting_around
from nostr_threads.web.places import note_path, person_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from nostr_threads.store.bots import Entry as Ask
    from nostr_threads.web.library import Library

__all__ = ["Records"]

_NOTES = 50
_WORDS = 200
_REASON = 300


class Records:
    """Answers searches, and shows the outbox and the bots' record."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def routes(self) -> list[Route]:
        """Return which path is answered by what."""
        return [
            Route("/search", self.search),
            Route("/outbox", self.outbox),
            Route("/bots", self.bots),
        ]

    async def search(self, request: Request) -> Response:
        """Show the notes that have some words or a hashtag; a code leads to what it names."""
        words = request.query_params.get("q", "").strip()[:_WORDS]
        if (place := _place_of(words)) is not None:
            return RedirectResponse(place, HTTPStatus.SEE_OTHER)
        condition = _condition(words)
        if condition is None:
            if wanted(request) is Form.JSON:
                return json({"query": words, "count": 0, "notes": [], "next": ""})
            return page("search.html", query=words, entries=None, count=0, following="", here="")
        notes = await self._library.search(condition, _NOTES, mark_of(request))
        following = following_of("/search", notes, q=words)
        if wanted(request) is Form.JSON:
            found = [event_object(event) for event in notes.events]
            return json({"query": words, "count": notes.count, "notes": found, "next": following})
        setting = setting_around(notes.around, self._library.now)
        return page(
            "search.html",
            query=words,
            entries=await off_loop(hits, notes.events, parse_terms(words), setting, LINKS),
            count=notes.count,
            following=following,
            here="",
        )

    async def outbox(self, request: Request) -> Response:
        """Show what was signed and where it is, the latest first."""
        reports = [Report(posting) for posting in await self._library.postings()]
        if wanted(request) is Form.JSON:
            return json({"postings": [report_object(report) for report in reports]})
        now = self._library.now
        rows = [_row(report, now) for report in reports]
        return page("outbox.html", rows=rows, here="outbox")

    async def bots(self, request: Request) -> Response:
        """Show what bots were asked and what became of it, the latest first."""
        asks = await self._library.asks()
        if wanted(request) is Form.JSON:
            return json({"asks": [ask_object(ask) for ask in asks]})
        now = self._library.now
        return page("bots.html", rows=[_ask_row(ask, now) for ask in asks], here="bots")


def _place_of(words: str) -> str | None:
    """Return where the page of a code is, None for what is none."""
    try:
        found = parse_event(words)
    except InvalidCode:
        try:
            return person_path(parse_pubkey(words).pubkey)
        except InvalidCode:
            return None
    return note_path(getattr(found, "coordinate", "") or getattr(found, "id", ""))


def _condition(words: str) -> Filter | None:
    """Return what is looked for, None for nothing."""
    if words.startswith("#") and " " not in words and len(words) > 1:
        return Filter(kinds=kinds.WRITTEN, tags={"t": (words[1:].casefold(),)})
    return Filter(search=words) if found_by(parse_terms(words)) else None


def _row(report: Report, now: int) -> dict[str, object]:
    posting = report.posting
    first = posting.events[0]
    return {
        "title": called(first.id, first),
        "href": note_path(first.id),
        "state": report.state.value,
        "is_bad": report.state in (State.REFUSED, State.GIVEN_UP),
        "parts": len(posting.events),
        "at": time_of(posting.created_at, now),
        "deliveries": list(_together(report)),
    }


def _together(report: Report) -> Iterator[dict[str, str]]:
    """Yield what became of the parts at each relay, those of one fate in one row."""
    fates: dict[tuple[str, str, str], list[int]] = {}
    for each in report.deliveries:
        fate = each.relay, each.status.value, one_line(each.reason, _REASON)
        fates.setdefault(fate, []).append(each.part)
    for (relay, status, reason), parts in fates.items():
        several = f"{parts[0]}-{parts[-1]}" if len(parts) > 1 else str(parts[0])
        is_run = parts == list(range(parts[0], parts[-1] + 1))
        shown = several if is_run else ", ".join(map(str, parts))
        yield {"relay": relay, "parts": shown, "status": status, "reason": reason}


def _ask_row(ask: Ask, now: int) -> dict[str, object]:
    why = f"{ask.guard}: {ask.why}" if ask.guard else ask.why
    return {
        "bot": ask.bot,
        "href": note_path(ask.event_id),
        "note": short_code(ask.event_id),
        "rule": ask.answerer or ask.rule,
        "state": ask.state.value,
        "why": one_line(why, _REASON),
        "answer": note_path(ask.posting) if ask.posting is not None else "",
        "at": time_of(ask.changed_at, now),
    }
