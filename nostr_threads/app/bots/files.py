"""The files that a bot's answers stand in, read within bounds.

Knows how a file can be wrong. Knows nothing of what stands in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.errors import InvalidConfig

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MOST", "read_text"]

MOST = 2**20
"""How many bytes a file may have."""


def read_text(path: Path) -> str:
    """Read a file of UTF-8, without its byte order mark and with `\\n` at the end of each line.

    Raises `InvalidConfig`, which names it, for one that is not there, too large or not UTF-8.
    """
    try:
        # One that is a pipe would keep us waiting for ever.
        if not path.is_file():
            raise InvalidConfig(path, None, "is no file" if path.exists() else "is not there")
        with path.open("rb") as file:
            raw = file.read(MOST + 1)
    except OSError as error:
        raise InvalidConfig(path, None, error.strerror or str(error)) from None
    if len(raw) > MOST:
        raise InvalidConfig(path, None, f"is larger than {MOST:,} bytes")
    return _decoded(path, raw)


def _decoded(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidConfig(path, line, "is not UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
