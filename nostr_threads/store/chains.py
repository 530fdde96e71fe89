"""The way up from a stored event to the root of its chain, as far as it is known here.

Knows how chains are followed and where they end. Knows nothing of when that has to be done.

The way up from an event leads to its parent; when that is not stored, to the root it claims; when
that is not stored either, the chain ends at the claimed root. So a claim is obeyed only where the
chain itself is broken. All versions of an address are one node, whose way up is the current
version's. A cycle (possible through addresses) has its oldest member as root. Hence the roots
depend on which events are stored, never on the order in which they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nostr_threads.store.keys import from_column, look_up, to_column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

__all__ = ["Chains", "Link", "root_of"]

_NODES = """
    SELECT e.id, e.address, e.event, e.created_at, l.root
    FROM events e LEFT JOIN links l ON l.child = e.event AND l.position = 0 WHERE
"""
_NODES_BY_ID = _NODES + "e.id IN (?*)"
_NODES_BY_ADDRESS = _NODES + "e.address IN (?*) AND e.superseded = 0"


@dataclass(frozen=True, slots=True)
class Link:
    """One row of `links`; `name` is its child's in a chain, `root` is "" until it is stored."""

    child: int
    position: int
    relation: str
    parent: str
    claimed: str
    name: str
    root: str = ""


@dataclass(frozen=True, slots=True)
class _Node:
    """What stands for a stored event in a chain: itself, or the current version of its address."""

    name: str
    event: int
    age: tuple[int, str]
    root: str


def root_of(connection: sqlite3.Connection, key: str) -> str | None:
    """Return the key at which the chain above `key` ends, None when `key` is not stored."""
    node = _nodes(connection, {key}).get(key)
    return None if node is None else node.root


def _nodes(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, _Node]:
    """Return what each of `keys` stands for, leaving out those that are not stored."""
    nodes: dict[str, _Node] = {}
    versions: dict[str, str] = {}
    addresses = {key for key in keys if ":" in key}
    ids = (column for key in keys if isinstance(column := to_column(key), bytes))
    for row in look_up(connection, _NODES_BY_ID, ids):
        if row[1] is None:
            nodes[row[0].hex()] = _node(row)
        else:
            versions[row[0].hex()] = row[1]
    addresses.update(versions.values())
    for row in look_up(connection, _NODES_BY_ADDRESS, map(to_column, addresses)):
        nodes[row[1]] = _node(row)
    nodes.update((version, nodes[address]) for version, address in versions.items())
    return nodes


def _node(row: tuple[Any, ...]) -> _Node:
    event_id, address, event, created_at, root = row
    name = address or event_id.hex()
    return _Node(name, event, (created_at, event_id.hex()), from_column(root) if root else name)


class Chains:
    """Follows chains through links whose roots are to be found; all others' roots are known."""

    def __init__(self, connection: sqlite3.Connection, links: Iterable[Link]) -> None:
        self._above = {link.child: link for link in links if link.position == 0}
        keys = {key for link in links for key in (link.parent, link.claimed, link.name)}
        self._nodes = _nodes(connection, keys)
        self._roots: dict[str, str] = {}

    def root(self, link: Link) -> str:
        """Return the key of the root of the chain above a link's child."""
        key = link.name if link.position == 0 else link.parent
        node = self._nodes.get(key)
        return key if node is None else self._climb(node)

    def _climb(self, node: _Node) -> str:
        path: dict[str, _Node] = {}
        while (root := self._roots.get(node.name) or self._end(node, path)) is None:
            path[node.name] = node
            link = self._above[node.event]
            node = self._nodes.get(link.parent) or self._nodes[link.claimed]
        self._roots.update(dict.fromkeys((*path, node.name), root))
        return root

    def _end(self, node: _Node, path: Mapping[str, _Node]) -> str | None:
        """The root when the way up ends at `node` (known, broken or a cycle), else None."""
        link = self._above.get(node.event)
        if link is None:
            return node.root
        if node.name in path:
            names = list(path)
            cycle = names[names.index(node.name) :]
            return min(cycle, key=lambda name: path[name].age)
        stored = link.parent in self._nodes or link.claimed in self._nodes
        return None if stored else link.claimed
