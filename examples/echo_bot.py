"""A bot in Python: it says what it was told, backwards, and how many have answered before.

    nostr-threads bot run examples/echo_bot.toml

There `answer = { python = "echo_bot:Echo" }` names this class. What it is asked is a stranger's:
it is text, and nothing here is done because of what it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.bots.asks import Answer

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Ask

LONGEST = 500


class Echo:
    """Answers whoever says something short."""

    async def answer(self, ask: Ask) -> Answer | None:
        """Return what is said; None for silence."""
        words = ask.text.split()
        if not words or len(ask.text) > LONGEST:
            return None
        others = sum(node.parent == ask.event.id for node in ask.thread.nodes)
        return Answer(f"{' '.join(reversed(words))}\n\n({others} have answered this before me.)")
