"""Which seconds to ask a relay for next, until all of a source are got or it is known why not.

Knows how wide a span may be, and what to do where one was too much. Knows nothing of what is asked
for, and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Finish
from nostr_threads.core.windows import Span

if TYPE_CHECKING:
    from collections.abc import Generator

    from nostr_threads.core.windows import Spans

__all__ = ["Got", "backlog"]

# Seconds of the first span, when nothing is known of how much there is.
_FIRST_WIDTH = 86_400
# Events of one span: what was cut off in the middle of it is asked again.
_FEW, _ENOUGH, _MANY = 200, 2_000, 8_000
# Spans that brought too much, or broke off: where a relay always has an excuse there is an end.
_MOST_CUTS = 100
# Spans that were not over in time: each has cost all the time there is.
_MOST_TIMEOUTS = 20
# Times that one span is asked again after the connection was lost in it.
_MOST_LOSSES = 3


@dataclass(frozen=True, slots=True)
class Got:
    """What came of one span: how many events, how it ended, and why not better."""

    events: int
    finish: Finish
    reason: str = ""


def backlog(
    spans: Spans, whole: Span, *, overlap: int = 0
) -> Generator[Span, Got, tuple[Finish, str]]:
    """Yield what is left of `whole` span by span, newest first; take what came; return the ending.

    `spans` are those that were got before, into which each reaches `overlap` seconds back. A span
    is got where it ended COMPLETE. One that had too much is asked for in narrower ones; a second
    that has too much by itself is stepped over, and the ending is then LIMITED. Any other ending of
    a span ends everything, but for a lost connection, which is tried again.
    """
    walk = _Walk()
    for gap in tuple(spans.gaps(whole, overlap=overlap)):
        last = gap.last
        while last >= gap.first:
            span = Span(max(gap.first, last - walk.width + 1), last)
            got = yield span
            if walk.is_over(got):
                return got.finish, got.reason
            if walk.is_got(span, got):
                last = span.first - 1
    return walk.ending


@dataclass(slots=True)
class _Walk:
    """How wide the next span is, and what went wrong so far."""

    width: int = _FIRST_WIDTH
    cuts: int = 0
    losses: int = 0
    timeouts: int = 0
    ending: tuple[Finish, str] = (Finish.COMPLETE, "")

    def is_over(self, got: Got) -> bool:
        """Whether there is no use in asking for more."""
        if got.finish is Finish.LOST:
            self.losses += 1
            return self.losses > _MOST_LOSSES
        if got.finish is Finish.TIMEOUT:
            self.timeouts += 1
            return got.events == 0 or self.timeouts > _MOST_TIMEOUTS
        return got.finish in (Finish.REFUSED, Finish.UNREACHABLE)

    def is_got(self, span: Span, got: Got) -> bool:
        """Whether to go on behind `span`: it was got, or cannot be got any better."""
        if got.finish is Finish.LOST:
            return False
        wide = span.last - span.first + 1
        if got.finish is not Finish.COMPLETE:
            if wide > 1 and self.cuts < _MOST_CUTS:
                self.cuts += 1
                self.width = max(1, wide // 4)
                return False
            self.ending = (Finish.LIMITED, got.reason)
        self.losses = 0
        self.width = _next_width(wide, got.events)
        return True


def _next_width(width: int, events: int) -> int:
    """Return how many seconds to ask for after `width` of them brought so many events."""
    if events > _MANY:
        return max(1, width // 2)
    if events > _ENOUGH:
        return width
    return width * (8 if events < _FEW else 2)
