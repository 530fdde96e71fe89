"""The author's file made into text, and what was said of it on the command line into its style.

Knows files, and the words of options. What is wrong with a text is for others to find.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.cli.console import read_input
from nostr_threads.errors import InvalidText

if TYPE_CHECKING:
    from nostr_threads.core.compose import Extras
    from nostr_threads.core.split import Limit

__all__ = ["extras_of", "limit_of", "marker_of", "text_of"]


def text_of(file: Path) -> str:
    """Read a file or stdin ("-"). Raises `InvalidText`, which names the file and the line."""
    from nostr_threads.core.encoding import decode

    data = read_input(file)
    name = "stdin" if str(file) == "-" else str(file)
    try:
        text = decode(data)
    except InvalidText as error:
        raise InvalidText(f"{name}: {error}") from None
    if not text.strip():
        raise InvalidText(f"{name}: there is no text in it")
    return text


def limit_of(characters: int | None, size: int | None) -> Limit:
    """Return the limit of a part: the usual one when nobody said any."""
    from nostr_threads.app.writing import DEFAULT_LIMIT
    from nostr_threads.core.split import Limit

    return DEFAULT_LIMIT if characters is None and size is None else Limit(characters, size)


def marker_of(template: str) -> str:
    r"""Return a marker's template; `\n` in it is a line break, which shells make hard to type."""
    return template.replace("\\n", "\n")


def extras_of(
    subject: str, content_warning: str | None, expires: str | None, *, protected: bool
) -> Extras:
    """Return what else is said of an answer. Raises `InvalidInput` for a time that is none."""
    from nostr_threads.cli.moments import moment
    from nostr_threads.core.compose import Extras

    until = None if expires is None else moment(expires, int(time.time()))
    return Extras(subject, content_warning, until, protected)
