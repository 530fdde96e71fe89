"""Remote text made harmless for a terminal: nothing in it moves the cursor or fakes the layout.

Knows which characters do more than show themselves. Knows nothing of notes.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["draws_nothing", "one_line", "printable", "undrawn"]

# Joiners inside words and emoji (ZWNJ, ZWJ) and emoji tags draw nothing by themselves.
_HARMLESS = frozenset("\u200c\u200d")
_TAGS = range(0xE0020, 0xE0080)
# Letters and a symbol that are blank, though their category does not say so.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Everything but printable ASCII and line feeds: most of a text needs no look at each character.
_UNUSUAL = re.compile(r"[^\n -~]+")
# As many as the flag of Wales needs; a pile of marks would run over the lines above and below.
_MOST_MARKS = 6
# The characters that lines and corners are drawn with, and what stands for each.
_PLAIN_LINES = dict.fromkeys(range(0x2500, 0x2580), "+")
_PLAIN_LINES |= dict.fromkeys(map(ord, "─━┄┅┈┉╌╍═╴╶╸╺╼╾"), "-")
_PLAIN_LINES |= dict.fromkeys(map(ord, "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"), "|")
# And what else looks like them: pieces of brackets, blocks and a half-width form.
_PLAIN_LINES |= dict.fromkeys(map(ord, "⎜⎟⎢⎥⎪⎸⎹▏▕\uffe8"), "|") | {ord("⎿"): "+"}
# Not assigned yet, and drawn as nothing when they are (Default_Ignorable_Code_Point). What else is
# not assigned may be an emoji that is newer than our tables.
_IGNORABLE = {0x2065, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)}


def printable(text: str) -> str:
    """Return `text` with line breaks kept and everything else that is no visible character named.

    Controls, bidi and other format characters (Unicode Cc, Cf, Zl, Zp, Co, Cs), and what is drawn
    as nothing though it is not assigned, become `\\x1b` or `\\u202e`; a tab becomes a space; CR LF
    becomes LF. Of the marks and joiners on one character the first six stay.
    """
    return _UNUSUAL.sub(_shown_run, text.replace("\r\n", "\n"))


def one_line(text: str, width: int) -> str:
    """Return `text` as one printable line of at most `width` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def draws_nothing(character: str) -> bool:
    """Whether a printable character leaves its place blank: spaces, joiners, bare marks."""
    blank = character.isspace() or character in _FILLERS
    return blank or unicodedata.category(character) in ("Cf", "Mn", "Me")


def undrawn(text: str) -> str:
    """Return `text` with box drawing, and what looks like it, in ASCII, each in its place."""
    return text.translate(_PLAIN_LINES)


def _shown_run(run: re.Match[str]) -> str:
    shown: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= _MOST_MARKS:
            shown.append(_shown(character))
    return "".join(shown)


def _is_mark(character: str) -> bool:
    return _is_joiner(character) or unicodedata.category(character) in ("Mn", "Me")


def _is_joiner(character: str) -> bool:
    return character in _HARMLESS or ord(character) in _TAGS


def _shown(character: str) -> str:
    if _is_joiner(character):
        return character
    if character == "\t":
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs") or (
        category == "Cn" and ord(character) in _IGNORABLE
    ):
        return ascii(character)[1:-1]
    return character
