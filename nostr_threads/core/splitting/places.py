"""The places to break a text at, each with its kind and what breaking there costs.

Knows what blocks, lines, sentences and words ask for. Knows no limits: what a block costs that
would have fitted a part, and graphemes where nothing better is left, are for `cuts` to add.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.join import MAX_REMOVED
from nostr_threads.core.splitting import penalties
from nostr_threads.core.splitting.breaks import Break
from nostr_threads.core.splitting.sentences import ends_sentence, find_cjk_breaks, rank_of_space

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.splitting.blocks import Blocks
    from nostr_threads.core.splitting.spans import Fence

__all__ = ["Places", "find_places"]

_WHITE = re.compile(r"\s+")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028]")
_CODE_LINE_ENDS = re.compile(r"(?:\r?\n)+")
_CODE_SPACE = re.compile(r"(?<=\S)[ \t]+(?=\S)")
# A list's, quote's or heading's mark alone: what it marks must not be cut from it.
_BARE_MARK = re.compile(r"(?:\A|[\n\r])[ \t>]*(?:[-+*>]|#{1,6}|\d{1,9}[.)])\Z")
_ENDS_OF_MARKS = frozenset("-+*>#.)")
_LONGEST_MARK = 40


@dataclass(frozen=True, slots=True)
class Places:
    """Where to break, rising: the kind of each place and its cost, but for that of a part.

    White space, if there is any, follows a place.
    """

    positions: list[int]
    kinds: list[Break]
    costs: list[int]


def find_places(text: str, loose: bytearray, blocks: Blocks) -> Places:
    """Return every place to break at where `loose` has a 1. Takes time linear in the text."""
    found: dict[int, tuple[Break, int]] = {}
    start = 0
    for fence in blocks.fences:
        found.update(_in_prose(text, start, fence.start, blocks))
        found.update(_in_code(text, fence))
        start = fence.end
    found.update(_in_prose(text, start, len(text), blocks))
    positions = sorted(position for position in found if loose[position])
    kinds = [found[position][0] for position in positions]
    costs = [found[position][1] for position in positions]
    places = Places(positions, kinds, costs)
    _charge_headings(places, blocks)
    _charge_tables(places, blocks)
    return places


def _in_prose(
    text: str, start: int, end: int, blocks: Blocks
) -> Iterator[tuple[int, tuple[Break, int]]]:
    for place, rank in find_cjk_breaks(text, start, min(end, len(text))):
        yield place, (rank, penalties.BREAK[rank])
    word = (Break.WORD, penalties.BREAK[Break.WORD])
    for match in _WHITE.finditer(text, start, end):
        begin, stop = match.span()
        if begin == 0 or (stop == len(text) and stop - begin <= MAX_REMOVED):
            continue
        white = match[0]
        if white == " " and text[begin - 1].isalnum():
            yield begin, word
        elif (lines := _lines(white)) > 0:
            yield begin, _at_line_end(text, begin, stop, lines, blocks)
        elif not _is_bare_mark(text, begin):
            rank = rank_of_space(text, begin, stop)
            yield begin, (rank, penalties.BREAK[rank])


def _at_line_end(text: str, start: int, end: int, lines: int, blocks: Blocks) -> tuple[Break, int]:
    depth = blocks.depth(start, end)
    rank = _rank_of_line_end(start, end, lines, depth, blocks)
    cost = penalties.BREAK[rank] + penalties.NESTED * depth
    if rank is Break.PARAGRAPH and depth:
        cost += penalties.INSIDE_ITEM
    if text[start - 1] in ":：":  # noqa: RUF001
        cost += penalties.LEAD_IN_LEFT
    elif end in blocks.introduced and start in blocks.paragraph_ends:
        cost += penalties.TEXT_ABOVE_LEFT
    elif rank is Break.LINE and _goes_on(text, start, end):
        cost += penalties.MID_SENTENCE
    return rank, cost


def _rank_of_line_end(start: int, end: int, lines: int, depth: int, blocks: Blocks) -> Break:
    if end in blocks.heading_starts:
        return Break.HEADING
    if end in blocks.item_starts and (depth or end not in blocks.list_starts):
        return Break.ITEM
    if lines > 1 or start in blocks.ends or end in blocks.introduced:
        return Break.PARAGRAPH
    return Break.LINE


def _goes_on(text: str, start: int, end: int) -> bool:
    after = text[end : end + 1]
    return after.islower() and not ends_sentence(text[max(0, start - 10) : start], "")


def _in_code(text: str, fence: Fence) -> Iterator[tuple[int, tuple[Break, int]]]:
    word = (Break.WORD, penalties.BREAK[Break.WORD] + penalties.INSIDE_FENCE)
    for match in _CODE_SPACE.finditer(text, fence.body, fence.tail):
        yield match.start(), word
    line = penalties.BREAK[Break.LINE] + penalties.INSIDE_FENCE
    for match in _CODE_LINE_ENDS.finditer(text, fence.body, fence.tail):
        # A fence is not broken right inside its first or last line: that part would be empty.
        if fence.body < match.start() and match.end() < fence.tail:
            blank = match[0].count("\n") > 1
            yield match.start(), (Break.LINE, line + (0 if blank else penalties.TORN_CODE))


def _charge_headings(places: Places, blocks: Blocks) -> None:
    for heading in blocks.headings:
        for index in _between(places, heading.start + 1, heading.end):
            places.costs[index] += penalties.HEADING_LEFT


def _charge_tables(places: Places, blocks: Blocks) -> None:
    for table in blocks.tables:
        rows = 0
        for index in _between(places, table.start + 1, table.end - 1):
            if places.kinds[index] is not Break.LINE:
                places.costs[index] += penalties.INSIDE_CELL
            else:
                rows += 1
            # The head and the line below it; their breaks are the first two.
            if rows < 2 or (rows == 2 and places.kinds[index] is Break.LINE):
                places.costs[index] += penalties.TABLE_HEAD_LEFT


def _between(places: Places, first: int, last: int) -> range:
    return range(bisect_left(places.positions, first), bisect_right(places.positions, last))


def _lines(white: str) -> int:
    """Count line ends. A paragraph separator (U+2029) is worth two."""
    if white == " ":
        return 0
    return len(_LINE_END.findall(white)) + 2 * white.count("\u2029")


def _is_bare_mark(text: str, end: int) -> bool:
    if text[end - 1] not in _ENDS_OF_MARKS:
        return False
    start = max(0, end - _LONGEST_MARK)
    found = _BARE_MARK.search(text, start, end)
    return found is not None and (found.start() > 0 or start == 0 or found[0][0] in "\r\n")
