"""The two edges of a part: the white space left out there, and what is added.

Knows which fences fit no part and so are closed and reopened, and measures a part with all that is
added to it. Knows nothing of where it would be good to cut.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from nostr_threads.core.splitting.marker import Dress

if TYPE_CHECKING:
    from nostr_threads.core.splitting.marker import Marker
    from nostr_threads.core.splitting.source import Ruler, Source
    from nostr_threads.core.splitting.spans import Fence

__all__ = ["Edges"]

_MAX_OPENING = 80


class Edges:
    """What cuts of one text ask for under one limit and marker.

    `whole` are the fences that fit a part, `long` those that are closed and reopened: unless
    `reopen` is false, then they are cut as if they were prose.
    """

    def __init__(self, source: Source, ruler: Ruler, marker: Marker, *, reopen: bool) -> None:
        self._source = source
        self._ruler = ruler
        self._marker = marker
        fences = source.blocks.fences
        self._leads = {fence.start: fence.lead[-_MAX_OPENING:] for fence in fences if reopen}
        self.whole = [fence for fence in fences if self._fits_whole(fence)]
        cut = [fence for fence in fences if reopen and not self._fits_whole(fence)]
        self.long = [fence for fence in cut if self._reopens(fence)]
        self._reopened = {
            fence.start: Dress(opening=f"{fence.opening}\n", fenced=True) for fence in self.long
        }
        self._closed = {
            fence.start: Dress(close=f"\n{fence.mark}", fenced=True) for fence in self.long
        }
        self._starts_of_long = [fence.start for fence in self.long]
        self._ends = {fence.end for fence in fences} if reopen else frozenset()

    def begin(self, position: int) -> int:
        """Return where the next part's text begins after a cut at `position`."""
        stop = self.stop(position)
        # The text's start has one seam, another cut has two: before it and after it.
        if position == 0 or self._code_at(position) is not None:
            return stop
        return self._source.skip_space(stop)

    def stop(self, position: int) -> int:
        """Return where the white space ends that the seam before a cut at `position` takes."""
        in_code = self._code_at(position) is not None
        return self._source.skip_space(position, in_code=in_code)

    def end_after(self, begin: int) -> int:
        """Return where the last part ends, if it begins at `begin`."""
        return max(self._source.end, self._source.marks.find(1, begin + 1))

    def head(self, position: int, begin: int) -> Dress:
        """Return what stands before a part that begins at `begin`, after a cut at `position`."""
        fence = self._code_at(position)
        if fence is not None:
            return self._reopened[fence.start]
        if begin in self._leads:
            return Dress(opening=self._leads[begin], fenced=True)
        return Dress(white=self._source.text[begin].isspace())

    def foot(self, end: int) -> Dress:
        """Return what stands after a part that ends at `end`."""
        fence = self._code_at(end)
        if fence is not None:
            return self._closed[fence.start]
        return Dress(fenced=end in self._ends, white=self._source.text[end - 1].isspace())

    def fits(self, position: int, begin: int, end: int) -> bool:
        """Whether the part from a cut at `position`, beginning at `begin`, to `end` fits."""
        marker = self._marker
        added = marker.head(self.head(position, begin)) + marker.foot(self.foot(end))
        return self._ruler.fits(begin, end, added)

    def fits_plain(self, begin: int, end: int) -> bool:
        """Whether `text[begin:end]` fits a part that cuts no fence."""
        dress = Dress()
        return self._ruler.fits(begin, end, self._marker.head(dress) + self._marker.foot(dress))

    def widest_additions(self) -> list[str]:
        """Return all that may be added to a part because of a fence, for each that asks for any."""
        marker, foot = self._marker, self._marker.foot(Dress(fenced=True))
        added = {
            marker.head(Dress(opening=lead, fenced=True)) + foot for lead in self._leads.values()
        }
        return [*added, *map(self._around, self.long)]

    def _around(self, fence: Fence) -> str:
        head = self._marker.head(Dress(opening=f"{fence.opening}\n"))
        return head + self._marker.foot(Dress(close=f"\n{fence.mark}"))

    def _fits_whole(self, fence: Fence) -> bool:
        end = min(fence.end, len(self._source.text))
        head = self._marker.head(Dress(opening=self._leads.get(fence.start, ""), fenced=True))
        foot = self._marker.foot(Dress(fenced=True))
        return self._ruler.fits(fence.start, end, head + foot)

    def _reopens(self, fence: Fence) -> bool:
        """Whether a part still has at least half its room beside this fence's own lines."""
        if max(len(fence.opening), len(fence.mark)) > _MAX_OPENING:
            return False
        return self._ruler.fits(0, 0, self._around(fence) * 2)

    def _code_at(self, position: int) -> Fence | None:
        """Return the reopened fence whose code a cut at `position` parts."""
        index = bisect_left(self._starts_of_long, position) - 1
        if index < 0:
            return None
        fence = self.long[index]
        inside = fence.body <= position <= fence.tail and position < fence.end
        return fence if inside else None
