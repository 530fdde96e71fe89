"""Lines broken to a number of terminal columns, at spaces where there are any.

Knows how wide characters are (Unicode's East Asian Width) and where a line may be broken. Knows
nothing of notes.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from nostr_threads.core.splitting.graphemes import grapheme_marks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cells", "wrap"]

_SPACES_OR_WORD = re.compile(r" +|[^ ]+")
# Vowels and finals of Hangul syllables draw into the cells of the consonant before them.
_JAMO = range(0x1160, 0x1200)
# The sign that turns a narrow symbol into a wide emoji.
_EMOJI_SIGN = "\ufe0f"
# Punctuation that must not begin a line, and that must not end one (Unicode categories).
_CLOSING = ("Pe", "Pf", "Po")
_OPENING = ("Ps", "Pi")


def cells(text: str) -> int:
    """Return the columns that printable `text` takes: at least as many as any terminal gives it.

    Wide characters take two, marks and joiners none. An emoji made of several counts them all, as
    terminals that do not know the combination draw them side by side.
    """
    return len(text) if text.isascii() else sum(map(_cell, text))


def wrap(line: str, width: int) -> list[str]:
    """Break one printable line into lines of at most `width` columns (20 or more).

    Lines break at spaces, which are dropped there, and beside wide characters (Chinese, Japanese);
    inside a word only when it does not fit a whole line; never inside a grapheme. What goes on is
    indented as the line is.
    """
    if cells(line) <= width:
        return [line]
    rest = line.lstrip(" ")
    indent = " " * min(len(line) - len(rest), width // 2)
    room = width - len(indent)
    lines: list[str] = []
    current: list[str] = []
    filled = 0
    for piece in _fitting(rest, room):
        size = cells(piece)
        if filled + size > room and current:
            lines.append(indent + "".join(current).rstrip(" "))
            current, filled = [], 0
        if current or piece.strip(" "):
            current.append(piece)
            filled += size
    return [*lines, indent + "".join(current).rstrip(" ")]


def _fitting(text: str, room: int) -> Iterator[str]:
    """Words, runs of spaces and wide characters; what is longer than a line in pieces that fit."""
    for piece in _pieces(text):
        if cells(piece) <= room or not piece.strip(" "):
            yield piece
        else:
            yield from _chopped(piece, room)


def _pieces(text: str) -> Iterator[str]:
    if text.isascii():
        yield from _SPACES_OR_WORD.findall(text)
        return
    group: list[str] = []
    for grapheme in _graphemes(text):
        if group and _may_break(group[-1], grapheme):
            yield "".join(group)
            group = []
        group.append(grapheme)
    yield "".join(group)


def _graphemes(text: str) -> list[str]:
    marks = grapheme_marks(text)
    starts = [position for position, allowed in enumerate(marks) if allowed]
    return [text[start:end] for start, end in pairwise(starts)]


def _may_break(before: str, after: str) -> bool:
    if before == " " or after == " ":
        return before != after
    if not (_is_wide(before[0]) or _is_wide(after[0])):
        return False
    return (
        unicodedata.category(after[0]) not in _CLOSING
        and unicodedata.category(before[0]) not in _OPENING
    )


def _chopped(word: str, room: int) -> Iterator[str]:
    piece: list[str] = []
    filled = 0
    for grapheme in _graphemes(word):
        # One wider than a line is nobody's letter: it is cut, or else it would run over the edge.
        for unit in [grapheme] if cells(grapheme) <= room else grapheme:
            size = cells(unit)
            if filled + size > room:
                yield "".join(piece)
                piece, filled = [], 0
            piece.append(unit)
            filled += size
    yield "".join(piece)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


@lru_cache(maxsize=4096)
def _cell(character: str) -> int:
    if character == _EMOJI_SIGN:
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf") or ord(character) in _JAMO:
        return 0
    return 2 if _is_wide(character) else 1
