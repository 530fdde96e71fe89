"""How values go to psycopg and come back from it.

Knows PostgreSQL's binary form of what this package binds by the thousand. Knows no statement.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import TYPE_CHECKING, Any

from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from psycopg.types.string import TextBinaryLoader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg.abc import AdaptContext, Buffer

__all__ = ["adapt", "bound", "listed"]

# Types by their numbers in the catalogue, which never change.
_BYTEA, _BYTEAS, _INT8, _INT8S = 17, 1001, 20, 1016
# Dimensions, whether there is a NULL, the type; then how many there are, from which number on.
_HEAD = Struct("!iiiii")
_LENGTH, _INTEGER = Struct("!i"), Struct("!iq")

# No text here can hold NUL, and relays may send it: "data link escape" begins what stands for it.
_ESCAPES = str.maketrans({"\x10": "\x10\x10", "\0": "\x100"})
_ESCAPED = re.compile("\x10(.)")


class _Columns(list[bytes]):
    """Any number of ids and texts in their columns' form."""


class _Integers(list[int]):
    """Any number of rows, times or kinds."""


class _ColumnsDumper(Dumper):
    """Psycopg would make a text of each, with every byte as two digits."""

    format = Format.BINARY
    oid = _BYTEAS

    def dump(self, obj: Sequence[bytes]) -> Buffer:
        parts = (part for each in obj for part in (_LENGTH.pack(len(each)), each))
        return _HEAD.pack(1, 0, _BYTEA, len(obj), 1) + b"".join(parts)


class _IntegersDumper(Dumper):
    format = Format.BINARY
    oid = _INT8S

    def dump(self, obj: Sequence[int]) -> Buffer:
        parts = (_INTEGER.pack(8, each) for each in obj)
        return _HEAD.pack(1, 0, _INT8, len(obj), 1) + b"".join(parts)


class _TextLoader(TextBinaryLoader):
    def load(self, data: Buffer) -> str:
        text = super().load(data)
        assert isinstance(text, str)  # noqa: S101 - the encoding is set
        if "\x10" not in text:
            return text
        return _ESCAPED.sub(lambda match: "\0" if match[1] == "0" else match[1], text)


def adapt(context: AdaptContext) -> None:
    """Tell psycopg how values are bound and read."""
    # As one type: by the size of a number a statement would be another one each time.
    context.adapters.register_dumper(int, Int8Dumper)
    context.adapters.register_dumper(int, Int8BinaryDumper)
    context.adapters.register_dumper(_Columns, _ColumnsDumper)
    context.adapters.register_dumper(_Integers, _IntegersDumper)
    context.adapters.register_loader("text", _TextLoader)


def bound(parameters: Iterable[Any]) -> list[Any]:
    """Return values as they are bound."""
    return [each.translate(_ESCAPES) if isinstance(each, str) else each for each in parameters]


def listed(values: Iterable[Any]) -> Sequence[Any]:
    """Return many columns or integers, all of one kind, as one value to bind."""
    values = [*values]
    if not values:
        return values  # of any type
    return _Integers(values) if isinstance(values[0], int) else _Columns(values)
