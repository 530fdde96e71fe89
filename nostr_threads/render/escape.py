"""Remote text made harmless for a terminal: nothing in it moves the cursor or fakes the layout.

Knows which characters do more than show themselves. Knows nothing of notes.
"""

from __future__ import annotations

import unicodedata

__all__ = ["draws_nothing", "one_line", "printable"]

# Joiners inside words and emoji (ZWNJ, ZWJ) and emoji tags draw nothing by themselves.
_HARMLESS = frozenset("\u200c\u200d")
_TAGS = range(0xE0020, 0xE0080)
# Letters and a symbol that are blank, though their category does not say so.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def printable(text: str) -> str:
    """Return `text` with line breaks kept and everything else that is no visible character named.

    Controls, bidi and other format characters (Unicode Cc, Cf, Zl, Zp, Co, Cs) become `\\x1b` or
    `\\u202e`; a tab becomes a space; CR LF becomes LF.
    """
    return "".join(_shown(character) for character in text.replace("\r\n", "\n"))


def one_line(text: str, width: int) -> str:
    """Return `text` as one printable line of at most `width` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def draws_nothing(character: str) -> bool:
    """Whether a printable character leaves its place blank: spaces, joiners, bare marks."""
    blank = character.isspace() or character in _FILLERS
    return blank or unicodedata.category(character) in ("Cf", "Mn", "Me")


def _shown(character: str) -> str:
    if character == "\n" or character in _HARMLESS or ord(character) in _TAGS:
        return character
    if character == "\t":
        return " "
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs"):
        return ascii(character)[1:-1]
    return character
