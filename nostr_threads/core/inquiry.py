"""One relay's place in a crawl: what it was asked, what is still to be asked of it.

Knows how far a relay has come through the crawl's lists. Knows nothing of what the answers mean.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.testimony import Testimony

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nostr_threads.core.coverage import Finish
    from nostr_threads.core.filters import Filter

Filters: TypeAlias = "Callable[[Sequence[str]], Iterable[Filter]]"
"""Makes the filters that ask about some keys."""

__all__ = ["Inquiry", "Question", "Topic"]

# Values in one filter: the message stays under 16 kB, and some relays take no more.
_CHUNK = 200
# Questions that one relay has at a time: more would only wait there.
_AT_ONCE = 10


class Topic(Enum):
    """What a question is about."""

    SEEK = "seek"
    """Notes by their ids or addresses."""
    ANSWERS = "answers"
    """What answers the thread's notes."""
    COUNT = "count"
    """How many answer the root (NIP-45)."""
    PEOPLE = "people"
    """Profiles, relay lists and requests to vanish."""
    SOCIAL = "social"
    """Reactions, reposts and zaps."""
    ON_SOCIAL = "on social"
    """What answers those, or takes them back (NIP-09)."""
    QUOTED = "quoted"

    @property
    def is_thread(self) -> bool:
        """Whether the answer says something about how whole the thread is."""
        return self in (Topic.SEEK, Topic.ANSWERS)


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a relay (by its URL). Without `trusting`, its word that it is done is no proof.

    For a COUNT the driver asks how many events match, and nothing when the relay cannot count.
    """

    relay: str
    filter: Filter
    topic: Topic
    trusting: bool = True


@dataclass(slots=True, eq=False)
class _Queue:
    """How far one relay has come through one growing list of keys."""

    asked: int = 0
    open: Counter[int] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        """How many from the beginning have their answer."""
        return min(self.open, default=self.asked)


class Inquiry:
    """One relay of a crawl. It is asked everything, at its own pace, and once."""

    def __init__(self, relay: str, *, about_people: bool = False) -> None:
        self.relay = relay
        self.reads = False
        """Whether it is asked about the thread."""
        self.about_people = about_people
        self.given_up: tuple[Finish, str] | None = None
        """Why it is not asked any more, None while it is."""
        self.skipped: set[Topic] = set()
        """What it is not asked about any more: it was silent, or would not tell."""
        self.trusting = True
        self.testimony = Testimony()
        self._queues: dict[Topic, _Queue] = {}
        self._open: dict[Question, int] = {}

    def next(self, topic: Topic, keys: Sequence[str], filters: Filters) -> Iterator[Question]:
        """Yield what to ask now about the `keys` that this relay was not asked about yet."""
        if topic in self.skipped:
            return
        queue = self._queues.setdefault(topic, _Queue())
        while queue.asked < len(keys) and self.given_up is None and len(self._open) < _AT_ONCE:
            start = queue.asked
            queue.asked = min(start + _CHUNK, len(keys))
            for condition in filters(keys[start : queue.asked]):
                question = Question(self.relay, condition, topic, self.trusting)
                if question not in self._open:
                    self._open[question] = start
                    queue.open[start] += 1
                    yield question

    def answered(self, question: Question) -> None:
        """Note that an answer has come; one from before `start_over` counts no more."""
        start = self._open.pop(question, None)
        if start is None:
            return
        queue = self._queues[question.topic]
        queue.open[start] -= 1
        if not queue.open[start]:
            del queue.open[start]

    def has_answered(self, topic: Topic) -> int:
        """Return how many keys of a topic, from the first, this relay has answered."""
        queue = self._queues.get(topic)
        return 0 if queue is None else queue.answered

    def start_over(self) -> None:
        """Ask everything again, and take the relay's word for no end any more."""
        self.trusting = False
        self.testimony.start_over()
        self._queues = {}
        self._open = {}
