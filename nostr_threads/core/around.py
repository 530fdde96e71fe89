"""What is around a thread: its people, whom and what its texts mention, reactions to its notes.

Knows what is worth asking about, within bounds. Knows nothing of relays, nor of the thread itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.content import Person, may_mention, quotes, tokens
from nostr_threads.core.inquiry import Topic
from nostr_threads.core.relay_lists import RelayList, relay_list_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.event import Verified

__all__ = ["Around"]

# What the texts of a thread may send us to look for: names to show, notes to quote.
_MOST_MENTIONED = 500


class Around:
    """Grows with the thread. At `most` events or `size` bytes it is full: it is not the thread.

    `viewer` is somebody who is asked about, too.
    """

    def __init__(self, *, most: int, size: int, viewer: str | None) -> None:
        self.events: dict[str, Verified] = {}
        """What was found by id: profiles, relay lists, reactions, quoted notes."""
        self.lists: dict[str, RelayList] = {}
        """Where people write and read (NIP-65), by public key."""
        self.people = dict.fromkeys((viewer,) if viewer is not None else ())
        """Whom to ask about, in order of appearance."""
        self.reactions: dict[str, None] = {}
        """The ids of reactions, reposts and zaps, in order of appearance."""
        self.cited: dict[str, None] = {}
        """The keys of notes that the thread quotes and does not hold."""
        self._most = most
        self._size = size
        self._mentioned = 0
        self._list_dates: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether no more is taken."""
        return len(self.events) >= self._most or self._size <= 0

    def hear(self, topic: Topic, answer: Answer) -> None:
        """Take in what a relay answered to a question about one of these things."""
        new = sum(event.id not in self.events for event in answer.events)
        self._size -= answer.size * new // len(answer.events) if answer.events else answer.size
        for event in answer.events:
            self.take(event)
            if topic is Topic.QUOTED:
                self._mention([event.pubkey])
            elif topic is Topic.SOCIAL and event.id in self.events:
                self.reactions[event.id] = None

    def take(self, event: Verified) -> None:
        """Take one event in, unless it is full."""
        if not self.is_full:
            self.events[event.id] = event
        if event.kind == kinds.RELAY_LIST:
            self._take_list(event)

    def read(self, events: Iterable[Verified], known: Mapping[str, object]) -> None:
        """Take in whom and what the texts of `events` mention that is not `known` by its id."""
        for event in events:
            if may_mention(event):
                self._mention(each.pubkey for each in tokens(event) if isinstance(each, Person))
                cited = [each.key for each in quotes(event) if each.key not in known]
                self.cited.update(dict.fromkeys(cited[: _MOST_MENTIONED - len(self.cited)]))

    def _mention(self, people: Iterable[str]) -> None:
        for pubkey in people:
            if pubkey not in self.people and self._mentioned < _MOST_MENTIONED:
                self._mentioned += 1
                self.people[pubkey] = None

    def _take_list(self, event: Verified) -> None:
        if event.created_at > self._list_dates.get(event.pubkey, -1):
            self._list_dates[event.pubkey] = event.created_at
            self.lists[event.pubkey] = relay_list_of(event)
