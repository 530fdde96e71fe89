"""How ids, keys and tag values stand in columns.

Knows the two forms, an id's 32 bytes and a text. Knows nothing of the tables.
"""

from __future__ import annotations

from functools import lru_cache

__all__ = ["LONGEST", "Column", "from_column", "is_id", "to_bytes", "to_column"]

Column = bytearray | bytes | str
"""An id as bytes, a text as bytes or, in SQLite, as TEXT.

What is read has bytes; what is bound in SQLite has a bytearray, which nobody changes: the sqlite3
module looks at each bytes for a way to adapt it, at twice the price of binding it, and takes a
bytearray as it is.
"""

LONGEST = 1_024
"""Bytes of a text that an index of PostgreSQL takes easily; a third of a page is the most."""

# Never in UTF-8: a text of as many bytes as an id has one in front, to be told from it.
_NO_ID = b"\xff"


def to_column(text: str) -> Column:
    """Return 64 lowercase hex digits as a BLOB, which halves every index; other text as it is.

    This is for SQLite, which takes both in one column.
    """
    if len(text) == 64:
        return _of_64(text)
    return text if text.isascii() else _bindable(text)


def to_bytes(text: str) -> bytes:
    """Return 64 lowercase hex digits as 32 bytes, and other text as its UTF-8.

    This is for databases whose columns have one type.
    """
    return _bytes_of_64(text) if len(text) == 64 else _utf8(text)


def from_column(column: Column) -> str:
    """Return the text that `to_column` or `to_bytes` was given."""
    if isinstance(column, str):
        return column
    return column.hex() if len(column) == 32 else column.removeprefix(_NO_ID).decode()


def is_id(column: Column) -> bool:
    """Whether it is what `to_column` makes of 64 hex digits."""
    return not isinstance(column, str) and len(column) == 32


# The same people and notes are named again and again, and a batch asks for each several times:
# there is room for those of the largest.
@lru_cache(maxsize=65_536)
def _of_64(text: str) -> Column:
    return _bindable(text) if text.strip("0123456789abcdef") else bytearray.fromhex(text)


@lru_cache(maxsize=65_536)
def _bytes_of_64(text: str) -> bytes:
    return _utf8(text) if text.strip("0123456789abcdef") else bytes.fromhex(text)


def _utf8(text: str) -> bytes:
    # No verified event holds a surrogate: those bytes equal nothing stored.
    data = text.encode("utf-8", "surrogatepass")
    return _NO_ID + data if len(data) == 32 else data


def _bindable(text: str) -> Column:
    if any("\ud800" <= character <= "\udfff" for character in text):
        # No verified event holds one, and SQLite cannot bind it: bytes that equal nothing stored.
        return bytearray(text, "utf-8", "surrogatepass")
    return text
