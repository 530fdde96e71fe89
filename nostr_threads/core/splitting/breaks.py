"""The kinds of place to break a text at, best first.

Knows their order. What each costs is in `penalties`; where they are is found by `places`.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Break"]


class Break(IntEnum):
    """What ends where a text is broken (before a heading: all above it), best first."""

    HEADING = 0
    PARAGRAPH = 1
    ITEM = 2
    LINE = 3
    SENTENCE = 4
    CLAUSE = 5
    WORD = 6
    GRAPHEME = 7
