"""What a note says to a reader, without the names of the bot that it is addressed to.

Knows which words of a note are people. Knows nothing of who they are: names are passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core import nip19
from nostr_threads.core.content import Person, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.content import Token
    from nostr_threads.core.event import Event

__all__ = ["readable"]

# "nostr:npub1…, what is a relay?" and "hello nostr:npub1…!" lose nothing but the name.
_AFTER_A_NAME = " \t,:;-\u2013\u2014"
_SHORT = 12


def readable(event: Event, *, bot: str, names: Mapping[str, str] | None = None) -> str:
    """Return the text of `event`, with `@name` for people and nothing for `bot` (a hex key).

    `names` are by public key; who has none is called by the beginning of their npub. What the text
    cites stays as it is.
    """
    shown = "".join(_shown(token, bot, names or {}) for token in tokens(event))
    return shown.strip().lstrip(_AFTER_A_NAME).strip()


def _shown(token: Token, bot: str, names: Mapping[str, str]) -> str:
    if not isinstance(token, Person):
        return token.text
    if token.pubkey == bot:
        return ""
    name = names.get(token.pubkey)
    return f"@{name or nip19.encode(nip19.PublicKey(token.pubkey))[:_SHORT]}"
