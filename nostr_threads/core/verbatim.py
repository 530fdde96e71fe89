"""Where a text is code: fenced and indented blocks, and inline code; nothing there is a mention.

Knows Markdown's inline code (CommonMark 6.1) as far as that takes, and asks `splitting.blocks` for
the blocks. Knows nothing of what prose means. Takes time linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nostr_threads.core.splitting.blocks import find_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Code", "code_in", "prose_in"]

_PARAGRAPH_END = re.compile(r"(?:\r\n?|\n)[ \t]*+(?:\r\n?|\n)")
_BACKTICKS = re.compile(r"`++")


@dataclass(frozen=True, slots=True)
class Code:
    """The characters from `start` up to, not including, `end`, with their fences or backticks.

    `is_block` tells fenced and indented blocks from inline code. `is_open` says that a fenced block
    is never closed; it then reaches to the end of the text.
    """

    start: int
    end: int
    is_block: bool = False
    is_open: bool = False


def code_in(text: str) -> tuple[Code, ...]:
    """Return the blocks of code and the inline code of `text`, in order; none overlap."""
    found: list[Code] = []
    position = 0
    for block in _blocks(text):
        found += _inline(text, position, block.start)
        found.append(block)
        position = block.end
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


# A text is asked for its people, its tags and its end, one after the other.
@lru_cache(maxsize=1)
def _blocks(text: str) -> tuple[Code, ...]:
    # No block of code is without these, and most texts are.
    if not any(mark in text for mark in ("```", "~~~", "    ", "\t")):
        return ()
    blocks = find_blocks(text)
    fences = [
        # Its line may begin with the marks of a quote and of a list.
        Code(
            text.index(fence.mark.lstrip("> "), fence.start),
            min(fence.end, len(text)),
            is_block=True,
            is_open=fence.end > len(text),
        )
        for fence in blocks.fences
    ]
    indented = [Code(block.start, block.end, is_block=True) for block in blocks.codes]
    return tuple(sorted((*fences, *indented), key=lambda code: code.start))


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
