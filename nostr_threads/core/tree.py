"""How events of any order become the nodes of one thread.

Knows parents, versions, placeholders, cycles and order; states are in `standing`. The parent
decides the place: a claimed root only says where the placeholder of a missing parent hangs.
Nothing here recurses, and every choice is made by (created_at, id), so the order of the input
cannot matter.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter, defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.answering import stands_flat
from nostr_threads.core.node import Node, State, is_next_part, part_of
from nostr_threads.core.references import Relation, references
from nostr_threads.core.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.core.event import Verified
    from nostr_threads.core.mutes import Mutes
    from nostr_threads.core.references import Pointer
    from nostr_threads.core.split import Part

__all__ = ["build"]

# Younger than every event.
_AGELESS = sys.maxsize

_NEVER_A_PLACE = frozenset((kinds.DELETION, kinds.VANISH))
# No part of the conversation until somebody answers it, as one may (NIP-22). So are reactions.
_OF_PEOPLE = frozenset((kinds.PROFILE, kinds.MUTE_LIST, kinds.RELAY_LIST))


def build(
    events: Iterable[Verified], root: str | None, now: int | None, mutes: Mutes, *, keep: bool
) -> tuple[tuple[Node, ...], tuple[Verified, ...]]:
    """Return the nodes of one thread in display order, and the notes that are not in it."""
    with _no_collection():
        return _built(events, root, now, mutes, keep)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector out: all that is made here stays, and a large thread is many
    objects, through which it would go again and again; they would cost more than in proportion.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _built(
    events: Iterable[Verified], root: str | None, now: int | None, mutes: Mutes, keep: bool
) -> tuple[tuple[Node, ...], tuple[Verified, ...]]:
    unique = {event.id: event for event in events}.values()
    # By id, then by time: one sort by both would make a tuple of each event.
    ordered = sorted(sorted(unique, key=attrgetter("id")), key=attrgetter("created_at"))
    places = _Places(event for event in ordered if event.kind not in _NEVER_A_PLACE)
    places.hang(root)
    places.cut_cycles()
    top = places.find(root) if root is not None else places.fullest()
    if top is None:
        return (), ()
    nodes = _walk(places, top, Standing(ordered, now, mutes, keep=keep))
    taken = {node.id for node in nodes}
    strays = (place.event for place in places.by_id.values() if place.id not in taken)
    return nodes, tuple(event for event in strays if event is not None)


def _key(pointer: Pointer | None) -> str | None:
    return None if pointer is None else pointer.key


@dataclass(slots=True, eq=False)
class _Place:
    """A node in the making. `age` counts from the oldest event; a placeholder has that of the
    first event that wants it.

    `parent` and `root` are keys. Little is kept for each place: what the garbage collector has to
    go through would make a large thread dearer than in proportion.
    """

    id: str
    age: int
    event: Verified | None = None
    parent: str | None = None
    root: str | None = None
    part: Part | None = None
    up: _Place | None = None


class _Places:
    """All places by id, and the other names (addresses, older versions) they are known by."""

    def __init__(self, ordered: Iterable[Verified]) -> None:
        self.by_id: dict[str, _Place] = {}
        # Who names a placeholder, and how; and what hangs below a place.
        self.wanted: defaultdict[str, list[tuple[Verified, Pointer]]] = defaultdict(list)
        self.children: defaultdict[str, list[_Place]] = defaultdict(list)
        self._spare: dict[str, _Place] = {}
        self._unhung: deque[_Place] = deque()
        self._names: dict[str, str] = {}
        current: dict[str, Verified] = {}
        versions: list[tuple[str, str]] = []
        for age, event in enumerate(ordered):
            refs = references(event)
            parent, root = _key(refs.parent), _key(refs.root)
            place = _Place(event.id, age, event, parent, root, part_of(event))
            talks = refs.relation in (Relation.ROOT, Relation.REPLY)
            kept = self.by_id if talks and event.kind not in _OF_PEOPLE else self._spare
            kept[event.id] = place
            if (address := kinds.address_of(event)) is not None:
                versions.append((event.id, address))
                current[address] = _newer(current.get(address), event)
        for event_id, address in versions:
            self._names[event_id] = self._names[address] = current[address].id
            if event_id != current[address].id:
                self.by_id.pop(event_id, None)
                self._spare.pop(event_id, None)
        self._unhung.extend(self.by_id.values())

    def find(self, key: str) -> _Place:
        """Return the place known under `key`; one that nothing knows becomes a placeholder."""
        place_id = self._id(key)
        if place_id not in self.by_id:
            place = self._spare.get(place_id) or _Place(place_id, _AGELESS)
            self.by_id[place_id] = place
            self._unhung.append(place)
        return self.by_id[place_id]

    def _id(self, key: str) -> str:
        return self._names.get(key, key)

    def hang(self, root: str | None) -> None:
        """Give every place its parent, placeholders last: they hang where their wanters claim."""
        top = self._id(root) if root is not None else None
        empty: dict[str, _Place] = {}
        # Both grow on the way: an answer may be to something that had no place before.
        while self._unhung or empty:
            if not self._unhung:
                place = empty.pop(next(iter(empty)))
                # What is wanted as the root has nothing above it, whatever a stranger claims.
                place.up = self._claimed(place, root) if place.id != top else None
                continue
            place = self._unhung.popleft()
            if place.parent is None or place.event is None:
                continue
            place.up = self._wanted(place.parent, place.event)
            if place.up.event is None:
                empty[place.up.id] = place.up

    def _wanted(self, key: str, wanter: Verified) -> _Place:
        """Find what an event points at; a placeholder remembers who wants it, and from where."""
        place = self.find(key)
        if place.event is None:
            refs = references(wanter)
            named = (each for each in (refs.parent, refs.root) if each is not None)
            pointer = next(each for each in named if each.key == key)
            self.wanted[place.id].append((wanter, pointer))
            place.age = min(place.age, self.by_id[wanter.id].age)
        return place

    def _claimed(self, place: _Place, root: str | None) -> _Place | None:
        """Where a placeholder hangs: at the `root` that is wanted if anybody claims it, else at
        the one that most of those who want it claim. An external id is not missing: it is a root.

        Not at the first: one backdated reply with a false claim would take all others along.
        """
        if self.is_external(place):
            return None
        claims: dict[str, list[tuple[Verified, str]]] = {}
        for event, _ in self.wanted[place.id]:
            claimed = self.by_id[event.id].root
            if claimed is not None and claimed != place.id:
                claims.setdefault(self._id(claimed), []).append((event, claimed))
        if not claims:
            return None
        wanted = self._id(root) if root is not None else None
        best = min(claims, key=lambda name: (name != wanted, -len(claims[name]), name))
        for event, key in claims[best]:
            self._wanted(key, event)
        return self.find(best)

    def is_external(self, place: _Place) -> bool:
        """Whether a placeholder stands for something outside of Nostr (NIP-73)."""
        return any(pointer.external is not None for _, pointer in self.wanted[place.id])

    def cut_cycles(self) -> None:
        """Make a top of the least certain place of every cycle: a placeholder, else the oldest."""
        done: set[str] = set()
        for place in self.by_id.values():
            path: dict[str, _Place] = {}
            at: _Place | None = place
            while at is not None and at.id not in done and at.id not in path:
                path[at.id] = at
                at = at.up
            if at is not None and at.id in path:
                ids = list(path)
                cycle = [path[name] for name in ids[ids.index(at.id) :]]
                min(cycle, key=lambda each: (each.event is not None, each.age)).up = None
            done.update(path)
        for place in self.by_id.values():
            if place.up is not None:
                self.children[place.up.id].append(place)

    def fullest(self) -> _Place | None:
        """Return the top under which most events hang; of equals the oldest."""
        tops: dict[str, _Place] = {}
        counts: Counter[str] = Counter()
        for place in self.by_id.values():
            path = []
            at = place
            while at.id not in tops and at.up is not None:
                path.append(at.id)
                at = at.up
            top = tops.get(at.id, at)
            tops.update(dict.fromkeys((*path, at.id), top))
            counts[top.id] += place.event is not None
        if not counts:
            return None
        best = max(counts.values())
        return min((tops[name] for name in counts if counts[name] == best), key=lambda t: t.age)


def _newer(known: Verified | None, event: Verified) -> Verified:
    """The current one of two versions; `event` comes later by (created_at, id) (NIP-01)."""
    if known is None or event.created_at > known.created_at:
        return event
    return known


def _walk(places: _Places, top: _Place, standing: Standing) -> tuple[Node, ...]:
    """Visit depth first; an author's next part comes before everything else below a part."""
    nodes: list[Node] = []
    waiting: list[tuple[_Place, Node | None, bool]] = [(top, None, False)]
    muted = standing.muted_threads
    while waiting:
        place, parent, is_muted = waiting.pop()
        is_muted = is_muted or place.id in muted
        node = _node(places, place, parent, standing, is_muted=is_muted)
        nodes.append(node)
        if (children := places.children.get(place.id)) is not None:
            in_order = reversed(_in_order(children, node))
            waiting.extend((child, node, is_muted) for child in in_order)
    return tuple(nodes)


