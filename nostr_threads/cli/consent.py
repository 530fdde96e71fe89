"""A person says yes or no at the terminal to what a client of `key bunker` wants.

Knows what is shown and asked. Knows nothing of policies, or of how the answer is used.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from nostr_threads.cli.console import say
from nostr_threads.cli.prompts import has_terminal
from nostr_threads.render.escape import one_line, printable

if TYPE_CHECKING:
    from typing import Self

    from nostr_threads.signing.book import Client
    from nostr_threads.signing.remote_signer import Ask

__all__ = ["Terminal", "named", "npub_of"]

# Seconds that a question on the terminal waits for its answer: a yes that comes when the client has
# gone, after two minutes, would sign for nobody.
_PATIENCE = 100.0
_LONGEST_WORDS = 160


class Terminal:
    """Questions on the terminal, one at a time, while everything else goes on."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._is_open = False

    def __enter__(self) -> Self:
        if has_terminal():
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)
            self._is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_open:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._is_open = False

    async def ask(self, asked: Ask) -> bool:
        """Ask about a deed; False without a terminal, or an answer in time."""
        if not self._is_open:
            return False
        while not self._lines.empty():
            self._lines.get_nowait()  # typed before the question was there
        who = f"{named(asked.client)} ({npub_of(asked.client.key)})"
        say(f"{who} wants to {one_line(asked.what, _LONGEST_WORDS)} ({asked.why}):")
        for line in printable(asked.text).split("\n"):
            # Each begins so: nothing in a text can look like a question of ours.
            say(f"  | {line}")
        say("Allow it? [y/N]")
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._lines.get()
        except TimeoutError:
            say("no answer: it is refused")
            return False
        return answer.strip().lower() in ("y", "yes")

    def _read(self) -> None:
        line = sys.stdin.readline()
        self._lines.put_nowait(line)
        if not line:
            # The terminal is gone: every question from now on is answered with no.
            self.__exit__()


def npub_of(key: str) -> str:
    """Return the npub of a key in hex."""
    from nostr_threads.core.nip19 import PublicKey, encode

    return encode(PublicKey(key))


def named(client: Client) -> str:
    """Return what a client calls itself, as it can be shown."""
    return one_line(client.name, 40) or "a client without a name"
