"""A thread as text for a terminal: one block a note, tree lines, what is missing and why.

Knows layout: which line begins with what, and how long it gets. What stands on it comes from
`wording` and `body`, where everything that a relay sent was made printable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.render.body import Reading
from nostr_threads.render.escape import draws_nothing, undrawn
from nostr_threads.render.outline import Fold, outline
from nostr_threads.render.setting import PLAIN, Setting
from nostr_threads.render.wording import fold_line, heading, short_key
from nostr_threads.render.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.thread import Thread
    from nostr_threads.render.body import Passage
    from nostr_threads.render.outline import Block

__all__ = ["Page", "render_tree", "short_key"]

# Deeper notes are drawn at this depth, with their real one beside them: lines stay readable.
_DEEPEST = 12
_STEP = 3
_INDENT = "  "
_NARROWEST = 20
_QUOTE = "┃ "
_BLANKS = 2


def render_tree(thread: Thread, setting: Setting = PLAIN) -> str:
    """Return the thread in display order, a reply indented one step below what it answers.

    The parts of an author's answer are one text. Every line that a note fills stands to the right
    of its heading; lines that begin with tree lines, or with the bar of a quotation, are ours.
    """
    page = Page(Reading(thread, setting), setting)
    lines = [line for entry in outline(thread, setting.fold) for line in page.lines(entry)]
    return "\n".join(lines) + "\n" if lines else ""


class Page:
    """Draws blocks one after the other; remembers which tree lines are still open."""

    def __init__(self, reading: Reading, setting: Setting) -> None:
        self._reading = reading
        self._setting = setting
        self._width = setting.width
        self._open_at: list[bool] = []
        self._deepest = _DEEPEST
        if setting.width is not None:
            room = setting.width - _NARROWEST - len(_INDENT) - len(_QUOTE)
            self._deepest = max(1, min(_DEEPEST, room // _STEP))

    def lines(self, entry: Block | Fold, *, answering: str = "") -> Iterator[str]:
        """Yield the lines of one block, the empty one after it included.

        Where the tree does not show it, `answering` says what it answers.
        """
        lead, stem = self._stems(entry)
        words = fold_line(entry) if isinstance(entry, Fold) else heading(entry, self._setting)
        words += f" · {answering}" if answering else ""
        if not isinstance(entry, Fold) and entry.depth > self._deepest:
            words += f" · depth {entry.depth}"
        first, *others = self._wrapped(words, len(stem) + 2 * len(_INDENT))
        yield lead + first
        for line in others:
            yield f"{stem}{_INDENT}{_INDENT}{line}"
        if not isinstance(entry, Fold):
            for line in self._body(entry, len(stem)):
                yield f"{stem}{_INDENT}{line}".rstrip()
        yield stem.rstrip()

    def _stems(self, entry: Block | Fold) -> tuple[str, str]:
        """Return what stands before a block's heading, and before its other lines."""
        depth = min(entry.depth, self._deepest)
        del self._open_at[max(depth - 1, 0) :]
        if not depth:
            return "", ""
        stem = "".join("│  " if more else "   " for more in self._open_at)
        last = isinstance(entry, Fold) or entry.last
        self._open_at.append(not last)
        return stem + ("└─ " if last else "├─ "), stem + ("   " if last else "│  ")

    def _body(self, block: Block, taken: int) -> Iterator[str]:
        for passage in self._reading.passages(block):
            if passage.key is not None:
                for line in self._wrapped(passage.text, taken + len(_INDENT) + len(_QUOTE)):
                    yield _QUOTE + line
                continue
            for line in _tidy(passage):
                for piece in self._wrapped(line, taken + len(_INDENT)):
                    yield _unbranched(piece)

    def _wrapped(self, line: str, taken: int) -> list[str]:
        if self._width is None:
            return [line]
        return wrap(line, max(self._width - taken, _NARROWEST))


def _tidy(passage: Passage) -> Iterator[str]:
    """Yield the lines without blank ones at the ends and with few together: nobody gets a page."""
    blank = 0
    begun = False
    for line in passage.text.split("\n"):
        if all(map(draws_nothing, line)):
            blank += 1
            continue
        if begun:
            yield from [""] * min(blank, _BLANKS)
        yield line.rstrip()
        blank, begun = 0, True


def _unbranched(line: str) -> str:
    """Keep a note from drawing tree lines of its own, as if it had replies."""
    drawn = next((character for character in line if not draws_nothing(character)), "")
    return undrawn(line) if drawn != undrawn(drawn) else line
