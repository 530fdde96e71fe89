"""What belongs to the thread around a note, as far as the events known so far tell.

Knows the chain above the note, what joins below it, and what is wanted. Knows nothing of relays.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.lineage import root_above, step_of
from nostr_threads.core.references import Relation, references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.lineage import Step
    from nostr_threads.core.references import Pointer, References

__all__ = ["Belonging"]

# Who may have written what is missing, where only the people are known whom an answer tags: of all
# of them, and of one answer.
_MOST_SUSPECTS = 500
_MOST_TAGGED = 5
_CONVERSATION = (Relation.ROOT, Relation.REPLY)


class Belonging:
    """The keys of one thread, growing as events are taken in. Both lists only ever grow.

    A note belongs to the thread when its parent does or, while its parent is unknown, when it
    claims a root that does. Claims about the root are followed upwards only from what `start`
    itself descends from: a reply that names a foreign root cannot lead the crawl away.
    """

    def __init__(self, start: Pointer) -> None:
        self.keys: list[str] = []
        """What others may answer, in order of joining."""
        self.wanted: list[str] = []
        """What was named and was not there at the time; all that `start` descends from is in it."""
        self.above: set[str] = set()
        """The keys that `start` descends from, and its own."""
        self.hints: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        """The keys for which members name relays: by (URL, who says so)."""
        self.authors: dict[str, None] = {}
        """Who wrote something that belongs."""
        self.suspects: dict[str, dict[str, None]] = {}
        """Who wrote or may have written what was wanted: the keys, by public key."""
        self.events: dict[str, Verified] = {}
        """Everything that was taken in, of this thread or not."""
        self._start = start
        self._depths: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._asked_for: set[str] = set()
        self._waiting: defaultdict[str, list[tuple[Verified, References]]] = defaultdict(list)
        self._orphaned: dict[str, int] = {}
        self._climb(start)

    def take(self, event: Verified) -> None:
        """Take one event in, once."""
        if event.id in self.events:
            return
        self.events[event.id] = event
        refs = references(event)
        if refs.relation is Relation.DELETION:
            return
        names = _names(event)
        for name in names:
            self._names[name] = self._newer(name, event)
        if not self.above.isdisjoint(names):
            self._rise(event, refs)
            self._climb(refs.parent)
            self._climb(refs.root)
        elif refs.parent is None or not self._converses(event, refs):
            return
        elif (depth := self._depth_under(refs.parent, refs.root)) is not None:
            self._join(event, refs, depth)
        else:
            self._waiting[refs.parent.key].append((event, refs))

    def admit(self, event: Verified) -> None:
        """Take in a reaction, repost or zap that somebody has answered: it is part of the talk."""
        self._asked_for.add(event.id)
        self.take(event)

    def lacks(self, key: str) -> bool:
        """Whether no event of that key was taken in."""
        return key not in self._names

    @property
    def sought_hints(self) -> list[tuple[str, str]]:
        """The hints to relays that may have what is missing."""
        return [pair for pair, keys in self.hints.items() if any(map(self.lacks, keys))]

    @property
    def sought_authors(self) -> list[str]:
        """Who wrote or may have written what is missing."""
        return [who for who, keys in self.suspects.items() if any(map(self.lacks, keys))]

    def is_comment(self, key: str) -> bool:
        """Whether a key is known to be a comment: nothing has one for its root (NIP-22)."""
        event = self._event(key)
        return event is not None and event.kind == kinds.COMMENT

    def depth(self, key: str) -> int:
        """How many generations a key is below `start` or what `start` descends from."""
        return self._depths[key]

    def adopt(self, sought: Iterable[str]) -> None:
        """Count wanted notes that were `sought` in vain as part of the thread: others answer them.

        Not before: a reply may name any famous note as its parent.
        """
        for key in sought:
            depth = self._orphaned.pop(key, None)
            if depth is not None and self.lacks(key):
                self._add(key, depth)
                for event, refs in self._waiting.pop(key, ()):
                    self._join(event, refs, depth + 1)

    @property
    def root(self) -> str:
        """The key of the thread's root: the top of the chain above `start`, as far as known."""
        return root_above(self._start.key, self._step)

    def _step(self, key: str) -> Step | None:
        event = self._event(key)
        return None if event is None else step_of(event)

    def _converses(self, event: Verified, refs: References) -> bool:
        """Whether an event is part of the talk: a reaction or repost only once it is answered."""
        return refs.relation in _CONVERSATION or event.id in self._asked_for

    def _newer(self, name: str, event: Verified) -> str:
        """The id that a name stands for: of several versions the current one (NIP-01)."""
        known = self._event(name)
        if known is None or (event.created_at, known.id) > (known.created_at, event.id):
            return event.id
        return known.id

    def _event(self, key: str) -> Verified | None:
        return self.events.get(self._names.get(key, ""))

    def _depth_under(self, parent: Pointer, root: Pointer | None) -> int | None:
        """The depth of an event that belongs, None for one that does not (yet)."""
        if (above := self._depths.get(parent.key)) is not None:
            return above + 1
        # What is outside of Nostr is never missing: comments on it are a thread of its own.
        if root is None or parent.external is not None or not self.lacks(parent.key):
            return None
        above = self._depths.get(root.key)
        return None if above is None else above + 2

    def _join(self, event: Verified, refs: References, depth: int) -> None:
        """Count an event, and all that waited for it, as part of the thread."""
        joining = [(event, refs, depth)]
        while joining:
            event, refs, depth = joining.pop()
            self._welcome(event, refs, depth)
            for name in _names(event):
                self._add(name, depth)
                waiting = self._waiting.pop(name, ())
                joining += [(each, its_refs, depth + 1) for each, its_refs in waiting]

    def _welcome(self, event: Verified, refs: References, depth: int) -> None:
        self.authors[event.pubkey] = None
        for pointer in (refs.parent, refs.root):
            if pointer is not None:
                for url in pointer.relays:
                    self.hints[url, event.pubkey][pointer.key] = None
                self._suspect(pointer, event)
        if refs.parent is not None and self.lacks(refs.parent.key):
            self._want(refs.parent.key)
            self._orphaned.setdefault(refs.parent.key, max(depth - 1, 0))

    def _suspect(self, pointer: Pointer, event: Verified | None = None) -> None:
        """Note whose relays may have what is missing: its author's, or those of whom it tags."""
        if not self.lacks(pointer.key):
            return
        authors: Iterable[str] = (pointer.author,) if pointer.author else ()
        if not authors and event is not None:
            tagged = (each for each in event.tag_values("p") if HEX_64.fullmatch(each))
            authors = islice(tagged, _MOST_TAGGED)
        for author in authors:
            if author in self.suspects or len(self.suspects) < _MOST_SUSPECTS:
                self.suspects.setdefault(author, {})[pointer.key] = None

    def _add(self, key: str, depth: int) -> None:
        if key not in self._depths:
            self._depths[key] = depth
            self.keys.append(key)

    def _climb(self, pointer: Pointer | None) -> None:
        """Follow the chain above `start`; what is known already is passed at once."""
        stack = [pointer]
        while stack:
            at = stack.pop()
            if at is None or at.key in self.above:
                continue
            self.above.add(at.key)
            self._add(at.key, 0)
            self._want(at.key)
            self._suspect(at)
            if (event := self._event(at.key)) is not None:
                refs = references(event)
                self._rise(event, refs)
                stack += [refs.parent, refs.root]

    def _rise(self, event: Verified, refs: References) -> None:
        """Count an event as one that `start` descends from, under all its names."""
        for name in _names(event):
            self.above.add(name)
            self._want(name)
        self._join(event, refs, 0)

    def _want(self, key: str) -> None:
        if key not in self._asked_for:
            self._asked_for.add(key)
            self.wanted.append(key)


def _names(event: Verified) -> tuple[str, ...]:
    address = kinds.address_of(event)
    return (event.id,) if address is None else (event.id, address)
