"""Files of TOML as they are read: what is wrong with one names its line.

Knows what a file may be that is no TOML at all. Knows nothing of what may stand in one.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from nostr_threads.errors import InvalidConfig

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["parse_toml", "read_text"]

# Where Python says that a mistake is.
_PLACE = re.compile(r" \(at (?:line (\d+)|end).*\)$")


def read_text(path: Path) -> str:
    """Read a file of UTF-8. Raises `InvalidConfig`, with the line where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InvalidConfig(path, line, "not UTF-8") from None
    except OSError as error:
        raise InvalidConfig(path, None, error.strerror or str(error)) from None


def parse_toml(text: str, path: Path) -> dict[str, object]:
    """Read the TOML of a file that is at `path`. Raises `InvalidConfig`, which names the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        line = int(found[1]) if found is not None and found[1] else text.count("\n") + 1
        reason = str(error)[: found.start()] if found is not None else str(error)
        raise InvalidConfig(path, line, reason) from None
    except RecursionError:
        raise InvalidConfig(path, None, "it has lists within lists within lists") from None
    except ValueError:
        raise InvalidConfig(path, None, "a number in it is far too long") from None
