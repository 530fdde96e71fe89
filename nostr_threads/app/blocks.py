"""Files of lines, plain or gzip, read a block at a time: flat memory whatever the file is.

Knows bytes, line numbers and the longest line that is let in. Knows nothing of what a line says.
"""

from __future__ import annotations

import os
import sys
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path
    from zlib import _Decompress as Inflater

__all__ = ["LONGEST_LINE", "Block", "Source", "opened"]

LONGEST_LINE = 4 * 2**20
"""Bytes of a line that is let in. No relay takes a message a tenth as long."""

# Some 350 events: enough work to be worth handing over.
_FULL = 256 * 1024
_PIECE = 128 * 1024
_GZIP = b"\x1f\x8b"
# What zlib calls gzip, with the largest window.
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines that stand one after the other, the `first` of them by its number (from 1).

    Or one line that `is_too_long`, and without `data`.
    """

    first: int
    data: bytes
    is_too_long: bool = False

    def lines(self) -> list[bytes]:
        """Return each line without its end, the blank ones too."""
        return self.data.split(b"\n")


class Source:
    """One file being read. `position` of `total` bytes are read, as they are on the disk.

    `total` is 0 where nobody knows. `torn` says why the file ended before its end, "" for no such
    thing: what came before is in the blocks all the same.
    """

    def __init__(self, name: str, raw: BufferedReader, total: int) -> None:
        self.name = name
        self.total = total
        self.torn = ""
        self.position = 0
        self._raw = raw
        self._line = 1

    def blocks(self) -> Iterator[Block]:
        """Yield the file. Raises `OSError` when the disk fails."""
        rest = b""
        pieces = self._pieces()
        for piece in pieces:
            rest += piece
            if len(rest) < _FULL:
                continue
            whole, found, rest = rest.rpartition(b"\n")
            if found:
                yield self._block(whole)
            if len(rest) > LONGEST_LINE:
                rest = self._after_line(pieces)
                yield Block(self._line, b"", is_too_long=True)
                self._line += 1
        if rest:
            yield self._block(rest)

    def _block(self, data: bytes) -> Block:
        block = Block(self._line, data)
        self._line += data.count(b"\n") + 1
        return block

    def _after_line(self, pieces: Iterator[bytes]) -> bytes:
        """Pass over the rest of a line; return what follows it in the same piece."""
        for piece in pieces:
            _, found, after = piece.partition(b"\n")
            if found:
                return after
        return b""

    def _pieces(self) -> Iterator[bytes]:
        """Yield what the lines are cut from, without the mark that some put before UTF-8."""
        pieces = self._raw_pieces()
        if self._raw.peek(2)[:2] == _GZIP:
            pieces = self._unpacked(pieces)
        first = next(pieces, b"")
        yield first.removeprefix(_MARK)
        yield from pieces

    def _raw_pieces(self) -> Iterator[bytes]:
        while piece := self._raw.read1(_PIECE):
            self.position += len(piece)
            yield piece

    def _unpacked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Undo gzip, member by member: what came before a fault is yielded before it is noted."""
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            for piece in pieces:
                waiting = piece
                while waiting:
                    if member.eof:
                        member = zlib.decompressobj(_GZIP_WINDOW)
                    yield from _inflated(member, waiting)
                    waiting = member.unused_data
            if not member.eof:
                self.torn = "the gzip data ends in the middle"
        except zlib.error as error:
            self.torn = f"the gzip data is damaged: {error}"


def _inflated(member: Inflater, data: bytes) -> Iterator[bytes]:
    """Yield what `data` becomes in small pieces: a few bytes may stand for gigabytes."""
    is_full = True
    while is_full or data:
        piece = member.decompress(data, _PIECE)
        # All of the input may be taken while there is still output left of it.
        data, is_full = member.unconsumed_tail, len(piece) == _PIECE
        yield piece


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file, or stdin for "-". Raises `InvalidInput` for one that cannot be opened."""
    if str(path) == "-":
        if sys.stdin is None:
            raise InvalidInput("stdin is closed")
        yield Source("stdin", cast("BufferedReader", sys.stdin.buffer), 0)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from None
    with file:
        yield Source(str(path), file, os.fstat(file.fileno()).st_size)
