"""What is asked, as plain values: what a template and a program are shown of it.

Knows how much of a thread is shown. Holds texts and numbers alone: nothing in it leads anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.entities import EventPointer, PublicKey
from nostr_threads.core.nip19 import encode
from nostr_threads.core.node import State
from nostr_threads.core.profile import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.core.event import Event
    from nostr_threads.core.thread import Node, Thread

__all__ = ["Line", "Note", "Person", "Shown", "by_nearness", "name_of", "shown"]

_LONGEST_TEXT = 10_000
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever wrote a note. `name` is what they call themselves, else the start of their npub."""

    pubkey: str
    npub: str
    name: str


@dataclass(frozen=True, slots=True)
class Note:
    """The note that is answered; `code` is its nevent."""

    id: str
    code: str
    text: str
    kind: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Line:
    """A note of the thread. `depth` counts from 0, its root's."""

    id: str
    author: Person
    text: str
    depth: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Shown:
    """All of it. `thread` is in display order; `bot` is the key that would answer (hex)."""

    note: Note
    author: Person
    thread: tuple[Line, ...]
    bot: str
    now: int


def shown(ask: Ask, *, most: int = 100) -> Shown:
    """Return what is asked, with at most `most` notes of its thread.

    These are its root, then those from the question up, then those nearest to it. A text of more
    than 10,000 characters ends with `…`.
    """
    event = ask.event
    nearest = {node.id for node in by_nearness(ask.thread, event.id)[:most]}
    return Shown(
        note=Note(event.id, _code(event), _cut(ask.text), event.kind, event.created_at),
        author=_person(ask, event.pubkey),
        thread=tuple(_lines(ask, nearest)),
        bot=ask.bot,
        now=ask.now,
    )


def by_nearness(thread: Thread, node_id: str) -> list[Node]:
    """Return the notes of `thread` that can be read, those that a question needs first.

    The root, then what lies between the question and it, from the question up; then the others by
    how many answers lie between them and the question, in display order. The question itself is
    among them where the thread has it.
    """
    path = {each: steps for steps, each in enumerate(_upward(thread, node_id))}
    away: dict[str, int] = {}
    for node in thread.nodes:  # parents before their answers
        before = away.get(node.parent, len(path)) if node.parent is not None else len(path)
        away[node.id] = path.get(node.id, before + 1)
    root = thread.nodes[0].id if thread.nodes else ""
    readable = [
        node for node in thread.nodes if node.state is State.PRESENT and node.event is not None
    ]
    return sorted(readable, key=lambda node: (node.id != root, node.id not in path, away[node.id]))


def name_of(ask: Ask, pubkey: str) -> str:
    """Return what somebody of the thread is called: never empty, on one line."""
    if name := " ".join(ask.names.get(pubkey, "").split())[:_LONGEST_NAME]:
        return name
    if pubkey == ask.event.pubkey and (own := names({pubkey: ask.author}).get(pubkey)):
        return own.text
    return f"{encode(PublicKey(pubkey))[:12]}…"


def _upward(thread: Thread, node_id: str) -> Iterator[str]:
    """The ids from a node up to its root."""
    node = thread.node(node_id)
    while node is not None:
        yield node.id
        node = thread.node(node.parent) if node.parent is not None else None


def _lines(ask: Ask, wanted: set[str]) -> Iterator[Line]:
    for node in ask.thread.nodes:
        if node.id in wanted and (event := node.event) is not None:
            text = _cut(event.content)
            author = _person(ask, event.pubkey)
            yield Line(event.id, author, text, node.depth, event.created_at)


def _person(ask: Ask, pubkey: str) -> Person:
    return Person(pubkey, encode(PublicKey(pubkey)), name_of(ask, pubkey))


def _code(event: Event) -> str:
    return encode(EventPointer(event.id, author=event.pubkey, kind=event.kind))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
