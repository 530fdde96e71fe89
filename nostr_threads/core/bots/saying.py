"""What a bot may say: an answer made fit to be published, or refused.

Knows what must not be in it, whoever made it say so. Knows nothing of how it is split and sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Answer

__all__ = ["Says", "fit"]


@dataclass(frozen=True, slots=True)
class Says:
    """What a bot says at most: characters, and people, events and hashtags that its notes tag."""

    most_characters: int = 20_000
    most_mentions: int = 5
    most_quotes: int = 5
    most_hashtags: int = 10
    never: tuple[str, ...] = ()


def fit(answer: Answer, says: Says) -> Answer:
    """Return `answer` as it may be published. Raises `InvalidText` for one that may not."""
    raise NotImplementedError
