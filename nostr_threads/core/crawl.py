"""The questions that complete a thread: climb to the root, then ask for what answers each note.

Knows what to ask next, and when nothing is left to ask. Knows nothing of sockets: whoever drives it
puts each question to its relay and hands the answers back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core import kinds
from nostr_threads.core.coverage import Answer, Coverage, Finish, Tracker
from nostr_threads.core.filters import Filter
from nostr_threads.core.references import Pointer, parse_address, references
from nostr_threads.core.wire import prefix_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from nostr_threads.core.event import Verified

__all__ = ["Budget", "Crawl", "Question"]

Question: TypeAlias = tuple[str, Filter]
"""A relay's URL and what to ask it."""

_ANSWERS = (kinds.NOTE, kinds.DELETION, kinds.COMMENT)
_COMMENTS = (kinds.COMMENT,)
# Values in one filter: some relays take messages of no more than 16 kB.
_CHUNK = 100
# Filters put to each relay at a time: as many as are answered at once.
_AT_ONCE = 10
# A relay that ended a question like this is not asked again: it would only cost time.
_HOPELESS = frozenset((Finish.UNREACHABLE, Finish.TIMEOUT))
_SHUT_OUT = frozenset(("auth-required", "restricted", "blocked"))


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop although there may be more: events and bytes in all, rounds of questions."""

    events: int = 50_000
    bytes: int = 256 * 2**20
    rounds: int = 200


class Crawl:
    """One crawl around `start`, over `relays` (normalised URLs). `run` is its generator.

    A note belongs to the thread when its parent does or, while its parent is unknown, when it
    claims a root that does. Claims about the root are followed upwards only from what `start`
    itself descends from: a reply that names a foreign root cannot lead the crawl away.
    """

    def __init__(
        self,
        start: Pointer,
        relays: Iterable[str],
        *,
        known: Iterable[Verified] = (),
        budget: Budget | None = None,
    ) -> None:
        self.start = start
        self.budget_hit: str | None = None
        self._budget = budget or Budget()
        self._relays = list(dict.fromkeys(relays))
        self._hopeless: set[str] = set()
        self._size = 0
        self._tracker = Tracker()
        self._events: dict[str, Verified] = {}
        self._heard: set[str] = set()
        self._names: dict[str, str] = {}
        self._keys: dict[str, None] = {}
        self._above: set[str] = set()
        self._waiting: defaultdict[str, list[Verified]] = defaultdict(list)
        self._orphans: dict[str, None] = {}
        self._wanted: dict[str, None] = {}
        self._sought: set[str] = set()
        self._expanded: set[str] = set()
        self._climb(start)
        for event in known:
            self._take(event)

    def run(self) -> Generator[list[Question], Iterable[Answer], None]:
        """Yield questions, take their answers, until nothing is left to ask.

        A round asks for everything that the last one brought to light, a few filters at a time, so
        that budgets and hopeless relays are noticed in the middle of a large one.
        """
        for _ in range(self._budget.rounds):
            filters = [*self._seek(), *self._expand()]
            if not filters:
                return
            for start in range(0, len(filters), _AT_ONCE):
                relays = [url for url in self._relays if url not in self._hopeless]
                if not relays:
                    return
                batch = filters[start : start + _AT_ONCE]
                answers = yield [(url, condition) for url in relays for condition in batch]
                for answer in answers:
                    self._hear(answer)
                self.budget_hit = self._hit()
                if self.budget_hit is not None:
                    return
        if self._is_open():
            self.budget_hit = f"{self._budget.rounds} rounds"

    @property
    def events(self) -> tuple[Verified, ...]:
        """Everything that was found, of this thread or not, in order of finding."""
        return tuple(self._events.values())

    @property
    def root(self) -> str:
        """The key of the thread's root: the top of the chain above `start`, as far as known."""
        key = self.start.key
        passed: dict[str, Verified] = {}
        while (event := self._event(key)) is not None and event.id not in passed:
            passed[event.id] = event
            refs = references(event)
            if refs.parent is None:
                return kinds.address_of(event) or event.id
            parent_known = self._event(refs.parent.key) is not None
            key = refs.parent.key if parent_known or refs.root is None else refs.root.key
        if event is None:
            return key
        # A cycle, possible through addresses: it is cut at its oldest member, as in `tree`.
        ids = list(passed)
        cycle = [passed[each] for each in ids[ids.index(event.id) :]]
        oldest = min(cycle, key=lambda each: (each.created_at, each.id))
        return kinds.address_of(oldest) or oldest.id

    def coverage(self, counted: Iterable[str]) -> Coverage:
        """Return what each relay gave of the event ids in `counted`."""
        return self._tracker.coverage(counted)

    # What is known

    def _is_open(self) -> bool:
        """Whether there is something left to ask, and somebody to ask it."""
        somebody = any(url not in self._hopeless for url in self._relays)
        return somebody and bool([*self._seek(), *self._expand()])

    def _hit(self) -> str | None:
        if len(self._events) >= self._budget.events:
            return f"{self._budget.events} events"
        if self._size >= self._budget.bytes:
            return f"{self._budget.bytes} bytes"
        return None

    def _hear(self, answer: Answer) -> None:
        self._tracker.add(answer)
        self._size += answer.size
        if answer.finish in _HOPELESS or prefix_of(answer.reason) in _SHUT_OUT:
            self._hopeless.add(answer.relay)
        for event in answer.events:
            self._heard.add(event.id)
            self._take(event)

    def _take(self, event: Verified) -> None:
        if event.id in self._events:
            return
        self._events[event.id] = event
        names = _names(event)
        for name in names:
            self._names[name] = self._newer(name, event)
        if event.kind == kinds.DELETION:
            return
        refs = references(event)
        if self._above.intersection(names):
            self._rise(event)
            self._climb(refs.parent)
            self._climb(refs.root)
        elif refs.parent is None:
            return
        elif self._belongs(refs.parent, refs.root):
            self._want(refs.parent.key)
            self._orphans[refs.parent.key] = None
            self._join(event)
        else:
            self._waiting[refs.parent.key].append(event)

    def _newer(self, name: str, event: Verified) -> str:
        """The id that a name stands for: of several versions the current one (NIP-01)."""
        known = self._event(name)
        if known is None or (event.created_at, known.id) > (known.created_at, event.id):
            return event.id
        return known.id

    def _belongs(self, parent: Pointer, root: Pointer | None) -> bool:
        if parent.key in self._keys:
            return True
        return self._event(parent.key) is None and root is not None and root.key in self._keys

    def _join(self, event: Verified) -> None:
        """Count an event, and all that waited for it, as part of the thread."""
        names = [*_names(event)]
        while names:
            name = names.pop()
            self._keys[name] = None
            for waiting in self._waiting.pop(name, ()):
                names += _names(waiting)

    def _climb(self, pointer: Pointer | None) -> None:
        """Follow the chain above `start`; what is known already is passed at once."""
        stack = [pointer]
        while stack:
            at = stack.pop()
            if at is None or at.key in self._above:
                continue
            self._above.add(at.key)
            self._keys[at.key] = None
            self._want(at.key)
            if (event := self._event(at.key)) is not None:
                self._rise(event)
                refs = references(event)
                stack += [refs.parent, refs.root]

    def _rise(self, event: Verified) -> None:
        """Count an event as one that `start` descends from, under all its names."""
        self._above.update(_names(event))
        for name in _names(event):
            self._want(name)
        self._join(event)

    def _want(self, key: str) -> None:
        if self._lacks(key) and key not in self._sought:
            self._wanted[key] = None

    def _lacks(self, key: str) -> bool:
        """Whether to look for an event. Above `start`, to be stored is not to be at a relay.

        Of an article there, the version that is known need not be the newest.
        """
        if key in self._above:
            return not _is_id(key) or self._names.get(key) not in self._heard
        return key not in self._names

    def _event(self, key: str) -> Verified | None:
        return self._events.get(self._names.get(key, ""))

    def _adopt(self) -> None:
        """Count parents that were sought in vain as part of the thread: others may answer them."""
        for key in [key for key in self._orphans if key in self._sought]:
            del self._orphans[key]
            if key not in self._names:
                self._keys[key] = None
                for event in self._waiting.pop(key, ()):
                    self._join(event)

    # What to ask

    def _seek(self) -> Iterator[Filter]:
        """Ask for wanted events by id and by address, once each."""
        keys = [key for key in self._wanted if self._lacks(key)]
        self._wanted.clear()
        self._sought.update(keys)
        yield from (Filter(ids=ids) for ids in _chunks(key for key in keys if _is_id(key)))
        for key in keys:
            if (address := parse_address(key)) is not None:
                kind, author, identifier = address
                tags = {"d": (identifier,)} if kinds.is_addressable(kind) else {}
                yield Filter(kinds=(kind,), authors=(author,), tags=tags)

    def _expand(self) -> Iterator[Filter]:
        """Ask for what answers each key, once each: many clients name only the parent."""
        self._adopt()
        keys = [key for key in self._keys if key not in self._expanded]
        self._expanded.update(keys)
        groups = defaultdict(list)
        for key in keys:
            letter = "e" if _is_id(key) else "a" if parse_address(key) is not None else "i"
            groups[letter, _ANSWERS if letter != "i" else _COMMENTS].append(key)
            if key in self._above:
                groups[letter.upper(), _COMMENTS].append(key)
        for (letter, wanted), values in groups.items():
            for chunk in _chunks(values):
                yield Filter(kinds=wanted, tags={letter: chunk})


def _names(event: Verified) -> tuple[str, ...]:
    address = kinds.address_of(event)
    return (event.id,) if address is None else (event.id, address)


def _is_id(key: str) -> bool:
    return len(key) == 64 and not key.strip("0123456789abcdef")


def _chunks(keys: Iterable[str]) -> Iterator[tuple[str, ...]]:
    values = tuple(keys)
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
