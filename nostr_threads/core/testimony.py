"""What each relay said it had given in full, held against what else it gave.

Knows when a relay contradicts itself. Knows nothing of what to do about it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Answer, Finish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Event
    from nostr_threads.core.filters import Filter

__all__ = ["Testimony"]

# Events that one relay is held to: beyond, it would take more memory than it is worth.
_MOST = 20_000

_Mark = tuple[str, str]
"""A tag's letter and value."""


class Testimony:
    """What one relay said. Answers to questions without tags are not held against it."""

    def __init__(self) -> None:
        self._answers: list[tuple[Filter, frozenset[str]]] = []
        self._by_mark: defaultdict[_Mark, list[int]] = defaultdict(list)
        self._events: dict[str, Event] = {}
        self._events_by_mark: defaultdict[_Mark, list[str]] = defaultdict(list)

    def start_over(self) -> None:
        """Forget what was claimed, and keep what was given: it is held against what comes."""
        self._answers = []
        self._by_mark.clear()

    def hear(self, question: Filter, answer: Answer) -> bool:
        """Take an answer in; say whether the relay has now left out what it has.

        It has when an answer that was complete lacks an event which it gave to another question.
        """
        fresh = [event for event in answer.events if event.id not in self._events]
        if len(self._events) + len(fresh) > _MOST:
            return False
        is_complete = answer.finish is Finish.COMPLETE and bool(question.tags)
        given = frozenset(event.id for event in answer.events)
        contradicted = any(self._was_left_out(event) for event in fresh)
        if is_complete:
            contradicted = contradicted or self._leaves_out(question, given)
            for mark in _asked(question):
                self._by_mark[mark].append(len(self._answers))
            self._answers.append((question, given))
        for event in fresh:
            self._events[event.id] = event
            for mark in _marks(event):
                self._events_by_mark[mark].append(event.id)
        return contradicted

    def _was_left_out(self, event: Event) -> bool:
        places = {place for mark in _marks(event) for place in self._by_mark.get(mark, ())}
        answers = (self._answers[place] for place in places)
        return any(event.id not in given and asked.matches(event) for asked, given in answers)

    def _leaves_out(self, question: Filter, given: frozenset[str]) -> bool:
        names = {name for mark in _asked(question) for name in self._events_by_mark.get(mark, ())}
        return any(question.matches(self._events[name]) for name in names - given)


def _asked(question: Filter) -> Iterator[_Mark]:
    for letter, values in question.tags.items():
        for value in values:
            yield letter, value


def _marks(event: Event) -> set[_Mark]:
    return {(tag[0], tag[1]) for tag in event.tags if len(tag) > 1 and len(tag[0]) == 1}
