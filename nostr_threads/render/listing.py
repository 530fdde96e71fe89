"""Threads one under the other, as text for a terminal: what each is called, and what is new.

Knows two lines a thread. How its notes are drawn is in `tree`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core.thread import Thread
from nostr_threads.render.body import Reading
from nostr_threads.render.setting import PLAIN, Setting
from nostr_threads.render.wording import (
    author,
    code_of,
    counted,
    field,
    kind_of,
    short_code,
    title_of,
    when,
)

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

__all__ = ["called", "render_listed"]

_TITLE = 100
# What makes a heading of a line in Markdown.
_MARKS = re.compile(r"#{1,6} +")
_UNTITLED = "(no text)"


def called(key: str, root: Event | None, setting: Setting = PLAIN) -> str:
    """Return what the thread of `key` is called: its title, its subject, or how it begins."""
    if root is None:
        return f"thread {short_code(key)}"
    begins = _MARKS.sub("", Reading(Thread(()), setting).first_line(root))
    return title_of(root) or field(begins, _TITLE) or _UNTITLED


def render_listed(
    key: str, root: Event | None, setting: Setting, *, notes: int, unread: int, last_at: int
) -> str:
    """Return the lines of one thread; its code is whole, to be copied."""
    words = [author(root.pubkey, setting), kind_of(root)] if root is not None else []
    words += [counted(notes, "note"), f"{unread} new" if unread else "", when(last_at, setting.now)]
    about = " · ".join(filter(None, words))
    code = code_of(key) or short_code(key)
    return f"{called(key, root, setting)}\n  {about}\n  {code}\n"
