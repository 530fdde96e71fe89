"""Where a text is code: fenced blocks and inline code, in which nothing is a mention or a mark.

Knows Markdown's backticks and tildes (CommonMark 4.5 and 6.1) as far as that takes. Knows nothing
of what prose means. Takes time linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Code", "code_in", "prose_in"]

# A fence may stand in a block quote or begin a list item.
_FENCE_LINE = re.compile(
    r"^[ \t>]{0,16}+(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]{1,4}+)?(`{3,}+|~{3,}+)([^\r\n]*+)",
    re.MULTILINE,
)
_PARAGRAPH_END = re.compile(r"(?:\r\n?|\n)[ \t]*+(?:\r\n?|\n)")
_BACKTICKS = re.compile(r"`++")


@dataclass(frozen=True, slots=True)
class Code:
    """The characters from `start` up to, not including, `end`, with their fences or backticks.

    `is_open` says that a fenced block is never closed; it then reaches to the end of the text.
    """

    start: int
    end: int
    is_open: bool = False


def code_in(text: str) -> tuple[Code, ...]:
    """Return the fenced blocks and the inline code of `text`, in order; none overlap."""
    found: list[Code] = []
    position = 0
    for fence in _fences(text):
        found += _inline(text, position, fence.start)
        found.append(fence)
        position = fence.end
    found += _inline(text, position, len(text))
    return tuple(found)


def prose_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each stretch of `text` that is not code; none is empty."""
    position = 0
    for code in code_in(text):
        if position < code.start:
            yield position, code.start
        position = code.end
    if position < len(text):
        yield position, len(text)


def _fences(text: str) -> Iterator[Code]:
    opened: re.Match[str] | None = None
    for line in _FENCE_LINE.finditer(text):
        if opened is None:
            # CommonMark: a line with a second run of backticks is inline code.
            opened = None if line[1][0] == "`" and "`" in line[2] else line
        elif line[1].startswith(opened[1]) and not line[2].strip():
            yield Code(opened.start(1), line.end())
            opened = None
    if opened is not None:
        yield Code(opened.start(1), len(text), is_open=True)


def _inline(text: str, start: int, end: int) -> Iterator[Code]:
    """Inline code ends at the next run of as many backticks, in the same paragraph."""
    while start < end:
        stop = _PARAGRAPH_END.search(text, start, end)
        yield from _in_paragraph(text, start, stop.start() if stop else end)
        start = stop.end() if stop else end


def _in_paragraph(text: str, start: int, end: int) -> Iterator[Code]:
    runs = list(_BACKTICKS.finditer(text, start, end))
    # The next run of the same length, found from behind so that every run is looked at once.
    latest: dict[int, re.Match[str]] = {}
    closing: list[re.Match[str] | None] = []
    for run in reversed(runs):
        length = run.end() - run.start()
        closing.append(latest.get(length))
        latest[length] = run
    position = start
    for run, close in zip(runs, reversed(closing), strict=True):
        if run.start() >= position and close is not None:
            yield Code(run.start(), close.end())
            position = close.end()
