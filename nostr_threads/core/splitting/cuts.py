"""The cuts that a text allows under a limit, and what each costs.

Knows which blocks fit a part and so stay whole, and where only a cut inside a word is left. Knows
nothing of the choice among the cuts: that is `layout`'s.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from itertools import compress
from operator import sub
from typing import TYPE_CHECKING

from nostr_threads.core.join import MAX_REMOVED, escaped_bytes
from nostr_threads.core.splitting import penalties
from nostr_threads.core.splitting.breaks import Break
from nostr_threads.core.splitting.edges import Edges
from nostr_threads.core.splitting.marker import Dress
from nostr_threads.errors import LimitTooSmall

if TYPE_CHECKING:
    from nostr_threads.core.splitting.marker import Marker
    from nostr_threads.core.splitting.source import Ruler, Source

__all__ = ["Cuts", "NoRoom"]

# No character takes more in JSON: a control character is written \u0000.
_WIDEST = 6
_LONG_SPACE = re.compile(rf"\s{{{4 * MAX_REMOVED},}}")


# The same few marks and fence lines are measured again and again.
_size = lru_cache(maxsize=1_024)(escaped_bytes)


class NoRoom(LimitTooSmall):
    """One grapheme does not fit beside the marker and, maybe, the lines of a reopened fence."""


class Cuts:
    """All cuts of one text under one limit and marker; number 0 is the text's start.

    The part from cut `j` to cut `i` shows `text[begins[j]:ends[i]]`, dressed; between `ends[i]` and
    `begins[i]` is white space. `costs[i]` is what cut `i` costs, and the part that it ends. Cuts in
    white space that the seams of an earlier one take are reached from none; of the others each is
    from the one before it, so there always is a layout. Raises `NoRoom` if a grapheme does not fit.
    `reopen` says whether fences that are cut are closed and reopened.
    """

    def __init__(self, source: Source, ruler: Ruler, marker: Marker, *, reopen: bool) -> None:
        self._source = source
        self._ruler = ruler
        self._marker = marker
        self.edges = Edges(source, ruler, marker, reopen=reopen)
        self._loose = self._without_whole_fences()
        self._thin = self._thinned()
        self._room = self._room_to_spare()
        self.ends, self.begins = [0], [self.edges.begin(0)]
        self.kinds, self.costs = [Break.HEADING], [0]
        self._collect()
        self._charge_torn_blocks()
        wanted = self._ruler.reach(0) // 4
        self._short = max(1, min(penalties.STUB_CHARACTERS, wanted))

    def fits(self, first: int, last: int) -> bool:
        """Whether the part from cut `first` to cut `last` has text and keeps within the limit.

        The text's end is `len(ends)`.
        """
        begin = self.begins[first]
        end = self.edges.end_after(begin) if last == len(self.ends) else self.ends[last]
        return begin < end and self.edges.fits(self.ends[first], begin, end)

    def may_reach_end(self, first: int) -> bool:
        """Whether the text's end is near enough to cut `first` for a part without anything added.

        If not, no earlier cut reaches it either.
        """
        return self._ruler.fits(self.begins[first], max(self._source.end, self.begins[first]))

    def cost_of_last(self, first: int) -> int:
        """Return what the last part costs if it begins with cut `first`: more if it is short."""
        begin = self.begins[first]
        missing = self._short - (self.edges.end_after(begin) - begin)
        return penalties.PART + max(0, penalties.STUB * missing // self._short)

    def rooms(self) -> tuple[list[int], list[int]]:
        """For each cut how far a part beginning there reaches, in characters and in bytes."""
        sums, plain = self._ruler.sums, self._marker.head(Dress())
        characters = self._ruler.characters - len(plain)
        size = self._ruler.bytes - _size(plain)
        by_characters = [begin + characters for begin in self.begins]
        by_bytes = [sums[begin] + size for begin in self.begins]
        for number in self._dressed_heads():
            head = self._marker.head(self.edges.head(self.ends[number], self.begins[number]))
            by_characters[number] -= len(head) - len(plain)
            by_bytes[number] -= _size(head) - _size(plain)
        return by_characters, by_bytes

    def needs(self) -> tuple[list[int], list[int]]:
        """For each cut how far a part must reach to end there, in characters and in bytes."""
        sums, plain = self._ruler.sums, self._marker.foot(Dress())
        characters, size = len(plain), _size(plain)
        by_characters = [end + characters for end in self.ends]
        by_bytes = [sums[end] + size for end in self.ends]
        for number in self._dressed_feet():
            foot = self._marker.foot(self.edges.foot(self.ends[number]))
            by_characters[number] += len(foot) - len(plain)
            by_bytes[number] += _size(foot) - _size(plain)
        return by_characters, by_bytes

    def _dressed_heads(self) -> set[int]:
        text = self._source.text
        white = {number for number, begin in enumerate(self.begins) if text[begin].isspace()}
        return white.union(*self._beside_fences(self.begins))

    def _dressed_feet(self) -> set[int]:
        text = self._source.text
        white = {number for number, end in enumerate(self.ends) if end and text[end - 1].isspace()}
        return white.union(*self._beside_fences(self.ends))

    def _beside_fences(self, places: list[int]) -> list[range]:
        """The cuts at or inside fences, of which those that are whole have only their edges."""
        return [
            range(bisect_left(places, fence.start), bisect_right(places, fence.end))
            for fence in self._source.blocks.fences
        ]

    def _without_whole_fences(self) -> bytearray:
        loose = bytearray(self._source.loose)
        last = len(self._source.text)
        for fence in self.edges.whole:
            end = min(fence.end, last)
            loose[fence.start + 1 : end] = bytes(end - fence.start - 1)
        return loose

    def _thinned(self) -> bytearray:
        """Leave out most of the cuts inside long white space: its seams make them all alike."""
        thin = bytearray(self._loose)
        for match in _LONG_SPACE.finditer(self._source.text):
            first, last = match.start() + 1, match.end()
            kept = thin[first:last:MAX_REMOVED]
            thin[first:last] = bytes(last - first)
            thin[first:last:MAX_REMOVED] = kept
        return thin

    def _room_to_spare(self) -> tuple[int, int]:
        """Characters and bytes that a part surely holds, whatever its edges ask for."""
        marker, plain = self._marker, Dress(fenced=True)
        added = [marker.head(plain) + marker.foot(plain)]
        added += self.edges.widest_additions()
        # Two different fences, one at each edge, take no more than twice the largest; and guards.
        characters = self._ruler.characters - 2 * max(map(len, added)) - 2
        return characters, self._ruler.bytes - 2 * max(map(_size, added)) - _WIDEST

    def _collect(self) -> None:
        places, loose = self._source.places, self._loose
        first = 0
        for end, kind, cost in zip(places.positions, places.kinds, places.costs, strict=True):
            if loose[end]:
                first = self._add_between(first, end)
                self._add(end, kind, cost + penalties.PART)
                if self.begins[first] < end:
                    first = len(self.ends) - 1
        self._add_between(first, len(self._source.text))

    def _add_between(self, first: int, end: int) -> int:
        """Add cuts until `end` can be reached; return from which, having come to cut `first`."""
        if not self._is_near(self.ends[first], end):
            for place in self._between(self.ends[first], end, 0):
                self._add(place, self._kind_between(place), self._cost_between(place))
                if self.begins[first] < place:
                    first = len(self.ends) - 1
        return first

    def _add(self, place: int, kind: Break, cost: int) -> None:
        self.ends.append(place)
        self.begins.append(self.edges.begin(place))
        self.kinds.append(kind)
        self.costs.append(cost)

    def _is_near(self, first: int, last: int) -> bool:
        """Whether a part from one cut to the next surely fits; if this is false, it still may."""
        characters, size = self._room
        sums = self._ruler.sums
        return last - first <= characters and sums[last] - sums[first] <= size

    def _between(self, first: int, last: int, level: int) -> list[int]:
        """Return as many cuts between two as it takes for each to be reached from the last.

        First those outside links and the like; then, since one of these fits no part, those at
        the white space in it, those outside the links in it, and all.
        """
        begin = self.edges.begin(first)
        end = self.edges.end_after(begin) if last == len(self._source.text) else last
        if begin >= end or self.edges.fits(first, begin, end):
            return []
        if level > 3:
            self._refuse(begin)
        if level == 0:
            few = list(compress(range(begin + 1, end), self._thin[begin + 1 : end]))
            if self._are_near([first, *few, end]):
                return few
        marks = self._marks(level)
        places = list(compress(range(begin + 1, end), marks[begin + 1 : end]))
        if self._are_near([first, *places, end]):
            return places
        found: list[int] = []
        for place in places:
            more = [*self._between(first, place, level + 1), place]
            found += more
            for each in more:
                # What the seams take whole leads nowhere.
                first = each if self.edges.begin(first) < each else first
        return found + self._between(first, last, level + 1)

    def _marks(self, level: int) -> bytearray:
        if level == 0:
            return self._loose
        if level == 1:
            return self._source.spaces
        return self._source.outside_links if level == 2 else self._source.marks

    def _kind_between(self, place: int) -> Break:
        in_atom = not self._loose[place]
        return Break.WORD if in_atom and self._source.spaces[place] else Break.GRAPHEME

    def _cost_between(self, place: int) -> int:
        cost = penalties.BREAK[self._kind_between(place)] + penalties.PART
        # Inside a link or a code it is worse still.
        return cost if self._loose[place] else 2 * cost

    def _are_near(self, places: list[int]) -> bool:
        widest: int = max(map(sub, places[1:], places))
        characters, size = self._room
        return widest <= characters and widest * _WIDEST <= size

    def _refuse(self, begin: int) -> None:
        end = self._source.marks.find(1, begin + 1)
        size = escaped_bytes(self._source.text[begin:end])
        marker = self._marker.before + self._marker.after
        raise NoRoom(
            f"the limit cannot hold what stands at character {begin + 1} "
            f"({end - begin} characters, {size} bytes) beside the marker {marker!r} "
            f"({len(marker)} characters, {escaped_bytes(marker)} bytes)"
        )

    def _charge_torn_blocks(self) -> None:
        blocks = self._source.blocks
        for block in (*blocks.tables, *blocks.codes):
            fits = self.edges.fits_plain(block.start, block.end)
            first = bisect_left(self.ends, block.start + 1)
            for number in range(first, bisect_left(self.ends, block.end)):
                self.costs[number] += penalties.TORN_BLOCK if fits else penalties.TORN_CODE
