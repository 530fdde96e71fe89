"""What strangers wrote as text that a model is shown: measured, cut, and kept apart from ours.

Knows how much a text takes, with care: a third of its bytes in tokens. Knows nothing of notes, or
of any model.
"""

from __future__ import annotations

__all__ = ["BYTES_IN_TOKEN", "MARK", "cut", "quoted", "size", "tokens"]

MARK = "[…]"
"""What stands where something was left out."""

BYTES_IN_TOKEN = 3
"""How many bytes of UTF-8 are counted as one token: few models need more tokens for a text."""


def size(text: str) -> int:
    """Return how many bytes a text takes."""
    return len(text.encode(errors="replace"))


def tokens(text: str) -> int:
    """Return how many tokens a text takes at most, as good as always: a third of its bytes."""
    return -(-size(text) // BYTES_IN_TOKEN)


def quoted(text: str) -> str:
    """Return a text with `> ` before each of its lines: none can seem to be another's, or ours."""
    return "\n".join(f"> {line}" for line in text.strip().splitlines())


def cut(text: str, room: int) -> str:
    """Cut a quoted text in its middle to at most `room` bytes."""
    if size(text) <= room:
        return text
    mark = f"\n> {MARK}\n> "
    left = room - size(mark)
    if left <= 0:
        return _begin(text, room)
    raw = text.encode(errors="replace")
    end = raw[len(raw) - left // 2 :].decode(errors="ignore")
    return f"{_begin(text, left - left // 2)}{mark}{end}"


def _begin(text: str, room: int) -> str:
    return text.encode(errors="replace")[: max(0, room)].decode(errors="ignore")
