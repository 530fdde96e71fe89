"""How events of any order become the nodes of one thread.

Knows parents, versions, placeholders, cycles, order and states. The parent decides the place: a
claimed root only says where the placeholder of a missing parent hangs. Nothing here recurses, and
every choice is made by (created_at, id), so the order of the input cannot matter.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.core.expiry import expires_at
from nostr_threads.core.node import Node, State, is_next_part, part_of
from nostr_threads.core.references import Pointer, References, Relation, references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.split import Part

__all__ = ["build"]

_Age = tuple[int, str]


def build(
    events: Iterable[Verified], root: str | None, now: int | None, muted: frozenset[str]
) -> tuple[tuple[Node, ...], tuple[Verified, ...]]:
    """Return the nodes of one thread in display order, and the notes that are not in it."""
    unique = {event.id: event for event in events}.values()
    ordered = sorted(unique, key=_age)
    places = _Places(event for event in ordered if event.kind != kinds.DELETION)
    places.hang(root)
    places.cut_cycles()
    top = places.find(root) if root is not None else places.fullest()
    if top is None:
        return (), ()
    judge = _Judge(ordered, now, muted)
    nodes = _walk(top, judge)
    taken = {node.id for node in nodes}
    strays = (place.event for place in places.by_id.values() if place.id not in taken)
    return nodes, tuple(event for event in strays if event is not None)


def _age(event: Verified) -> _Age:
    return event.created_at, event.id


@dataclass(slots=True, eq=False)
class _Place:
    """A node in the making. `age` of a placeholder is that of the first event that wants it."""

    id: str
    age: _Age
    event: Verified | None = None
    refs: References | None = None
    part: Part | None = None
    up: _Place | None = None
    children: list[_Place] = field(default_factory=list)
    wanted: list[tuple[Verified, Pointer]] = field(default_factory=list)


class _Places:
    """All places by id, and the other names (addresses, older versions) they are known by."""

    def __init__(self, ordered: Iterable[Verified]) -> None:
        self.by_id: dict[str, _Place] = {}
        self._spare: dict[str, _Place] = {}
        self._unhung: deque[_Place] = deque()
        self._names: dict[str, str] = {}
        current: dict[str, Verified] = {}
        versions: list[tuple[str, str]] = []
        for event in ordered:
            refs = references(event)
            place = _Place(event.id, _age(event), event, refs, part_of(event))
            if refs.relation not in (Relation.ROOT, Relation.REPLY):
                # A reaction or a repost is no part of the conversation until somebody answers it.
                self._spare[event.id] = place
                continue
            if (address := kinds.address_of(event)) is not None:
                versions.append((event.id, address))
                current[address] = _newer(current.get(address), event)
            self.by_id[event.id] = place
        for event_id, address in versions:
            self._names[event_id] = self._names[address] = current[address].id
            if event_id != current[address].id:
                del self.by_id[event_id]
        self._unhung.extend(self.by_id.values())

    def find(self, key: str) -> _Place:
        """Return the place known under `key`; one that nothing knows becomes a placeholder."""
        place_id = self._id(key)
        if place_id not in self.by_id:
            place = self._spare.get(place_id) or _Place(place_id, (MAX_CREATED_AT, place_id))
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
            if place.refs is None or place.refs.parent is None or place.event is None:
                continue
            place.up = self._wanted(place.refs.parent, place.event)
            if place.up.event is None:
                empty[place.up.id] = place.up

    def _wanted(self, pointer: Pointer, wanter: Verified) -> _Place:
        """Find what an event points at; a placeholder remembers who wants it, and from where."""
        place = self.find(pointer.key)
        if place.event is None:
            place.wanted.append((wanter, pointer))
            place.age = min(place.age, _age(wanter))
        return place

    def _claimed(self, place: _Place, root: str | None) -> _Place | None:
        """Where a placeholder hangs: at the `root` that is wanted if anybody claims it, else at
        the one that most of those who want it claim.

        Not at the first: one backdated reply with a false claim would take all others along.
        """
        claims: dict[str, list[tuple[Verified, Pointer]]] = {}
        for event, _ in place.wanted:
            refs = self.by_id[event.id].refs
            if refs is not None and refs.root is not None and refs.root.key != place.id:
                claims.setdefault(self._id(refs.root.key), []).append((event, refs.root))
        if not claims:
            return None
        wanted = self._id(root) if root is not None else None
        best = min(claims, key=lambda name: (name != wanted, -len(claims[name]), name))
        for event, pointer in claims[best]:
            self._wanted(pointer, event)
        return self.find(best)

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
                place.up.children.append(place)

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


class _Judge:
    """Decides the state of an event: deleted by its author, expired, or muted."""

    def __init__(self, events: Iterable[Verified], now: int | None, muted: frozenset[str]) -> None:
        self._now = now
        self._muted = muted
        self._deletions: dict[tuple[str, str], Verified] = {}
        for event in events:
            if event.kind == kinds.DELETION:
                refs = references(event)
                for pointer in (refs.parent, *refs.mentions):
                    if pointer is not None:
                        self._deletions[event.pubkey, pointer.key] = event

    def state(self, event: Verified) -> tuple[State, str]:
        """Return the state of an event that is there, and the reason when it is not shown."""
        if (deletion := self._deletion(event)) is not None:
            return State.DELETED, deletion.content or "its author asked for its deletion"
        if (
            self._now is not None
            and (expiry := expires_at(event)) is not None
            and expiry <= self._now
        ):
            return State.EXPIRED, "its author gave it an end"
        if event.pubkey in self._muted:
            return State.HIDDEN, "its author is muted"
        return State.PRESENT, ""

    def _deletion(self, event: Verified) -> Verified | None:
        """The author's own kind 5 for the id, or for the address up to its time (NIP-09)."""
        by_id = self._deletions.get((event.pubkey, event.id))
        if by_id is not None:
            return by_id
        by_address = self._deletions.get((event.pubkey, kinds.address_of(event) or ""))
        if by_address is not None and by_address.created_at >= event.created_at:
            return by_address
        return None


def _walk(top: _Place, judge: _Judge) -> tuple[Node, ...]:
    """Visit depth first; an author's next part comes before everything else below a part."""
    nodes: list[Node] = []
    waiting: list[tuple[_Place, Node | None]] = [(top, None)]
    while waiting:
        place, parent = waiting.pop()
        node = _node(place, parent, judge)
        nodes.append(node)
        waiting.extend((child, node) for child in reversed(_in_order(place, node)))
    return tuple(nodes)


def _in_order(place: _Place, node: Node) -> list[_Place]:
    """The children by age, the next part of an answer first."""
    return sorted(
        place.children,
        key=lambda child: (not is_next_part(child.event, child.part, node), child.age),
    )


def _node(place: _Place, parent: Node | None, judge: _Judge) -> Node:
    depth = 0 if parent is None else parent.depth + 1
    above = None if parent is None else parent.id
    if place.event is not None:
        state, why = judge.state(place.event)
        return Node(place.id, above, depth, state, place.event, why, place.part)
    if any(pointer.external is not None for _, pointer in place.wanted):
        return Node(place.id, above, depth, State.PRESENT)
    wanted_by = tuple(dict.fromkeys(event.id for event, _ in place.wanted))
    hints = tuple(dict.fromkeys(url for _, pointer in place.wanted for url in pointer.relays))
    return Node(place.id, above, depth, State.MISSING, None, "not found", None, wanted_by, hints)
