"""A text to be split: what is known of it under every limit, and its measure against one.

Knows where graphemes, protected stretches and places to break are, and how large any stretch is;
each is found once, in linear time. Knows nothing of parts.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from nostr_threads.core.join import MAX_REMOVED, escaped_bytes
from nostr_threads.core.splitting.blocks import find_blocks
from nostr_threads.core.splitting.graphemes import grapheme_marks
from nostr_threads.core.splitting.places import find_places
from nostr_threads.core.splitting.spans import find_atoms, find_links

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Ruler", "Source"]

_SPACE = re.compile(rf"\s{{0,{MAX_REMOVED}}}")
_WORD_END = re.compile(r"(?<=\S)\s")
# Blank lines may go, but the indentation of the next line of code must stay.
_SPACE_IN_CODE = re.compile(rf"(?:\r?\n){{1,{MAX_REMOVED // 2}}}|[ \t]{{0,{MAX_REMOVED}}}")


class Source:
    """A text and what is known of it under every limit, found once in linear time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.marks = grapheme_marks(text)
        self.blocks = find_blocks(text)
        self._atoms = find_atoms(text, self.marks, self.blocks.fences)
        self.loose = self._loose()
        self.places = find_places(text, self.loose, self.blocks)
        # Where the last part may stop, the white space behind it going into its seam.
        self.end = self.marks.find(1, max(len(text.rstrip()), len(text) - MAX_REMOVED))

    @cached_property
    def byte_sums(self) -> list[int]:
        """The JSON-escaped bytes up to each position."""
        return list(accumulate(map(_Sizes().__getitem__, self.text), initial=0))

    @cached_property
    def spaces(self) -> bytearray:
        """The marks at white space inside links and codes."""
        spaces = bytearray(len(self.marks))
        for atom in self._atoms:
            for match in _WORD_END.finditer(self.text, atom.start + 1, atom.end):
                spaces[match.start()] = self.marks[match.start()]
        return spaces

    @cached_property
    def outside_links(self) -> bytearray:
        """The marks, without those inside links: those inside other atoms are here."""
        outside = bytearray(self.marks)
        for link in find_links(self.text, self.marks, self._atoms):
            outside[link.start + 1 : link.end] = bytes(link.end - link.start - 1)
        return outside

    def skip_space(self, position: int, *, in_code: bool = False) -> int:
        """Return the last cut, short of the end, with only a seam's white space before it."""
        if not in_code and not self.text[position].isspace():
            return position
        match = (_SPACE_IN_CODE if in_code else _SPACE).match(self.text, position)
        end = min(match.end(), len(self.text) - 1) if match else position
        return max(position, self.marks.rfind(1, position, end + 1))

    def _loose(self) -> bytearray:
        """The marks, without those inside links, codes and the first and last lines of fences."""
        loose = bytearray(self.marks)
        for atom in self._atoms:
            loose[atom.start + 1 : atom.end] = bytes(atom.end - atom.start - 1)
        for fence in self.blocks.fences:
            loose[fence.start + 1 : fence.body + 1] = bytes(fence.body - fence.start)
            if fence.tail < fence.end <= len(self.text):
                first = max(fence.body, fence.tail - 1)
                loose[first : fence.end] = bytes(fence.end - first)
        return loose


class Ruler:
    """Measures stretches of a text against at most `characters` and `bytes` (JSON, escaped)."""

    def __init__(self, source: Source, characters: int | None, most_bytes: int | None) -> None:
        unbounded = 7 * len(source.text) + 10_000
        self.characters = unbounded if characters is None else characters
        self.bytes = unbounded if most_bytes is None else most_bytes
        self.sums: Sequence[int] = (
            range(len(source.text) + 1) if most_bytes is None else source.byte_sums
        )

    def reach(self, begin: int, added: str = "") -> int:
        """Return the furthest end such that `text[begin:end]` fits together with `added`."""
        budget = self.sums[begin] + self.bytes - escaped_bytes(added)
        by_bytes = bisect_right(self.sums, budget) - 1
        return min(begin + self.characters - len(added), by_bytes)

    def least_parts(self) -> int:
        """Return how many parts the text takes at least, whatever its cuts."""
        # Both seams of a part hold white space that it does not show.
        by_characters = len(self.sums) // (self.characters + 2 * MAX_REMOVED)
        by_bytes = self.sums[-1] // (self.bytes + 2 * MAX_REMOVED * _WIDEST)
        return max(by_characters, by_bytes)

    def fits(self, begin: int, end: int, added: str = "") -> bool:
        """Whether `text[begin:end]` fits together with `added`."""
        if end - begin + len(added) > self.characters:
            return False
        return self.sums[end] - self.sums[begin] + escaped_bytes(added) <= self.bytes


# No character takes more in JSON: a control character is written \u0000.
_WIDEST = 6


class _Sizes(dict[str, int]):
    def __missing__(self, char: str) -> int:
        self[char] = escaped_bytes(char)
        return self[char]
