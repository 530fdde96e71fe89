"""Whether a text holds the secret key of the bot that is to say it, in hex.

Knows that such a key looks like any id: only what it signs for tells them apart.
"""

from __future__ import annotations

from nostr_threads.core.bots.hex_runs import MOST, hex_runs
from nostr_threads.errors import SigningError
from nostr_threads.signing import KeySigner, secret_from_hex

__all__ = ["holds_key_of"]


def holds_key_of(bot: str, text: str) -> bool:
    """Whether `text` holds, or may hold among too many others, the secret of a public key (hex)."""
    runs = hex_runs(text)
    return len(runs) >= MOST or any(_public(run) == bot for run in runs)


def _public(run: str) -> str:
    try:
        return KeySigner(secret_from_hex(run)).public_key
    except SigningError:
        return ""
