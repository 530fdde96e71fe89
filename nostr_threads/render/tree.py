"""A thread as text for a terminal: one block a note, tree lines, what is missing and why.

Knows layout. Everything that came from a relay goes through `escape`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nostr_threads.core import nip19
from nostr_threads.core.node import State
from nostr_threads.render.escape import draws_nothing, one_line, printable

if TYPE_CHECKING:
    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread

__all__ = ["render_tree", "short_key"]

# Deeper notes are drawn at this depth, with their real one beside them: lines stay readable.
_DEEPEST = 12
_REASON = 200


def render_tree(thread: Thread) -> str:
    """Return the thread in display order, a chain of replies indented one step a generation."""
    last = _last_children(thread)
    open_at: list[bool] = []
    lines: list[str] = []
    for node in thread.nodes:
        depth = min(node.depth, _DEEPEST)
        del open_at[max(depth - 1, 0) :]
        stem = "".join("│  " if more else "   " for more in open_at)
        if depth:
            is_last = node.id in last
            lead = stem + ("└─ " if is_last else "├─ ")
            body = stem + ("   " if is_last else "│  ")
            open_at.append(not is_last)
        else:
            lead = body = ""
        lines += _block(node, lead, body)
    return "\n".join(lines) + "\n" if lines else ""


def short_key(pubkey: str) -> str:
    """Return a public key as people compare it: the ends of its npub."""
    npub = nip19.encode(nip19.PublicKey(pubkey))
    return f"{npub[:10]}…{npub[-4:]}"


def _last_children(thread: Thread) -> frozenset[str]:
    latest: dict[str | None, str] = {}
    for node in thread.nodes:
        latest[node.parent] = node.id
    return frozenset(latest.values())


def _block(node: Node, lead: str, body: str) -> list[str]:
    lines = [f"{body}  {_undrawn(line)}".rstrip() for line in _text(node).split("\n")]
    return [f"{lead}{_heading(node)}", *lines, body.rstrip()]


def _undrawn(line: str) -> str:
    """Keep a note from drawing tree lines of its own, as if it had replies."""
    for place, character in enumerate(line):
        if "\u2500" <= character <= "\u257f":
            return line[:place] + ascii(character)[1:-1] + line[place + 1 :]
        if not draws_nothing(character):
            break
    return line


def _heading(node: Node) -> str:
    deep = f" · depth {node.depth}" if node.depth > _DEEPEST else ""
    if node.event is None:
        return f"[{node.state.value}] {one_line(node.id, 80)}{deep}"
    part = f" · part {node.part.index} of {node.part.total}" if node.part else ""
    state = "" if node.state is State.PRESENT else f" · {node.state.value}"
    return f"{short_key(node.event.pubkey)} · {_when(node.event.created_at)}{part}{state}{deep}"


def _text(node: Node) -> str:
    if node.event is not None and node.state is State.PRESENT:
        return printable(node.event.content)
    if node.state is State.MISSING:
        hints = f"; said to be at {', '.join(node.hints[:3])}" if node.hints else ""
        return f"wanted by {len(node.wanted_by)} and not found{printable(hints)}"
    return one_line(node.why, _REASON)


def _when(created_at: int) -> str:
    """The time in UTC to the minute; what no calendar holds is shown as the number."""
    try:
        return datetime.fromtimestamp(created_at, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"at {created_at}"
