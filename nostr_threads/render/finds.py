"""What was found in a thread, as text for a terminal: of each note the piece where it stands.

Knows lines and how a piece is made harmless. Which piece it is, is `snippets`' to know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core.node import State
from nostr_threads.render.body import Reading
from nostr_threads.render.escape import printable
from nostr_threads.render.news import answered, titled
from nostr_threads.render.outline import Block
from nostr_threads.render.setting import PLAIN, Setting
from nostr_threads.render.snippets import snippet
from nostr_threads.render.wording import code_of, heading, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nostr_threads.core.node import Node
    from nostr_threads.core.search_terms import Term
    from nostr_threads.core.thread import Thread

__all__ = ["cutting", "render_finds"]

_LENGTH = 240
_SPACES = re.compile(r"\s+")


def cutting(
    text: str, terms: Sequence[Term], most: int = _LENGTH, mark: Callable[[str], str] = str
) -> str:
    """Return on one printable line the piece of a text in which most of the `terms` stand.

    It is made of at most `most` characters; an escaped one takes several. `mark` is given what was
    looked for.
    """
    found = snippet(text, terms, most)
    pieces = ((_SPACES.sub(" ", printable(each.text)), each.is_hit) for each in found.pieces)
    line = "".join(mark(words) if is_hit else words for words, is_hit in pieces).strip()
    return f"{'…' if found.cut_before else ''}{line}{'…' if found.cut_after else ''}"


def render_finds(
    thread: Thread,
    found: Sequence[str],
    terms: Sequence[Term],
    setting: Setting = PLAIN,
    mark: Callable[[str], str] = str,
) -> str:
    """Return the notes of `thread` whose ids are `found`, in that order, under its first line.

    Each has its whole code, to be copied. `mark` is as in `cutting`.
    """
    nodes = [node for key in found if (node := thread.node(key)) is not None]
    if not nodes:
        return ""
    lines = [titled(thread, Reading(thread, setting)), ""]
    for node in nodes:
        lines += [f"  {line}" for line in _lines(thread, node, terms, setting, mark)]
        lines.append("")
    return "\n".join(lines) + "\n"


def _lines(
    thread: Thread,
    node: Node,
    terms: Sequence[Term],
    setting: Setting,
    mark: Callable[[str], str],
) -> Iterator[str]:
    block = Block((node,), depth=0, last=True, to_part=None, broken=None)
    yield " · ".join(filter(None, (heading(block, setting), answered(thread, node, setting))))
    if node.state is not State.PRESENT or node.event is None:
        yield reason(node, thread, setting)
    else:
        yield cutting(node.event.content, terms, mark=mark)
    yield code_of(node.id)
