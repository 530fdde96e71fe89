"""What a bot tells of while it runs.

Knows the words. How they are shown is its listener's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.bots.reported import reported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.core.bots.asks import Answer
    from nostr_threads.core.event import Event

__all__ = ["Deed", "News", "Tell"]


class Deed(StrEnum):
    """What has happened."""

    LISTENING = "listening"
    """The relays are asked for what is new; `why` names them."""
    TROUBLE = "trouble"
    """A relay did not give what is new; `why` says which and why. It is asked again."""
    HEARD = "heard"
    SKIPPED = "skipped"
    WAITS = "waits"
    ANSWERING = "answering"
    WOULD_ANSWER = "would-answer"
    """It is a dry run: the answer is not even signed."""
    QUEUED = "queued"
    """The answer is signed, and on its way."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """A try has failed; `why` says whether there are others."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing that has happened, at `at` (unix seconds), to the bot of that name.

    `event` is the note that asks, `rule` the rule that answers, `answer` what it says and `posting`
    the ids of its parts. `guard` and `why` are why there is none; a stranger's words may be in it.
    """

    deed: Deed
    bot: str
    at: int
    event_id: str = ""
    event: Event | None = None
    rule: str = ""
    guard: str = ""
    why: str = ""
    answer: Answer | None = None
    posting: Sequence[str] = ()

    def __str__(self) -> str:
        """Return it as one line that a terminal may be shown."""
        why = f"{self.guard}: {self.why}" if self.guard else self.why
        parts = (self.bot, self.deed.value, self.event_id[:8], self.rule, why)
        return reported(" ".join(part for part in parts if part))


Tell: TypeAlias = "Callable[[News], None]"
