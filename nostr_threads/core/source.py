"""A text to be split: what is known of it under every limit, and its measure against one.

Knows where graphemes, protected stretches and breaks are, and how large any stretch is; each is
found once, in linear time. Knows nothing of parts.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from nostr_threads.core.breaks import find_breaks
from nostr_threads.core.graphemes import grapheme_marks
from nostr_threads.core.join import MAX_REMOVED, escaped_bytes
from nostr_threads.core.spans import find_atoms, find_fences, find_headings

if TYPE_CHECKING:
    from nostr_threads.core.breaks import Breaks
    from nostr_threads.core.spans import Fence, Span, Spans

__all__ = ["Ruler", "Source"]

_SPACE = re.compile(rf"\s{{0,{MAX_REMOVED}}}")
# The indentation of the next line of code must stay.
_SPACE_IN_CODE = re.compile(rf"\r?\n|[ \t]{{0,{MAX_REMOVED}}}")


class Source:
    """A text and what is known of it under every limit, found once in linear time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.marks = grapheme_marks(text)
        self.fences: Spans[Fence] = find_fences(text)
        self.headings: Spans[Span] = find_headings(text, self.fences)
        self.atoms: Spans[Span] = find_atoms(text, self.marks, self.fences)
        self.breaks: Breaks = find_breaks(text, self.marks, self.fences, self.headings)
        # Where the last part may stop, the white space behind it going into its seam.
        self.end = self.marks.find(1, max(len(text.rstrip()), len(text) - MAX_REMOVED))

    def skip_space(self, position: int, most: int, *, in_code: bool = False) -> int:
        """Return the last cut up to `most` with nothing but a seam's white space before it."""
        match = (_SPACE_IN_CODE if in_code else _SPACE).match(self.text, position)
        end = min(match.end(), most) if match else position
        return max(position, self.marks.rfind(1, position, end + 1))

    def code_at(self, position: int) -> Fence | None:
        """Return the fence whose code a cut at `position` parts."""
        fence = self.fences.around(position)
        return fence if fence is not None and fence.has_code_at(position) else None


class Ruler:
    """Measures stretches of `text` against at most `characters` and `bytes` (JSON, escaped)."""

    def __init__(self, text: str, characters: int | None, most_bytes: int | None) -> None:
        unbounded = 7 * len(text) + 10_000
        self._text = text
        self._characters = unbounded if characters is None else characters
        self._bytes = unbounded if most_bytes is None else most_bytes
        sizes = _Sizes()
        self._sums = (
            range(len(text) + 1)
            if most_bytes is None
            else list(accumulate(map(sizes.__getitem__, text), initial=0))
        )

    def reach(self, begin: int, added: str = "") -> int:
        """Return the furthest end such that `text[begin:end]` fits together with `added`."""
        budget = self._sums[begin] + self._bytes - escaped_bytes(added)
        by_bytes = bisect_right(self._sums, budget) - 1
        return min(begin + self._characters - len(added), by_bytes)

    def fits(self, begin: int, end: int, added: str) -> bool:
        """Whether `text[begin:end]` fits together with `added`."""
        return end <= self.reach(begin, added)

    def describe(self, begin: int, end: int) -> str:
        """Say how large `text[begin:end]` is, in characters and bytes."""
        size = escaped_bytes(self._text[begin:end])
        return f"{end - begin} characters, {size} bytes"


class _Sizes(dict[str, int]):
    def __missing__(self, char: str) -> int:
        self[char] = escaped_bytes(char)
        return self[char]
