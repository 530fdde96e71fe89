"""What arrived in a thread, as text for a terminal: the new notes, and whom each answers.

Knows which blocks are new. How one is drawn is in `tree`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.core.node import State
from nostr_threads.render.body import Reading
from nostr_threads.render.outline import Block, outline
from nostr_threads.render.setting import PLAIN, Setting
from nostr_threads.render.tree import Page
from nostr_threads.render.wording import mark_of, short_code, title_of, writer

if TYPE_CHECKING:
    from collections.abc import Collection

    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread

__all__ = ["answered", "render_news", "titled"]


def render_news(thread: Thread, fresh: Collection[str], setting: Setting = PLAIN) -> str:
    """Return the notes of `thread` whose ids are `fresh`, in display order, under its first line.

    Each says whom it answers. `setting.fold` bounds how many are shown; the rest is counted.
    """
    reading = Reading(thread, setting)
    news = [
        block
        for block in outline(thread)
        if isinstance(block, Block) and any(node.id in fresh for node in block.nodes)
    ]
    if not news:
        return ""
    most = len(news) if setting.fold is None else setting.fold
    lines = [titled(thread, reading), ""]
    page = Page(reading, setting)
    for number, block in enumerate(news[:most], 1):
        shown = replace(block, depth=1, last=number == len(news))
        lines += page.lines(shown, answering=answered(thread, block.nodes[0], setting))
    if len(news) > most:
        lines += [f"└─ … {len(news) - most} more", ""]
    return "\n".join(lines) + "\n"


def titled(thread: Thread, reading: Reading) -> str:
    """Return the line above notes of a thread: what it is called, and its short code."""
    root = thread.nodes[0]
    code = short_code(root.id)
    if root.event is None or root.state is not State.PRESENT:
        return code
    return f"{mark_of(root)}{title_of(root.event) or reading.first_line(root.event)} · {code}"


def answered(thread: Thread, node: Node, setting: Setting) -> str:
    """Say whom a node answers, "" for the root."""
    parent = thread.node(node.parent or "")
    return f"to {writer(parent, setting)}" if parent is not None else ""
