"""How ids, keys and tag values stand in columns, and how many of them are looked up at once.

Knows the two forms, BLOB and TEXT. Knows nothing of the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

__all__ = ["Column", "from_column", "look_up", "to_column"]

Column = bytes | str

# A full chunk has always the same text, so that SQLite's statement cache finds it again.
_CHUNK = 500


def to_column(text: str) -> Column:
    """Return 64 lowercase hex digits as 32 bytes, which halves every index; other text as it is."""
    if len(text) == 64 and not text.strip("0123456789abcdef"):
        return bytes.fromhex(text)
    if not text.isascii() and _has_surrogate(text):
        # No verified event holds one, and SQLite cannot bind it: bytes that equal nothing stored.
        return text.encode("utf-8", "surrogatepass")
    return text


def from_column(value: Column) -> str:
    """Return the text that `to_column` was given."""
    return value.hex() if isinstance(value, bytes) else value


def look_up(
    connection: sqlite3.Connection, query: str, values: Iterable[Column | int]
) -> Iterator[tuple[Any, ...]]:
    """Run `query` for any number of values, in chunks; `(?*)` stands for the list of them."""
    waiting = list(values)
    for start in range(0, len(waiting), _CHUNK):
        chunk = waiting[start : start + _CHUNK]
        yield from connection.execute(query.replace("?*", ",".join("?" * len(chunk))), chunk)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
