"""A bot in Python: it says what it was told, backwards, and how many have answered before.

    nostr-threads bot run examples/echo_bot.toml

There `answer = { python = "echo_bot:Echo" }` names this class. It may also run by itself:

    python examples/echo_bot.py

What it is asked is a stranger's: it is text, and nothing here is done because of what it says.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from getpass import getpass

import nostr_threads as nt

LONGEST = 500


class Echo:
    """Answers whoever says something short."""

    async def answer(self, ask: nt.Ask) -> nt.Answer | None:
        """Return what is said; None for silence."""
        words = ask.text.split()
        if not words or len(ask.text) > LONGEST:
            return None
        others = sum(node.parent == ask.event.id for node in ask.thread.nodes)
        return nt.Answer(f"{' '.join(reversed(words))}\n\n({others} have answered this before me.)")


async def main() -> None:
    """Answer until Ctrl-C."""
    async with nt.open_signer(password=getpass) as signer, nt.open(signer=signer) as nostr:
        await nt.run_bot(nostr, Echo(), nt.BotFile("echo"), tell=print)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
