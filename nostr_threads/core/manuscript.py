"""A text as its author wrote it, without the characters that no event should carry.

Knows which these are, and how to tell the author. Whether a text is complete `endings` knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Removed", "cleaned", "removal"]


@dataclass(frozen=True, slots=True)
class Removed:
    """One kind of character that was taken out: how often, and at which lines (from 1, in order).

    `replacement` is what stands in its place: a line break for what some programs mean as one.
    """

    char: str
    count: int
    lines: tuple[int, ...]
    replacement: str = ""


# Tab, LF and CR stay. Zero-width characters and those that turn the direction are the author's
# business, as scripts and emoji need them; a byte order mark inside a text is what was left when
# files were joined, and half a surrogate pair has no UTF-8.
_REMOVED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
# Meant as breaks by those who write them, and shown as nothing by most clients.
_BREAKS = {"\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n"}
_LINE_BREAK = re.compile(r"\r\n?|\n")
_MOST_LINES_NAMED = 5


def cleaned(text: str) -> tuple[str, tuple[Removed, ...]]:
    """Take out control characters other than line breaks and tabs; also say which, and where.

    Form feed, vertical tab, NEL and Unicode's own separators become line breaks, so that the lines
    they part stay apart. Relays disagree on how these are escaped, and refuse the event for it.
    """
    lines: dict[str, list[int]] = {}
    line, done = 1, 0
    for match in _REMOVED.finditer(text):
        line += len(_LINE_BREAK.findall(text, done, match.start()))
        done = match.start()
        lines.setdefault(match[0], []).append(line)
    removed = tuple(
        Removed(char, len(at), tuple(dict.fromkeys(at)), _BREAKS.get(char, ""))
        for char, at in sorted(lines.items())
    )
    return _REMOVED.sub(lambda match: _BREAKS.get(match[0], ""), text), removed


def removal(removed: Sequence[Removed]) -> str:
    """Return the sentence that tells of `removed`, or "" when nothing was.

    For example: "removed 3 control characters (U+0000, U+001B) in lines 2 and 9".
    """
    if not removed:
        return ""
    count = sum(each.count for each in removed)
    names = ", ".join(f"U+{ord(each.char):04X}" for each in removed)
    lines = sorted({line for each in removed for line in each.lines})
    shown = [str(line) for line in lines[:_MOST_LINES_NAMED]]
    if len(lines) > _MOST_LINES_NAMED:
        shown.append(f"{len(lines) - _MOST_LINES_NAMED} more")
    places = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return (
        f"removed {count} control character{'s' * (count != 1)} ({names}) "
        f"in line{'s' * (len(lines) != 1)} {places}"
    )
