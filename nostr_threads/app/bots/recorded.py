"""What a bot was asked, as the plain values that programs parse.

Knows the JSON of `bot log`. Adding a key is allowed, changing one is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.store.bots import Entry

__all__ = ["ask_object"]


def ask_object(entry: Entry) -> dict[str, object]:
    """Return the object of `bot log --json` for one ask."""
    return {
        "bot": entry.bot,
        "id": entry.event_id,
        "author": entry.author,
        "thread": entry.root,
        "state": entry.state.value,
        "rule": entry.answerer or entry.rule,
        "guard": entry.guard,
        "why": entry.why,
        "tries": entry.tries,
        "due": entry.due,
        "answer": entry.posting,
        "asked_at": entry.asked_at,
        "seen_at": entry.seen_at,
        "changed_at": entry.changed_at,
    }
