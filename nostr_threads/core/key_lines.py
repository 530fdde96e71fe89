"""The lines between two of `---` that stand above a text: `key: value`, or a list below its key.

Knows how they are written and read. Is no YAML: what needs more than a line, but for a list, is
refused with its line. Which keys mean something is for those who ask.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.errors import InvalidText

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LOOKED_AT", "KeyLine", "above", "key_lines", "keys", "listed", "one_line", "texts"]

LOOKED_AT = 20_000
"""How many characters of a text are looked at: nobody calls it by what stands further down."""

_MOST_LINES = 200

_RULE = re.compile(r"---[ \t]*")
_PAIR = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,40})[ \t]*:(?:[ \t]+(.*)|[ \t]*)")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.+)")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_ESCAPED = re.compile(r"\\(.)")
# What YAML would read on from the next line, or as something else than text.
_NOT_ONE_LINE = re.compile(r"[|>][-+0-9]*|[&*!{@`%].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key with what stands behind it, and the items below it, all as they are written.

    `line` is its line in the text, from 1.
    """

    key: str
    value: str
    line: int
    items: tuple[str, ...] = ()


def above(text: str) -> tuple[list[str], str] | None:
    """Return the lines above `text` and the text below them; None where there are none.

    They start the text, are closed, and begin with a key: a text may well begin with a line across.
    """
    lines = text[:LOOKED_AT].splitlines(keepends=True)[:_MOST_LINES]
    rules = [number for number, line in enumerate(lines) if _RULE.fullmatch(line.rstrip("\r\n"))]
    if len(rules) < 2 or rules[0] != 0:
        return None
    inner = [line.rstrip() for line in lines[1 : rules[1]]]
    if _PAIR.fullmatch(_first(inner)) is None:
        return None
    rest = text[sum(map(len, lines[: rules[1] + 1])) :]
    return inner, rest.lstrip("\r\n")


def keys(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the lines that have one, in lower case."""
    pairs = (_PAIR.fullmatch(line) for line in lines)
    return tuple(pair[1].lower() for pair in pairs if pair is not None)


def key_lines(lines: Sequence[str]) -> tuple[KeyLine, ...]:
    """Read what `above` gave. Raises `InvalidText`, with its line, for what is no `key: value`."""
    found: list[KeyLine] = []
    for number, line in enumerate(lines, 2):
        if not line or line.lstrip().startswith("#"):
            continue
        item = _ITEM.fullmatch(line)
        if item is not None and found:
            last = found[-1]
            found[-1] = KeyLine(last.key, last.value, last.line, (*last.items, item[1].strip()))
        elif (pair := _PAIR.fullmatch(line)) is not None:
            found.append(KeyLine(pair[1], (pair[2] or "").strip(), number))
        else:
            where = f"line {number} of the front matter"
            raise InvalidText(f"{where} is not `key: value`", line=number)
    return tuple(found)


def one_line(pair: KeyLine) -> str:
    """Return a value without its quotes. Raises `InvalidText` where YAML would read on below."""
    if _NOT_ONE_LINE.fullmatch(pair.value):
        where = f"the `{pair.key}` in line {pair.line} of the front matter"
        raise InvalidText(f"{where} is not one line", line=pair.line)
    return _unquoted(pair.value)


def texts(pair: KeyLine) -> tuple[str, ...]:
    """Return what stands behind a key and each item below it, commas and all, without quotes.

    Raises as `one_line`.
    """
    first = one_line(pair)
    return tuple(text for text in (first, *map(_unquoted, pair.items)) if text)


def listed(pair: KeyLine) -> tuple[str, ...]:
    """Return what a key lists, without quotes: `a, b`, `[a, b]`, or an item in each line below."""
    value = pair.value
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    items = (*bare.split(","), *(part for item in pair.items for part in item.split(",")))
    return tuple(item for each in items if (item := _unquoted(each.strip())))


def _first(lines: Sequence[str]) -> str:
    return next((line for line in lines if line and not line.startswith("#")), "")


def _unquoted(value: str) -> str:
    if not _QUOTED.fullmatch(value):
        return value
    if value[0] == "'":
        return value[1:-1].replace("''", "'")
    return _ESCAPED.sub(r"\1", value[1:-1])
