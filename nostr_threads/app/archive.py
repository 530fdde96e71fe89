"""A file of events that appears whole or not at all.

Knows files and gzip. Knows nothing of where the events come from.
"""

from __future__ import annotations

import gzip
import os
import sys
from contextlib import contextmanager
from io import BufferedWriter
from typing import TYPE_CHECKING, cast

from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import RawIOBase
    from pathlib import Path
    from typing import IO

__all__ = ["require_vacant", "write_archive"]

_BUFFER = 256 * 1024
_LEVEL = 6


def require_vacant(path: Path, *, force: bool) -> None:
    """Raise `InvalidInput` for a file that is there, unless it may be replaced."""
    if not force and path.is_file():
        raise InvalidInput(f"{path} is there already: choose another name, or use --force")


def write_archive(path: Path, texts: Iterable[str]) -> int:
    """Write one text a line to `path`, in gzip where its name ends in .gz; return how many.

    "-" is stdout. Raises `InvalidInput` when the file cannot be written; then what was there before
    is there still.
    """
    count = 0
    with _opened(path) as file:
        for text in texts:
            file.write(text.encode() + b"\n")
            count += 1
    return count


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with _whole(path) as raw, _packed(raw, path) as file:
            yield file
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def _packed(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield raw
        return
    # Without a name and a time in it, the same events give the same bytes.
    packed = gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0)
    # It is closed with what it is wrapped in, which spares it small pieces.
    with BufferedWriter(cast("RawIOBase", packed), _BUFFER) as file:
        yield file


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Give the file to write to: beside `path` until it is whole, and on the disk, then there."""
    if path.exists() and not path.is_file():
        # A pipe or a device: nothing takes its place.
        with path.open("wb", buffering=_BUFFER) as file:
            yield file
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("xb", buffering=_BUFFER) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