def _in_order(children: list[_Place], node: Node) -> list[_Place]:
    """The children by age, the next part of an answer first."""
    if len(children) == 1:
        return children
    return sorted(
        children,
        key=lambda child: (not _goes_on(child, node), child.age),
    )


def _goes_on(child: _Place, node: Node) -> bool:
    """Whether a part follows what it answers, and not what stands beside it (NIP-7D)."""
    event = child.event
    return event is not None and is_next_part(event, child.part, node) and not stands_flat(event)


def _node(
    places: _Places, place: _Place, parent: Node | None, standing: Standing, *, is_muted: bool
) -> Node:
    depth = 0 if parent is None else parent.depth + 1
    above = None if parent is None else parent.id
    if place.event is not None:
        state, why, kept = standing.verdict(place.event, in_muted_thread=is_muted)
        return Node(place.id, above, depth, state, place.event, why, place.part, kept=kept)
    if places.is_external(place):
        return Node(place.id, above, depth, State.PRESENT)
    wanted = places.wanted[place.id]
    wanted_by = tuple(dict.fromkeys(event.id for event, _ in wanted))
    hints = tuple(dict.fromkeys(url for _, pointer in wanted for url in pointer.relays))
    return Node(place.id, above, depth, State.MISSING, None, "not found", None, wanted_by, hints)
