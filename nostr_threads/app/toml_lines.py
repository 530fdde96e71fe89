"""In which line of a TOML file each key stands.

Knows headers, dotted keys, inline tables and arrays as TOML 1.0 writes them. Knows nothing of what
is wrong: it is given only what `tomllib` has read.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Place", "line_of", "lines_of"]

Place: TypeAlias = tuple[str | int, ...]

_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_VALUE = re.compile(
    r"\"\"\"(?:\\[\s\S]|[^\\])*?\"\"\"\"{0,2}|'''[\s\S]*?''''{0,2}"
    r"|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|[^,\]}#\n]*"
)


def line_of(text: str, place: Place) -> int | None:
    """Return the line (from 1) of what is at `place`, or of the nearest thing around it."""
    lines = lines_of(text)
    return next(
        (lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), None
    )


def lines_of(text: str) -> Mapping[Place, int]:
    """Return where each key and each item of an array begins, by keys and numbers (from 0).

    A table that has several headers is where the first of them is.
    """
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._lines: dict[Place, int] = {}
        self._last: dict[Place, int] = {}

    def document(self) -> Mapping[Place, int]:
        table: Place = ()
        while (char := self._next()) != "":
            if char == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _next(self) -> str:
        """Go on to what is no white space and no comment; return its first character."""
        if (match := _BETWEEN.match(self._text, self._at)) is not None:
            self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _take(self, expected: str) -> bool:
        """Go past what comes next if it is this."""
        is_there = self._next() == expected
        self._at += is_there
        return is_there

    def _put(self, place: Place) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._lines.setdefault(place, self._line)

    def _header(self) -> Place:
        is_array = self._text.startswith("[[", self._at)
        self._at += 1 + is_array
        *above, last = self._keys()
        place: Place = ()
        for key in above:
            place = (*place, key)
            self._put(place)
            place = (*place, self._last[place]) if place in self._last else place
        place = (*place, last)
        self._put(place)
        if is_array:
            self._last[place] = self._last.get(place, -1) + 1
            place = (*place, self._last[place])
            self._put(place)
        self._at += 1 + is_array
        return place

    def _pair(self, table: Place) -> None:
        self._next()
        place = table
        for key in self._keys():
            place = (*place, key)
            self._put(place)
        self._take("=")
        self._value(place)

    def _keys(self) -> list[str]:
        """The names of a dotted key, up to the sign behind it."""
        keys: list[str] = []
        while (match := _KEY.match(self._text, self._at)) is not None:
            self._at = match.end()
            keys.append(_unquoted(match[0]))
            if not self._take("."):
                break
            self._next()
        self._next()
        return keys

    def _value(self, place: Place) -> None:
        self._next()
        if self._take("["):
            self._items(place)
        elif self._take("{"):
            while self._next() not in ("}", ""):
                self._pair(place)
                self._take(",")
            self._take("}")
        elif (match := _VALUE.match(self._text, self._at)) is not None:
            self._at = match.end()

    def _items(self, place: Place) -> None:
        number = 0
        while self._next() not in ("]", ""):
            self._put((*place, number))
            self._value((*place, number))
            self._take(",")
            number += 1
        self._take("]")


def _unquoted(key: str) -> str:
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[0] in "\"'" else key
