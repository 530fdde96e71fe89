"""What a bot is asked as text that a model is shown, within a budget of tokens.

Knows what is shown first. How it is measured, and kept apart from what strangers write into it, is
known in `core.untrusted`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.bots.shown import by_nearness, name_of
from nostr_threads.core.untrusted import BYTES_IN_TOKEN, cut, quoted, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.core.event import Event
    from nostr_threads.core.thread import Node

__all__ = ["context"]

_THREAD = "The notes of the thread, the oldest first in each branch:\n\n"
_QUESTION = "The note to answer:\n\n"
_BETWEEN = "\n\n"
# Less of a note than this is not worth its name.
_FEWEST_BYTES = 120
_MOST_NOTES = 500
_SHORT_ID = 8


def context(ask: Ask, budget: int) -> str:
    """Return what is asked, and as much of its thread as has room in `budget` tokens.

    The question is always there, cut in its middle where it alone is too long. Then comes the root,
    then what lies between the two, from the question up, each cut where it has not enough room;
    then the others that fit, the nearest first. Every line of a note begins with `> `: no note can
    write a line that seems to be another's.
    """
    room = budget * BYTES_IN_TOKEN
    question = cut(_QUESTION + _said(ask, ask.event, ask.text), room)
    room -= size(question) + len(_THREAD.encode()) + len(_BETWEEN)
    chosen = _chosen(ask, room)
    if not chosen:
        return question
    notes = [chosen[node.id] for node in ask.thread.nodes if node.id in chosen]
    return _THREAD + _BETWEEN.join((*notes, question))


def _chosen(ask: Ask, room: int) -> Mapping[str, str]:
    """The notes that are shown beside the question, by id."""
    found: dict[str, str] = {}
    needed = _needed(ask)
    for node in by_nearness(ask.thread, ask.event.id)[:_MOST_NOTES]:
        if node.event is None or node.id == ask.event.id:
            continue
        note = _said(ask, node.event, node.event.content)
        if node.id in needed and room >= _FEWEST_BYTES:
            note = cut(note, room)
        if size(note) <= room:
            found[node.id] = note
            room -= size(note) + len(_BETWEEN)
    return found


def _needed(ask: Ask) -> Sequence[str]:
    """The root and the notes above the question."""
    found: list[str] = [node.id for node in ask.thread.nodes[:1]]
    node: Node | None = ask.thread.node(ask.event.id)
    while node is not None and node.parent is not None:
        found.append(node.parent)
        node = ask.thread.node(node.parent)
    return found


def _said(ask: Ask, event: Event, text: str) -> str:
    who = f"{name_of(ask, event.pubkey)} ({event.id[:_SHORT_ID]})"
    if event.pubkey == ask.bot:
        who = f"You, {who}"
    return f"{who}:\n{quoted(text)}"
