"""How much of one client is worked on, and answered again: no client takes another's turn.

Knows counts and times (unix seconds), which are passed in. Knows nothing of what is asked.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.nip46 import Response

__all__ = ["Lane"]

_MINUTE = 60
# Times that one event is worked on or answered: a client sends it again after each silence.
_MOST_REPEATS = 4
_MOST_SEEN = 4_000
# Answers that are kept for whoever asks again, and the characters in all of them.
_MOST_ANSWERS, _MOST_CHARACTERS = 200, 4 * 2**20
# Words in a minute about what is refused.
_MOST_WORDS = 10


class Lane:
    """The state of one client, or of all strangers together. `most` events are at work at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._at_work = 0
        self._recent: deque[int] = deque()
        self._seen: dict[str, int] = {}
        self._answers: dict[str, Response | None] = {}
        self._characters = 0
        self._told: deque[int] = deque()

    def enter(self, event_id: str) -> bool:
        """Begin to work on an event; False where there is too much at once, or too much of it."""
        times = self._seen.get(event_id, 0)
        if self._at_work >= self._most or times >= _MOST_REPEATS:
            return False
        self._at_work += 1
        self._seen[event_id] = times + 1
        if len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return True

    def leave(self) -> None:
        """End the work on an event."""
        self._at_work -= 1

    def is_repeated(self, event_id: str) -> bool:
        """Whether an event that has entered was there before."""
        return self._seen.get(event_id, 0) > 1

    # Rate

    def count(self, now: int) -> int:
        """Return how many requests were worked on in the last minute."""
        while self._recent and not now - _MINUTE < self._recent[0] <= now:
            self._recent.popleft()
        return len(self._recent)

    def mark(self, now: int) -> None:
        """Count one more."""
        self._recent.append(now)

    def may_tell(self, now: int) -> bool:
        """Whether it is told again that it asks too much: each word costs us a signature."""
        while self._told and not now - _MINUTE < self._told[0] <= now:
            self._told.popleft()
        if len(self._told) >= _MOST_WORDS:
            return False
        self._told.append(now)
        return True

    # Answers

    def has_asked(self, request_id: str) -> bool:
        """Whether a request is at work, or its answer is kept."""
        return request_id in self._answers

    def answer(self, request_id: str) -> Response | None:
        """Return the answer that is kept; None while it is at work."""
        return self._answers[request_id]

    def begin(self, request_id: str) -> None:
        """Remember that a request is at work."""
        self._answers[request_id] = None

    def keep(self, request_id: str, response: Response | None) -> None:
        """Keep an answer for a while; None forgets the request."""
        if response is None:
            self._answers.pop(request_id, None)
            return
        # To the end: one that somebody took long over is as new as any.
        self._answers.pop(request_id, None)
        self._answers[request_id] = response
        self._characters += _size(response)
        done = [name for name, kept in self._answers.items() if kept is not None]
        for name in done:
            if len(done) <= _MOST_ANSWERS and self._characters <= _MOST_CHARACTERS:
                return
            dropped = self._answers.pop(name)
            self._characters -= _size(dropped) if dropped is not None else 0
            done = done[1:]


def _size(response: Response) -> int:
    return len(response.result) + len(response.error)
