"""`nostr-threads demo` as it goes, with the same clock and the same keys every time.

Knows the pace at which it is told. How it is drawn is `terminal`'s.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.cli.demo import INVITATION, Stage, told
from nostr_threads.cli.demo_data import LIMIT
from nostr_threads.signing import KeySigner, secret_from_hex
from nostr_threads.testing import Author
from pictures.terminal import COLUMNS, Line, drawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["recorded"]

NOW = 1_790_000_000
COMMAND = "nostr-threads demo"
DESCRIPTION = (
    "A question and a long answer are published to a relay on this machine. The answer becomes "
    "three parts; a stranger fetches the thread, and gets it back whole."
)
# Seconds: until the command is typed, between steps, between the lines of a step, and at the end.
TYPING, STEP, LINE, REST = 1.4, 1.0, 0.14, 9.0


async def recorded(folder: Path) -> str:
    """Return the recording of a demo whose stores are made in `folder`, as an SVG."""
    asker, answerer = (
        KeySigner(secret_from_hex(Author(name).secret_hex())) for name in (b"ada", b"grace")
    )
    stage = Stage(folder, asker, answerer, LIMIT, COLUMNS, lambda: NOW)
    pieces = [piece async for piece in told(stage)]
    # Any free port will do for a relay, and one for a picture.
    pieces[0] = re.sub(r":\d+$", ":7447", pieces[0].rstrip()) + "\n"
    lines = list(_paced(pieces))
    return drawn(lines, title=COMMAND, description=DESCRIPTION, seconds=lines[-1].at + REST)


def _paced(pieces: list[str]) -> Iterator[Line]:
    at = TYPING
    yield Line(COMMAND, at, typed=True)
    for piece in pieces:
        at += STEP
        for text in piece.removesuffix("\n").split("\n"):
            yield Line(text, round(at, 2))
            at += LINE
    yield Line(INVITATION, round(at + STEP, 2), talk=True)
