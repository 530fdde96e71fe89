"""A thread as text that a model is shown, within a budget of tokens.

Knows what is shown first, and how it is kept apart from what strangers write into it. Knows nothing
of any model: tokens are counted with care, as a third of the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.bots.shown import by_nearness, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.core.event import Event
    from nostr_threads.core.thread import Node

__all__ = ["MARK", "context", "tokens"]

MARK = "[…]"
"""What stands where something was left out."""

_BYTES_IN_TOKEN = 3
_THREAD = "The notes of the thread, the oldest first in each branch:\n\n"
_QUESTION = "The note to answer:\n\n"
_BETWEEN = "\n\n"
# Less of a note than this is not worth its name.
_FEWEST_BYTES = 120
_MOST_NOTES = 500
_SHORT_ID = 8


def tokens(text: str) -> int:
    """Return how many tokens a text takes at most, as good as always: a third of its bytes."""
    return -(-len(text.encode(errors="replace")) // _BYTES_IN_TOKEN)


def context(ask: Ask, budget: int) -> str:
    """Return what is asked, and as much of its thread as has room in `budget` tokens.

    The question is always there, cut in its middle where it alone is too long. Then comes the root,
    then what lies between the two, from the question up, each cut where it has not enough room;
    then the others that fit, the nearest first. Every line of a note begins with `> `: no note can
    write a line that seems to be another's.
    """
    room = budget * _BYTES_IN_TOKEN
    question = _cut(_QUESTION + _said(ask, ask.event, ask.text), room)
    room -= _bytes(question) + len(_THREAD.encode()) + len(_BETWEEN)
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
            note = _cut(note, room)
        if _bytes(note) <= room:
            found[node.id] = note
            room -= _bytes(note) + len(_BETWEEN)
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
    quoted = "\n".join(f"> {line}" for line in text.strip().splitlines())
    return f"{who}:\n{quoted}"


def _cut(text: str, room: int) -> str:
    """Cut a text of notes in its middle to at most `room` bytes."""
    if _bytes(text) <= room:
        return text
    mark = f"\n> {MARK}\n> "
    left = room - _bytes(mark)
    if left <= 0:
        return _begin(text, room)
    raw = text.encode(errors="replace")
    end = raw[len(raw) - left // 2 :].decode(errors="ignore")
    return f"{_begin(text, left - left // 2)}{mark}{end}"


def _begin(text: str, room: int) -> str:
    return text.encode(errors="replace")[: max(0, room)].decode(errors="ignore")


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
