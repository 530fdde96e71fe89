"""How ids, keys and tag values stand in columns, and how many of them are looked up at once.

Knows the two forms, BLOB and TEXT. Knows nothing of the tables.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

__all__ = ["Column", "from_column", "look_up", "to_column"]

Column = bytearray | bytes | str
"""A BLOB or a TEXT. What is read has bytes; what is bound has a bytearray, which nobody changes.

The sqlite3 module looks at each bytes for a way to adapt it, at twice the price of binding it, and
takes a bytearray as it is.
"""

# A full chunk has always the same text, so that SQLite's statement cache finds it again.
_CHUNK = 500


def to_column(text: str) -> Column:
    """Return 64 lowercase hex digits as a BLOB, which halves every index; other text as it is."""
    if len(text) == 64:
        return _of_64(text)
    return text if text.isascii() else _bindable(text)


def from_column(value: Column) -> str:
    """Return the text that `to_column` was given."""
    return value if isinstance(value, str) else value.hex()


def look_up(
    connection: sqlite3.Connection, query: str, values: Iterable[Column | int]
) -> Iterator[tuple[Any, ...]]:
    """Run `query` for any number of values, in chunks; `(?*)` stands for the list of them."""
    waiting = list(values)
    for start in range(0, len(waiting), _CHUNK):
        chunk = waiting[start : start + _CHUNK]
        yield from connection.execute(query.replace("?*", ",".join("?" * len(chunk))), chunk)


# The same people and notes are named again and again, and a batch asks for each several times:
# there is room for those of the largest.
@lru_cache(maxsize=65_536)
def _of_64(text: str) -> Column:
    return _bindable(text) if text.strip("0123456789abcdef") else bytearray.fromhex(text)


def _bindable(text: str) -> Column:
    if any("\ud800" <= character <= "\udfff" for character in text):
        # No verified event holds one, and SQLite cannot bind it: bytes that equal nothing stored.
        return bytearray(text, "utf-8", "surrogatepass")
    return text
