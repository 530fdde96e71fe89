"""Where a text may be cut without tearing a character that a person sees as one.

Knows the extended grapheme clusters of UAX #29 as far as `unicodedata` tells them; Indic conjuncts
stay whole too. Knows nothing of words, lines or Markdown.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache

__all__ = ["grapheme_marks"]

_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA_CLASS = 9
# Below U+0300 nothing joins what stands before it, but for the LF of a CR LF and the two signs that
# are also emoji. Han never joins either; leaving it out makes long Chinese texts cheap.
_MAY_JOIN = re.compile(
    r"(?<=\r)\n|(?<=\u200d)[\u00a9\u00ae]|[\u0300-\u33ff\u4dc0-\u4dff\ua000-\U0010ffff]"
)
# Letters and signs that UAX #29 counts as marks, though their category says otherwise.
_OTHER_MARKS = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f")
_OTHER_PICTURES = frozenset("\u00a9\u00ae\u203c\u2049\u2122\u2139\u3030\u303d\u3297\u3299")


class _Kind(Enum):
    MARK = auto()
    CONTROL = auto()
    REGIONAL = auto()
    PICTURE = auto()
    HANGUL_L = auto()
    HANGUL_V = auto()
    HANGUL_T = auto()
    HANGUL_LV = auto()
    HANGUL_LVT = auto()
    OTHER = auto()


_RANGES = (
    (0x1100, 0x115F, _Kind.HANGUL_L),
    (0xA960, 0xA97C, _Kind.HANGUL_L),
    (0x1160, 0x11A7, _Kind.HANGUL_V),
    (0xD7B0, 0xD7C6, _Kind.HANGUL_V),
    (0x11A8, 0x11FF, _Kind.HANGUL_T),
    (0xD7CB, 0xD7FB, _Kind.HANGUL_T),
    (0xAC00, 0xD7A3, _Kind.HANGUL_LVT),
    (0x1F1E6, 0x1F1FF, _Kind.REGIONAL),
    (0x1F3FB, 0x1F3FF, _Kind.MARK),
    (0xE0020, 0xE007F, _Kind.MARK),
    (0x2190, 0x2BFF, _Kind.PICTURE),
    (0x1F000, 0x1FAFF, _Kind.PICTURE),
)

_SYLLABLES = frozenset(
    {
        (_Kind.HANGUL_L, _Kind.HANGUL_L),
        (_Kind.HANGUL_L, _Kind.HANGUL_V),
        (_Kind.HANGUL_L, _Kind.HANGUL_LV),
        (_Kind.HANGUL_L, _Kind.HANGUL_LVT),
        (_Kind.HANGUL_V, _Kind.HANGUL_V),
        (_Kind.HANGUL_V, _Kind.HANGUL_T),
        (_Kind.HANGUL_LV, _Kind.HANGUL_V),
        (_Kind.HANGUL_LV, _Kind.HANGUL_T),
        (_Kind.HANGUL_T, _Kind.HANGUL_T),
        (_Kind.HANGUL_LVT, _Kind.HANGUL_T),
    }
)


def grapheme_marks(text: str) -> bytearray:
    """Return one byte per position from 0 to `len(text)`: 1 where a cut is allowed, 0 elsewhere.

    Both ends are always allowed. Takes time linear in the text.
    """
    marks = bytearray(b"\x01") * (len(text) + 1)
    for match in _MAY_JOIN.finditer(text):
        position = match.start()
        if position and _joins(text, position, marks):
            marks[position] = 0
    return marks


def _joins(text: str, position: int, marks: bytearray) -> bool:
    """Whether the character at `position` belongs to the same grapheme as the one before it."""
    before, here = text[position - 1], text[position]
    if here == "\n":
        return True
    first, second = _kind(before), _kind(here)
    match second:
        case _Kind.MARK:
            return first is not _Kind.CONTROL
        case _Kind.REGIONAL:
            # Flags are pairs: join only a letter that itself begins a grapheme.
            return first is _Kind.REGIONAL and marks[position - 1] == 1
        case _Kind.PICTURE:
            return before == _ZERO_WIDTH_JOINER and marks[position - 1] == 0
        case _Kind.OTHER:
            conjunct = unicodedata.combining(before) == _VIRAMA_CLASS
            return conjunct and unicodedata.category(here) == "Lo"
        case _:
            return (first, second) in _SYLLABLES


@lru_cache(maxsize=8192)
def _kind(char: str) -> _Kind:
    category = unicodedata.category(char)
    if char in _OTHER_MARKS or category in {"Mn", "Me", "Mc"}:
        return _Kind.MARK
    if char in _OTHER_PICTURES:
        return _Kind.PICTURE
    for low, high, kind in _RANGES:
        if low <= ord(char) <= high:
            # Every 28th precomposed syllable has no final consonant yet, so one may follow.
            open_syllable = kind is _Kind.HANGUL_LVT and (ord(char) - low) % 28 == 0
            return _Kind.HANGUL_LV if open_syllable else kind
    return _Kind.CONTROL if category in {"Cc", "Cf", "Zl", "Zp"} else _Kind.OTHER
