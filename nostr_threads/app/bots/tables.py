"""The tables of a TOML file, read key by key: each of its type, and none that nobody asked for.

Knows types, bounds and durations, and where a mistake stands. Knows nothing of what a key means.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from nostr_threads.app.toml_lines import line_of
from nostr_threads.errors import InvalidConfig, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nostr_threads.app.toml_lines import Place

__all__ = ["Table", "seconds_in"]

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)

_LONGEST_KEY = 30
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_YEAR = 366 * 86_400


def seconds_in(text: str) -> float:
    """Read a duration: "90s", "2.5s", "500ms", "15m", "24h", "7d". Raises `InvalidInput`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidInput('a duration is written "90s", "2.5s", "15m", "24h" or "7d"')
    return float(match[1]) * _SECONDS[match[2]]


class Table:
    """One table, at `place` in the file. Whatever is wrong raises `InvalidConfig` with its line.

    Ask for every key that may be there, then call `done`, which refuses the others.
    """

    def __init__(
        self, values: Mapping[str, object], *, text: str, path: Path, place: Place = ()
    ) -> None:
        self._values, self._text, self._path, self.place = values, text, path, place
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def error(self, reason: str, *inside: str | int) -> InvalidConfig:
        """Return the error for what stands at a key of this table, and deeper."""
        place = (*self.place, *inside)
        return InvalidConfig(
            self._path,
            line_of(self._text, place),
            f"{_shown(place)}: {reason}" if place else reason,
        )

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                known = get_close_matches(key, self._asked, 1) or sorted(self._asked)
                raise self.error(f"unknown key; known here: {', '.join(known)}", key)

    def text(self, key: str, default: str = "", *, may_be_empty: bool = False) -> str:
        """Return a text, which is not empty."""
        value = self._value(key, default)
        is_empty = isinstance(value, str) and key in self and not value.strip()
        if not isinstance(value, str) or (is_empty and not may_be_empty):
            raise self.error("text in quotes is wanted", key)
        return value

    def read(self, key: str, read: Callable[[str], T], default: D) -> T | D:
        """Return what `read` makes of a text; its `InvalidInput` is told with the line."""
        if key not in self:
            self._asked.add(key)
            return default
        text = self.text(key)
        try:
            return read(text)
        except InvalidInput as error:
            raise self.error(str(error), key) from None

    def each(self, key: str, read: Callable[[str], T], *, least: int = 0) -> tuple[T, ...]:
        """Return what `read` makes of each text of a list; a single text is a list of one.

        One that is given has `least` texts: an empty one may mean everything, or nothing.
        """
        value = self._value(key, [])
        items = [value] if isinstance(value, str) else value
        self._check_list(key, items, least, "texts in quotes")
        return tuple(self._read_item(key, read, *item) for item in enumerate(items))

    def flag(self, key: str, *, default: D) -> bool | D:
        """Return true or false."""
        value: bool | D = self._value(key, default)
        if key in self and not isinstance(value, bool):
            raise self.error("true or false is wanted", key)
        return value

    def whole(self, key: str, default: int, *, least: int = 1, most: int = 1_000_000_000) -> int:
        """Return a whole number from `least` to `most`."""
        value = self._value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.error(f"a whole number from {least} to {most:,} is wanted", key)
        return value

    def wholes(self, key: str, *, most: int) -> tuple[int, ...]:
        """Return a list of whole numbers from 0 to `most`; one that is given is not empty."""
        numbers = self._value(key, [])
        self._check_list(key, numbers, 1, "whole numbers")
        for index, value in enumerate(numbers):
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
                raise self.error(f"a whole number from 0 to {most:,} is wanted", key, index)
        return tuple(numbers)

    def share(self, key: str, default: float) -> float:
        """Return a number above 0, up to 1."""
        value = self._value(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
            raise self.error("a number above 0, up to 1, is wanted", key)
        return float(value)

    def seconds(
        self, key: str, default: float, *, least: float = 0.0, most: float = _YEAR
    ) -> float:
        """Return a duration in seconds; from `least` to `most` of them."""
        seconds = self.read(key, seconds_in, default)
        if not least <= seconds <= most:
            raise self.error(f"a duration from {least:g} to {most:,.0f} seconds is wanted", key)
        return seconds

    def choice(self, key: str, default: E) -> E:
        """Return one of the words that an enumeration has."""
        kind = type(default)
        return self.read(
            key, lambda word: one_of(word, {each.value: each for each in kind}), default
        )

    def table(self, key: str) -> Table:
        """Return a table, which is empty when it is not there."""
        return self._made(self._value(key, {}), key)

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return the tables of a list, one for each `[[key]]`."""
        values = self._value(key, [])
        if not isinstance(values, list):
            raise self.error(f"it is written [[{key}]], one for each", key)
        return tuple(self._made(value, key, index) for index, value in enumerate(values))

    def _value(self, key: str, default: object) -> Any:
        self._asked.add(key)
        return self._values.get(key, default)

    def _check_list(self, key: str, value: object, least: int, of: str) -> None:
        if not isinstance(value, list):
            raise self.error(f"a list of {of} is wanted", key)
        if key in self and len(value) < least:
            raise self.error("there is nothing in this list", key)

    def _read_item(self, key: str, read: Callable[[str], T], index: int, item: object) -> T:
        if not isinstance(item, str) or not item.strip():
            raise self.error("a text in quotes is wanted", key, index)
        try:
            return read(item)
        except InvalidInput as error:
            raise self.error(str(error), key, index) from None

    def _made(self, value: object, *inside: str | int) -> Table:
        if not isinstance(value, dict):
            raise self.error("a table is wanted, { key = value }", *inside)
        place = (*self.place, *inside)
        return Table(value, text=self._text, path=self._path, place=place)


def one_of(word: str, words: Mapping[str, T]) -> T:
    """Return what a word stands for. Raises `InvalidInput`, which names all there are."""
    if word not in words:
        raise InvalidInput(f"one of {', '.join(words)} is wanted")
    return words[word]


def _shown(place: Place) -> str:
    """`rule 2.when.words 1`: a number says which of them, from 1."""
    parts = (f" {each + 1}" if isinstance(each, int) else f".{_named(each)}" for each in place)
    return "".join(parts).lstrip(".")


def _named(key: str) -> str:
    """A key, unless it may be a secret that strayed into the file."""
    plain = re.fullmatch(r"[\w-]+", key) is not None
    return key if plain and len(key) <= _LONGEST_KEY else "a key that is none"
