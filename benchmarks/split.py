"""Long texts split: what 1 MB of each kind takes, and that it takes ten times what 0.1 MB does.

The time of a character should not grow with the text, whatever the text is.
"""

from __future__ import annotations

import time
from functools import partial
from statistics import median

from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.split import Limit, split

ROUNDS = 3

_MARKDOWN = (
    "## A heading\n\nA sentence, e.g. this one, goes on. Another has https://example.com/a?b=c in "
    "it.\n\n- item one\n- item two\n\n```py\ncode = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
)
_UNITS = {
    "Markdown": _MARKDOWN,
    "Chinese": "\u8fd9\u662f\u4e00\u4e2a\u53e5\u5b50\uff0c\u6709\u9017\u53f7\u3002",
    "base64 in one line": "QUJD",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "flags": "\U0001f1e9\U0001f1ea",
    "spaces": " ",
    "backticks": "`",
    "lines of code in one fence": "x = 1\n",
}
_LIMIT = Limit(characters=4_000, bytes=8_000)


def run(rounds: int) -> None:
    """Measure, and print the tables."""
    large = {kind: _text(kind, 1_000_000) for kind in _UNITS}
    small = {kind: _text(kind, 100_000) for kind in _UNITS}
    seconds = in_turn({kind: partial(_split, text) for kind, text in large.items()}, rounds)
    tenth = in_turn({kind: partial(_split, text) for kind, text in small.items()}, rounds)
    table(seconds, unit="ms")
    for kind, each in seconds.items():
        print(f"  {kind:48}{1 / median(each):10.2f}  MB/s")
    for kind, each in seconds.items():
        ratio(f"{kind}: 1 MB / 0.1 MB", each, tenth[kind], "about 10")


def _text(kind: str, size: int) -> str:
    """A text of about `size` bytes."""
    unit = _UNITS[kind]
    opening = "```py\n" if "fence" in kind else "x"
    return opening + unit * (size // len(unit.encode()))


def _split(text: str) -> float:
    began = time.perf_counter()
    parts = split(text, _LIMIT)
    seconds = time.perf_counter() - began
    assert sum(len(part.original) for part in parts) == len(text)
    return seconds
