"""Where a text may be cut without tearing a character that a person sees as one.

Knows the extended grapheme clusters of UAX #29, through `regex`. Knows nothing of words, lines or
Markdown.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import regex

__all__ = ["grapheme_marks"]

# Between two characters that are not in here every cut is allowed. Nearly all texts consist of
# those, so only the rest is looked at closely, each stretch with one character on either side.
_INTRICATE = re.compile(
    r"[\r\u00a9\u00ae\u0300-\u3040\u3097-\u30a0\u30fb-\u33ff\u4dc0-\u4dff\ua000-\U0010ffff]+"
)
_FLAGS = re.compile(r"[\U0001f1e6-\U0001f1ff]{34,}")
# `regex` counts a run of regional letters back to its start for each of them; in slices it cannot.
_LETTERS_AT_ONCE = 32


def grapheme_marks(text: str) -> bytearray:
    """Return one byte per position from 0 to `len(text)`: 1 where a cut is allowed, 0 elsewhere.

    Both ends are always allowed. Takes time linear in the text.
    """
    marks = bytearray(b"\x01") * (len(text) + 1)
    for match in _INTRICATE.finditer(text):
        for start, end in _slices(text, max(0, match.start() - 1), match.end() + 1):
            for cluster in _cluster().finditer(text[start:end]):
                length = cluster.end() - cluster.start()
                if length > 1:
                    first = start + cluster.start() + 1
                    marks[first : first + length - 1] = bytes(length - 1)
    return marks


@lru_cache(maxsize=1)
def _cluster() -> regex.Pattern[str]:
    import regex

    return regex.compile(r"\X")


def _slices(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut long runs of regional letters, of which each two make a flag, after whole flags."""
    for run in _FLAGS.finditer(text, start, end):
        for place in range(run.start() + _LETTERS_AT_ONCE, run.end(), _LETTERS_AT_ONCE):
            yield start, place
            start = place
    yield start, end
