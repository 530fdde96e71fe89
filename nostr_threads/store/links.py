"""What each stored event answers, kept so that a thread is one look at an index.

Knows which chains a new event completes or changes. Knows nothing of versions' precedence, deletion
or filters; how a chain is followed is in `chains`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.core.kinds import address_of
from nostr_threads.core.lineage import claimed_root
from nostr_threads.core.references import Relation, references
from nostr_threads.store.chains import Chains, Link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from nostr_threads.core.event import Event
    from nostr_threads.store.connection import Connection

__all__ = ["connect", "disconnect"]

_LINKS = """
    SELECT l.child, l.position, l.relation, l.parent, l.claimed, l.root, e.id, e.address,
        e.created_at
    FROM links l JOIN events e ON e.event = l.child WHERE
"""
_BY_PARENT = _LINKS + "l.parent IN (?*)"
_BY_CLAIM = _LINKS + "l.claimed IN (?*)"
_OF_VERSIONS = _LINKS + "e.address IN (?*)"

Links = dict[tuple[int, int], Link]
"""Stored links by child and position."""


def connect(connection: Connection, new: Mapping[int, Event], changed: Iterable[str]) -> None:
    """Link the `new` events (by row) and mend every chain they complete or change.

    `changed` are the addresses whose current version is among them. All are stored already.
    """
    fresh = [link for row, event in new.items() for link in _links_of(row, event)]
    climbing = {link.child for link in fresh}
    keys = {event.id for event in new.values()}.union(changed)
    # A claim that ended at a plain root's id is as true when that root comes: most claims are.
    plain = {
        event.id for row, event in new.items() if row not in climbing and address_of(event) is None
    }
    known = _answers(connection, keys, keys - plain)
    if _may_be_cycle(connection, fresh, known):
        chains, known = _settle(connection, fresh, known, _names(known))
    else:
        # Whatever ended at a missing event that is here now moves with it, however much that is.
        roots = {link.root for link in known.values()}
        ends = [link for link in fresh if link.position == 0 and link.name in roots]
        known = _without_followers(known, {link.name for link in ends}, keys)
        chains, known = _settle(connection, fresh, known, set())
        _move(connection, chains, ends)
    _write(connection, chains, fresh, known)


def disconnect(connection: Connection, keys: Set[str]) -> None:
    """Mend every chain that led through one of `keys`, which are not stored any more."""
    known = _answers(connection, keys, keys)
    chains, known = _settle(connection, (), known, _names(known))
    _write(connection, chains, (), known)


def _without_followers(known: Links, ends: Set[str], keys: Set[str]) -> Links:
    """Leave out the links whose chain ended at one of `ends`, unless their missing parent came."""
    return {
        place: link
        for place, link in known.items()
        if link.root not in ends or (link.parent != link.root and link.parent in keys)
    }


def _move(connection: Connection, chains: Chains, ends: Iterable[Link]) -> None:
    """Move all chains that end at the child of one of `ends` to the root above it."""
    connection.executemany(
        "UPDATE links SET root = ? WHERE root = ?",
        [(connection.column(chains.root(link)), connection.column(link.name)) for link in ends],
    )


def _settle(
    connection: Connection, fresh: Sequence[Link], known: Links, moved: Set[str]
) -> tuple[Chains, Links]:
    """Add to the stored links that the new keys concern all whose root changes with theirs.

    Below a link that keeps its root nothing changes: mostly the new events are what was claimed.
    `moved` are names below which everything is to be looked at all the same.
    """
    closed: set[str] = set()
    while True:
        below = _below(connection, moved)
        known = known | below
        closed |= moved | _names(below)
        chains = Chains(connection, [*fresh, *known.values()])
        moved = {each.name for each in known.values() if chains.root(each) != each.root} - closed
        if not moved:
            return chains, known


def _may_be_cycle(connection: Connection, fresh: Iterable[Link], known: Links) -> bool:
    """Whether a way up may now lead back to itself, so that stored roots cannot be relied on.

    Ids are hashes: a cycle needs a version that answers something. Either it is at hand, or its
    stored chain ended where that of one of the `known` links did.
    """
    if any(link.versioned for link in (*fresh, *known.values())):
        return True
    roots = {link.root for link in known.values()}
    query = "SELECT 1 FROM links WHERE versioned = 1 AND root IN (?*) LIMIT 1"
    return any(True for _ in connection.look_up(query, map(connection.column, roots)))


def _write(connection: Connection, chains: Chains, fresh: Iterable[Link], known: Links) -> None:
    connection.insert(
        "links",
        "child, position, relation, parent, claimed, root, versioned",
        (_row(connection, link, chains.root(link)) for link in fresh),
    )
    connection.executemany(
        "UPDATE links SET root = ? WHERE child = ? AND position = ?",
        [
            (connection.column(root), link.child, link.position)
            for link in known.values()
            if (root := chains.root(link)) != link.root
        ],
    )


def _links_of(row: int, event: Event) -> list[Link]:
    found = references(event)
    claimed = claimed_root(found)
    if found.parent is None or claimed is None:
        return []
    relation, parent = found.relation.value, found.parent.key
    name, at = address_of(event) or event.id, event.created_at
    links = [Link(row, 0, relation, parent, claimed, name, at)]
    if found.relation is Relation.DELETION:
        others = dict.fromkeys(target.key for target in found.mentions if target.key != parent)
        links += [
            Link(row, position, relation, key, key, name, at)
            for position, key in enumerate(others, 1)
        ]
    return links


def _row(connection: Connection, link: Link, root: str) -> tuple[object, ...]:
    claimed = None if link.claimed == link.parent else connection.column(link.claimed)
    keys = connection.column(link.parent), claimed, connection.column(root)
    return link.child, link.position, link.relation, *keys, int(link.versioned)


def _names(known: Links) -> set[str]:
    return {link.name for link in known.values()}


def _below(connection: Connection, keys: Set[str]) -> Links:
    """Return every stored link whose chain leads, or would now lead, through one of `keys`."""
    found: Links = {}
    seen: set[str] = set()
    waiting = set(keys)
    while waiting:
        seen |= waiting
        level = _answers(connection, waiting, waiting)
        found |= level
        waiting = _names(level) - seen
    return found


def _answers(connection: Connection, keys: Set[str], claims: Set[str]) -> Links:
    """Return the stored links to one of `keys`, or with a claim to one of `claims`.

    With an address come the links to all its versions, and those of the versions themselves.
    """
    addresses = [connection.column(key) for key in keys if ":" in key]
    versions = connection.look_up("SELECT id FROM events WHERE address IN (?*)", addresses)
    extra = [version[0] for version in versions]
    # In the order of the index: a page of a large one is then read once, and not time and again.
    rows = (
        *connection.look_up(_OF_VERSIONS, addresses),
        *connection.look_up(_BY_PARENT, [*map(connection.column, sorted(keys)), *extra]),
        *connection.look_up(_BY_CLAIM, [*map(connection.column, sorted(claims)), *extra]),
    )
    links = (_link(connection, row) for row in rows)
    return {(link.child, link.position): link for link in links}


def _link(connection: Connection, row: tuple[Any, ...]) -> Link:
    child, position, relation, parent, claimed, root, event_id, address, at = row
    above = connection.text(parent)
    claim = above if claimed is None else connection.text(claimed)
    name = connection.text(address) if address else event_id.hex()
    return Link(child, position, relation, above, claim, name, at, connection.text(root))
