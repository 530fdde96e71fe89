"""One question to one relay, page by page, until it is known how whole the answer is.

Knows cursors, seconds that hold more than a page, and what an end of stored events proves (NIP-01,
NIP-67). Knows nothing of sockets.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter

__all__ = ["MOST_BYTES", "MOST_EVENTS", "PAGE", "Page", "following", "pages"]

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
_UNSTEADY = "the relay leaves out of a narrow answer what it gave in a wide one"

# A relay that sends one event a page must not keep us for ever.
_MOST_PAGES = 10_000

# One that fills every piece of a second must let us go on to what is older.
_MOST_PIECES = 1000


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
    question: Filter,
    *,
    page: int = PAGE,
    most: int = MOST_EVENTS,
    largest: int = 0,
    cap: int | None = None,
    trusting: bool = True,
) -> Generator[Filter, Page, tuple[Finish, str]]:
    """Yield the filters to ask one after the other; take a `Page` for each; return the ending.

    The cursor is this relay's own, and inclusive, so that no event of a shared second is skipped. A
    second that fills a page is asked again in pieces and then stepped over. The ending is LIMITED
    when a piece that cannot be cut fills a page too, as it is when events came that were no good.

    `cap` is the most events that this relay says it gives at once, `largest` the most that it is
    known to have given. Without `trusting`, NIP-67's "finish" proves nothing.
    """
    walk = _Walk(question, page, most, largest, cap, trusting)
    until, was_short = question.until, False
    while True:
        asked, before = replace(question, until=until, limit=page), len(walk.seen)
        got = yield asked
        events = walk.take(asked, got)
        if walk.is_all(got):
            return walk.verdict
        if walk.stopped is not None:
            return walk.stopped
        if not events:
            return Finish.LIMITED, "the relay has more than it sends"
        if was_short and len(walk.seen) > before:
            # It gives less at once than it says, and a page that looks short may be full.
            walk.cap = None
        was_short = walk.is_short(got)
        oldest = min(event.created_at for event in events)
        if oldest == until:
            if was_short and not (yield from _is_disproved(walk, got, oldest)):
                return walk.verdict
            yield from _pieces(walk, oldest, events)
            if walk.stopped is not None:
                return walk.stopped
            oldest -= 1
            if oldest < (question.since or 0):
                return walk.verdict
        until = oldest


def following(question: Filter, asked: Filter, created_at: Iterable[int]) -> Filter | None:
    """Return what `pages` most likely asks after a page with events of these times.

    None when no guess makes sense. The times need not be verified: a wrong guess only costs a
    question. Do not guess after NIP-67's "finish".
    """
    since, until = asked.since or 0, asked.until
    times = [time for time in created_at if since <= time and (until is None or time <= until)]
    # A cursor that does not move means the end, or a second to be asked in pieces.
    if question.ids is not None or not times or min(times) == until:
        return None
    return replace(question, until=min(times), limit=asked.limit)


@dataclass(slots=True)
class _Walk:
    """What one relay gave so far, and what is known of it. `stopped` ends everything."""

    question: Filter
    page: int
    most: int
    largest: int
    cap: int | None
    trusting: bool
    seen: set[str] = field(default_factory=set)
    asked: int = 0
    size: int = 0
    doubt: str = ""
    stopped: tuple[Finish, str] | None = None

    @property
    def verdict(self) -> tuple[Finish, str]:
        """How it ends where nothing seems to be left."""
        return (Finish.LIMITED, self.doubt) if self.doubt else (Finish.COMPLETE, "")

    def take(self, asked: Filter, got: Page) -> list[Verified]:
        """Add a page, and return its events of the time that was asked for.

        What is newer must not move the cursor back up.
        """
        since, until = asked.since or 0, asked.until
        events = [
            event
            for event in got.events
            if since <= event.created_at and (until is None or event.created_at <= until)
        ]
        ids = {event.id for event in events}
        self.seen |= ids
        self.largest = max(self.largest, len(ids))
        self.asked += 1
        self.size += got.size
        if got.lacks:
            self.doubts(_NO_GOOD)
        self.stopped = self._stop(got)
        return events

    def _stop(self, got: Page) -> tuple[Finish, str] | None:
        if got.finish is not Finish.COMPLETE:
            return got.finish, got.reason
        if len(self.seen) >= self.most or self.size >= MOST_BYTES:
            return Finish.LIMITED, f"stopped after {len(self.seen)} events of {self.size} bytes"
        if self.asked >= _MOST_PAGES:
            return Finish.LIMITED, f"stopped after {_MOST_PAGES} pages"
        return None

    def doubts(self, reason: str) -> None:
        """Remember the first reason why not everything may have come."""
        self.doubt = self.doubt or reason

    def is_all(self, got: Page) -> bool:
        """Whether a page proves by itself that nothing is left of what it was asked for."""
        if got.finish is not Finish.COMPLETE:
            return False
        if self.trusting and "finish" in got.hints:
            return True
        if got.sent == 0 and "more" not in got.hints:
            return True
        return self.question.ids is not None and self.seen.issuperset(self.question.ids)

    def is_short(self, got: Page) -> bool:
        """Whether the relay would have sent more, had it more."""
        full = min(self.page, self.cap or max(self.largest, _SMALLEST_CAP))
        return got.sent < full and "more" not in got.hints


def _is_disproved(walk: _Walk, got: Page, second: int) -> Generator[Filter, Page, bool]:
    """Whether a page that only the relay's declared cap calls short was full all the same.

    It had not reached below this second: if there is anything older, it was cut off.
    """
    if got.sent < _SMALLEST_CAP or second <= (walk.question.since or 0):
        return False
    asked = replace(walk.question, until=second - 1, limit=1)
    older = walk.take(asked, (yield asked))
    if older:
        walk.cap = None
    return bool(older) or walk.stopped is not None


def _pieces(walk: _Walk, second: int, events: Iterable[Verified]) -> Generator[Filter, Page, None]:
    """Ask for a second that fills a page in pieces, which are halved until they do not.

    `events` are what is known of it. Pieces that do not bring them again prove nothing: there are
    relays that take `since` or `until` for exclusive.
    """
    doubt = f"the second {second} fills a page: it may hold more"
    known = {event.id: event for event in events}
    whole = replace(walk.question, since=second, until=second, limit=walk.page)
    waiting = list(whole.halves() or ())
    if not waiting:
        walk.doubts(doubt)
    for _ in range(_MOST_PIECES):
        if not waiting or walk.stopped is not None:
            return
        piece = waiting.pop()
        got = yield piece
        found = {event.id: event for event in walk.take(piece, got)}
        wanted = {name for name, event in known.items() if piece.matches(event)}
        known |= found
        if walk.is_all(got) or walk.is_short(got):
            if not wanted <= found.keys():
                walk.doubts(_UNSTEADY)
        elif found and (halves := piece.halves()) is not None:
            waiting += halves
        else:
            walk.doubts(doubt)
    if waiting:
        walk.doubts(doubt)
