"""What a client of a remote signer may do without anybody being asked (NIP-46).

Knows one client's rules and how a request is judged by them. Knows no clock and keeps no count.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.event import Draft

__all__ = ["PER_MINUTE", "Policy", "Verdict"]

PER_MINUTE = 60
"""Requests of one client that are answered in a minute, unless told otherwise."""

# Seconds that a client's clock may be ahead of ours.
_AHEAD = 600


class Verdict(Enum):
    """What is done about a request."""

    YES = "yes"
    ASK = "ask"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for one client.

    It may have events of these `kinds` signed (None: of all), `per_minute` requests answered, and,
    with `encryption`, texts encrypted and decrypted (NIP-44), until `until` (unix seconds, None for
    no end). What it may not do is refused; with `ask` a person is asked about it. Rate and end are
    never asked about.
    """

    kinds: frozenset[int] | None = None
    per_minute: int = PER_MINUTE
    until: int | None = None
    encryption: bool = False
    ask: bool = False

    def admits(self, recent: int, now: int) -> str:
        """Why nothing of the client is answered now, "" where it is.

        `recent` counts what was answered in the last minute.
        """
        if self.until is not None and now >= self.until:
            return "what you were allowed has come to its end"
        if recent >= self.per_minute:
            return f"rate-limited: more than {self.per_minute} requests a minute"
        return ""

    def judge_draft(self, draft: Draft, now: int) -> tuple[Verdict, str]:
        """Judge what is to be signed at `now`; the words say why not."""
        if self.kinds is not None and draft.kind not in self.kinds:
            return self._otherwise(f"events of kind {draft.kind} are not signed for you")
        if draft.created_at > now + _AHEAD:
            # What has versions could not be replaced until then.
            return self._otherwise("it is dated in the future")
        return Verdict.YES, ""

    def judge_encryption(self) -> tuple[Verdict, str]:
        """Judge whether a text is encrypted or decrypted."""
        return (Verdict.YES, "") if self.encryption else self._otherwise("no texts are encrypted")

    def _otherwise(self, why: str) -> tuple[Verdict, str]:
        return (Verdict.ASK, why) if self.ask else (Verdict.NO, why)
