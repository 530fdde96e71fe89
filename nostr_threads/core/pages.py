"""One question to one relay, page by page, until it is known how whole the answer is.

Knows cursors and what an end of stored events proves (NIP-01, NIP-67). Knows nothing of sockets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish

if TYPE_CHECKING:
    from collections.abc import Generator

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter

__all__ = ["MOST_BYTES", "MOST_EVENTS", "PAGE", "Page", "pages"]

PAGE = 500
"""Events asked for at a time: what most relays give."""

MOST_EVENTS = 100_000
"""Events taken from one relay for one question before it counts as LIMITED."""

# Relays cap their answers at a hundred or more; a shorter one is short because nothing is left. A
# relay with a smaller cap and without NIP-67 can hide the rest of one second from us.
_SMALLEST_CAP = 20

MOST_BYTES = 64 * 2**20
"""Bytes taken from one relay for one question before it counts as LIMITED."""

_NO_GOOD = "events came that were forged, not readable or not asked for"

# A relay that sends one event a page must not keep us for ever.
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """What came back for one page. `sent` counts all that was sent, `refused` what was forged, not
    readable or not asked for, `size` the bytes of it all. `lacks`: something among what was refused
    may be an event that now is not there.

    `finish` is COMPLETE at an end of stored events, and then `hints` are NIP-67's; everything else
    ended the page early.
    """

    events: tuple[Verified, ...]
    sent: int
    finish: Finish
    hints: tuple[str, ...] = ()
    reason: str = ""
    refused: int = 0
    size: int = 0
    lacks: bool = False


def pages(
    question: Filter, *, page: int = PAGE, most: int = MOST_EVENTS, largest: int = 0
) -> Generator[Filter, Page, tuple[Finish, str]]:
    """Yield the filters to ask one after the other; take a `Page` for each; return the ending.

    The cursor is this relay's own, and inclusive, so that no event of a shared second is skipped. A
    relay without NIP-67 has given everything once a page brings nothing new. A second that fills a
    page is stepped over, and the ending is then LIMITED, as it is when events came that were no
    good. `largest` is the most events that this relay is known to give at once.
    """
    seen: set[str] = set()
    until, doubt, size = question.until, "", 0
    for _ in range(_MOST_PAGES):
        got = yield replace(question, until=until, limit=page)
        # What is newer than was asked for must not move the cursor back up.
        events = [event for event in got.events if until is None or event.created_at <= until]
        fresh = {event.id for event in events} - seen
        seen |= fresh
        if got.finish is not Finish.COMPLETE:
            return got.finish, got.reason
        doubt = doubt or (_NO_GOOD if got.lacks else "")
        if _is_end(question, got, seen):
            return _ending(doubt)
        size += got.size
        if len(seen) >= most or size >= MOST_BYTES:
            return Finish.LIMITED, f"stopped after {len(seen)} events of {size} bytes"
        if not events:
            return Finish.LIMITED, "the relay has more than it sends"
        until = min(event.created_at for event in events)
        if not fresh:
            if got.sent < max(largest, _SMALLEST_CAP) and "more" not in got.hints:
                return _ending(doubt)
            doubt = f"the second {until} fills a page: it may hold more"
            until -= 1
            if until < (question.since or 0):
                return _ending(doubt)
        largest = max(largest, got.sent)
    return Finish.LIMITED, f"stopped after {_MOST_PAGES} pages"


def _ending(doubt: str) -> tuple[Finish, str]:
    return (Finish.LIMITED, doubt) if doubt else (Finish.COMPLETE, "")


def _is_end(question: Filter, got: Page, seen: set[str]) -> bool:
    """Whether this page proves that nothing is left."""
    if "finish" in got.hints or (got.sent == 0 and "more" not in got.hints):
        return True
    return question.ids is not None and seen.issuperset(question.ids)
