"""The search for cuts: how far each part of a text reaches under a limit.

Knows which stretches fit whole, what a cut fence costs and which break is best. Knows nothing of
numbers and tags: it hands `split` the pieces to dress.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.breaks import Break
from nostr_threads.core.join import MAX_REMOVED, escaped_bytes
from nostr_threads.errors import LimitTooSmall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.source import Ruler, Source
    from nostr_threads.core.spans import Fence, Span, Spans

__all__ = ["GUARD", "Cutter", "Piece", "place_marker"]

GUARD = "\u2060"
"""WORD JOINER: stands where a part would otherwise begin or end in white space."""

_MAX_OPENING = 80


@dataclass(frozen=True, slots=True)
class Piece:
    """What one part takes: `text[start:stop]`, shown as `head + text[begin:end] + close`.

    The difference is white space. `head` reopens a fence or is a guard; `close` closes a fence.
    `own_line` asks for a line of its own for the marker: beside a closing fence nothing may stand.
    """

    start: int
    begin: int
    end: int
    stop: int
    head: str
    close: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class _Window:
    """Where one part begins and ends at most; `half` and `quarter` are how full it should be."""

    start: int
    begin: int
    reach: int
    half: int
    quarter: int
    head: str
    fence: Fence | None
    dressed: bool


class Cutter:
    """Cuts one text for one width of marker, greedily from its start."""

    def __init__(self, source: Source, ruler: Ruler, marker: str) -> None:
        self._source = source
        self._ruler = ruler
        self._marker = marker
        self._everything = (source.fences, source.headings, source.atoms)

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces in order. Raises `LimitTooSmall` where one grapheme does not fit."""
        position, fence = 0, None
        while position < len(self._source.text):
            piece, fence = self._next(position, fence)
            yield piece
            position = piece.stop

    def whole(self) -> Piece | None:
        """Return the text as a single piece, if it fits; then not even an open fence is closed."""
        window = self._window(0, None, dressed=False)
        end = self._rest(window)
        return self._piece(window, end)[0] if end is not None else None

    def _next(self, start: int, fence: Fence | None) -> tuple[Piece, Fence | None]:
        # A fence that leaves no room for even one grapheme is cut as if it were prose.
        for dressed in (True, False):
            window = self._window(start, fence, dressed=dressed)
            for whole in (self._everything, (self._source.fences, self._source.atoms), ()):
                if (end := self._choose(window, whole)) is not None:
                    return self._piece(window, end)
        grapheme = self._source.marks.find(1, start + 1)
        raise LimitTooSmall(
            f"the limit cannot hold what stands at character {start + 1} "
            f"({self._ruler.describe(start, grapheme)}) beside the marker {self._marker!r} "
            f"({len(self._marker)} characters, {escaped_bytes(self._marker)} bytes)"
        )

    def _window(self, start: int, fence: Fence | None, *, dressed: bool) -> _Window:
        source = self._source
        reopened = fence if dressed else None
        begin = start if reopened else source.skip_space(start, len(source.text) - 1)
        guard = GUARD if source.text[begin].isspace() else ""
        head = f"{reopened.opening}\n" if reopened else guard
        likely = max(begin, self._ruler.reach(begin, head + self._marker))
        return _Window(
            start,
            begin,
            reach=self._ruler.reach(begin, head),
            half=begin + (likely - begin) // 2,
            quarter=begin + (likely - begin) // 4,
            head=head,
            fence=reopened,
            dressed=dressed,
        )

    def _choose(self, window: _Window, whole: tuple[Spans[Fence] | Spans[Span], ...]) -> int | None:
        if (end := self._rest(window)) is not None:
            return end
        breaks = self._source.breaks
        for rank, positions in breaks.items():
            floor = window.quarter if rank is Break.WORD else window.half
            if end := self._last(window, positions, floor, whole):
                return end
        return (
            self._last(window, None, window.quarter, whole)
            or max(self._last(window, spots, window.begin, whole) for spots in breaks.values())
            or self._last(window, None, window.begin, whole)
            or None
        )

    def _rest(self, window: _Window) -> int | None:
        """Return the last part's end if everything that is left fits."""
        end = max(self._source.end, self._source.marks.find(1, window.begin + 1))
        return end if end <= window.reach and self._fits(window, end) else None

    def _last(
        self,
        window: _Window,
        positions: list[int] | None,
        floor: int,
        whole: tuple[Spans[Fence] | Spans[Span], ...],
    ) -> int:
        """Return the last of `positions` (None: graphemes) beyond `floor` that may be cut, or 0."""
        most = window.reach
        while most > floor:
            end = self._at_most(positions, most)
            if end <= floor:
                break
            if (barrier := self._barrier(end, whole)) is not None:
                most = barrier
            elif self._fits(window, end):
                return end
            else:
                most = end - 1
        return 0

    def _at_most(self, positions: list[int] | None, most: int) -> int:
        if positions is None:
            return self._source.marks.rfind(1, 0, most + 1)
        index = bisect_right(positions, most)
        return positions[index - 1] if index else 0

    def _barrier(self, end: int, whole: tuple[Spans[Fence] | Spans[Span], ...]) -> int | None:
        """Return the start of the stretch that a cut at `end` would tear though it fits a part."""
        for spans in whole:
            span = spans.around(end)
            if span is not None and self._fits_alone(span):
                return span.start
        return None

    def _fits_alone(self, span: Fence | Span) -> bool:
        end = min(span.end, len(self._source.text))
        fence = self._source.code_at(span.start)
        fence = fence if fence is not None and self._reopens(fence) else None
        head = f"{fence.opening}\n" if fence else ""
        alone = _Window(span.start, span.start, end, end, end, head, fence, dressed=True)
        return self._fits(alone, end)

    def _fits(self, window: _Window, end: int) -> bool:
        foot = self._close(window, end) + place_marker(
            self._marker, own_line=self._wants_own_line(window, end)
        )
        if not foot and self._source.text[end - 1].isspace():
            foot = GUARD
        return self._ruler.fits(window.begin, end, window.head + foot)

    def _close(self, window: _Window, end: int) -> str:
        fence = self._cut_fence(window, end)
        return f"\n{fence.mark}" if fence else ""

    def _wants_own_line(self, window: _Window, end: int) -> bool:
        closes = self._source.fences.ending_at(end) is not None
        return window.dressed and (closes or self._cut_fence(window, end) is not None)

    def _cut_fence(self, window: _Window, end: int) -> Fence | None:
        """Return the fence that is open at `end` in this part, and so is to be closed."""
        fence = self._source.code_at(end)
        if fence is None or not window.dressed or not self._reopens(fence):
            return None
        return fence if fence == window.fence or fence.start >= window.start else None

    def _reopens(self, fence: Fence) -> bool:
        """Whether a part still has at least half its room beside this fence's own lines."""
        if len(fence.opening) > _MAX_OPENING or len(fence.mark) > _MAX_OPENING:
            return False
        lines = f"{fence.opening}\n\n{fence.mark}" + place_marker(self._marker, own_line=True)
        return self._ruler.fits(0, 0, lines * 2)

    def _piece(self, window: _Window, end: int) -> tuple[Piece, Fence | None]:
        source = self._source
        fence = self._cut_fence(window, end)
        if fence is None:
            end = self._without_space(window, end)
        stop = len(source.text)
        if end < source.end:
            stop = source.skip_space(end, stop, in_code=fence is not None)
        close, own_line = self._close(window, end), self._wants_own_line(window, end)
        piece = Piece(window.start, window.begin, end, stop, window.head, close, own_line)
        return piece, fence

    def _without_space(self, window: _Window, end: int) -> int:
        """Move `end` back over white space that the seam can hold."""
        if end >= self._source.end:
            return end
        kept = window.begin + len(self._source.text[window.begin : end].rstrip())
        movable = window.begin < kept and end - kept <= MAX_REMOVED
        return kept if movable and self._fits(window, kept) else end


def place_marker(marker: str, *, own_line: bool) -> str:
    """Return `marker`, led by a line end instead of other white space if it needs `own_line`."""
    bare = marker.lstrip()
    leading = marker[: len(marker) - len(bare)]
    return f"\n{bare}" if own_line and bare and "\n" not in leading else marker
