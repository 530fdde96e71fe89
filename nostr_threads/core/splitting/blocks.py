"""The blocks of a Markdown text and where they stand: headings, lists, tables, code, paragraphs.

The only door to the Markdown parser, of which only the block rules run. Knows nothing of cuts.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from nostr_threads.core.splitting.spans import Fence, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["Blocks", "find_blocks"]

# Those that the parser knows, which also is where it counts its lines.
_LINE_END = re.compile(r"\r\n?|\n")
_INDENT = re.compile(r"[^\S\r\n]*")
_NOT_A_QUOTE = re.compile(r"[^>\t]")
# Behind more than three spaces, at a line's start or inside a quote, no mark opens a block.
_DEEP = re.compile(r"(?:\A|(?<=> )) {4,}")
# Rules that are not asked: text inside blocks, and link definitions, which are like paragraphs.
_UNASKED = ["inline", "text_join", "reference"]


@dataclass(frozen=True)
class Blocks:
    """The blocks of one text in order of their starts; lists and items may be nested.

    A block begins with the first character of its line that is not white space (a mark of a list
    or quote counts), and ends with the last such character.
    """

    fences: tuple[Fence, ...]
    headings: tuple[Span, ...]
    tables: tuple[Span, ...]
    codes: tuple[Span, ...]
    lists: tuple[Span, ...]
    items: tuple[Span, ...]
    paragraphs: tuple[Span, ...]

    @cached_property
    def introduced(self) -> frozenset[int]:
        """Where blocks start that the text above often introduces."""
        several: tuple[Sequence[Span | Fence], ...] = (self.tables, self.codes, self.lists)
        starts = {block.start for blocks in several for block in blocks}
        return frozenset(starts.union(fence.start for fence in self.fences))

    @cached_property
    def heading_starts(self) -> frozenset[int]:
        """Where headings start."""
        return frozenset(heading.start for heading in self.headings)

    @cached_property
    def item_starts(self) -> frozenset[int]:
        """Where list items start."""
        return frozenset(item.start for item in self.items)

    @cached_property
    def list_starts(self) -> frozenset[int]:
        """Where lists start."""
        return frozenset(each.start for each in self.lists)

    @cached_property
    def paragraph_ends(self) -> frozenset[int]:
        """Where paragraphs end."""
        return frozenset(paragraph.end for paragraph in self.paragraphs)

    @cached_property
    def ends(self) -> frozenset[int]:
        """Where the text of a block ends."""
        several = (self.headings, self.tables, self.codes, self.lists, self.paragraphs)
        ends = {block.end for blocks in several for block in blocks}
        return frozenset(ends.union(fence.end for fence in self.fences))

    def depth(self, start: int, end: int) -> int:
        """Count the list items that the white space from `start` to `end` is inside of."""
        starts, ends = self._item_edges
        return bisect_left(starts, end) - bisect_right(ends, start)

    @cached_property
    def _item_edges(self) -> tuple[list[int], list[int]]:
        return [item.start for item in self.items], sorted(item.end for item in self.items)


def find_blocks(text: str) -> Blocks:
    """Return the blocks of `text` (CommonMark and tables), nested twenty deep at most."""
    places = _Places(text)
    found: dict[str, list[Span]] = {}
    fences: list[Fence] = []
    for token in _parser().parse(text):
        if token.map is None or token.nesting < 0:
            continue
        if token.type == "fence":
            fences.append(places.fence(token))
        else:
            found.setdefault(token.type, []).append(places.span(token))
    lists = [*found.get("bullet_list_open", ()), *found.get("ordered_list_open", ())]
    return Blocks(
        tuple(fences),
        tuple(found.get("heading_open", ())),
        tuple(found.get("table_open", ())),
        tuple(found.get("code_block", ())),
        tuple(lists),
        tuple(sorted(found.get("list_item_open", ()), key=lambda item: item.start)),
        tuple(found.get("paragraph_open", ())),
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(_UNASKED)


class _Places:
    """Turns the parser's lines into positions of the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def span(self, token: Token) -> Span:
        first, after = token.map or (0, 0)
        start = self._first_character(first)
        return Span(start, max(start, self._last_character(first, after)))

    def fence(self, token: Token) -> Fence:
        text = self._text
        first, after = token.map or (0, 0)
        line, start = self._lines[first], self._first_character(first)
        mark = text.index(token.markup, line)
        # A list's mark cannot be repeated, but the lines of code are indented by its width.
        around = _NOT_A_QUOTE.sub(" ", text[line:mark]).expandtabs(4)
        body = min(self._line(first + 1), len(text))
        opening = text[mark:body].rstrip()
        last = after - 1
        end = self._last_character(first, after)
        closing = text[self._line(last) : end].strip(" \t>") if last > first else ""
        if len(closing) >= len(token.markup) and not closing.strip(token.markup[0]):
            tail = self._line(last)
        elif self._line(after) == len(text):
            tail, end = len(text), len(text) + 1
        else:
            # The list or quote around it ends, and the fence with it.
            tail = end = max(body, end)
        lead = _standing_alone(text[line:start].expandtabs(4))
        opening = _standing_alone(around) + opening
        return Fence(start, body, tail, end, opening, around + token.markup, lead)

    def _line(self, number: int) -> int:
        return self._lines[number] if number < len(self._lines) else len(self._text)

    def _first_character(self, line: int) -> int:
        match = _INDENT.match(self._text, self._line(line))
        return match.end() if match else self._line(line)

    def _last_character(self, first: int, after: int) -> int:
        start, end = self._line(first), self._line(after)
        while end > start and self._text[end - 1].isspace():
            end -= 1
        return end


def _standing_alone(around: str) -> str:
    """Put what is too deep for a block of its own into list items as wide."""
    return _DEEP.sub(lambda match: _items(len(match[0])), around)


def _items(width: int) -> str:
    # A list's mark takes two characters at least, and five at most.
    last = 4 + width % 2
    return "- " * ((width - last) // 2) + "-".ljust(last)
