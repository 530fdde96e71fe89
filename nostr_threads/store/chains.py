"""The way up from a stored event to the root of its chain, as far as it is known here.

Knows where the steps of a chain are stored; how they are followed is in `core.lineage`. Knows
nothing of when that has to be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nostr_threads.core.lineage import Step, root_above
from nostr_threads.store.keys import is_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.store.connection import Connection

__all__ = ["Chains", "Link", "root_of"]

_NODES = """
    SELECT e.id, e.address, e.event, e.created_at, l.root
    FROM events e LEFT JOIN links l ON l.child = e.event AND l.position = 0 WHERE
"""
_NODES_BY_ID = _NODES + "e.id IN (?*)"
_NODES_BY_ADDRESS = _NODES + "e.address IN (?*) AND e.superseded = 0"


# Thousands of both are made at once, and a tuple takes a third of the time.
class Link(NamedTuple):
    """One row of `links`; `name` is its child's in a chain, `root` is "" until it is stored."""

    child: int
    position: int
    relation: str
    parent: str
    claimed: str
    name: str
    created_at: int
    root: str = ""

    @property
    def versioned(self) -> bool:
        """Whether `name` is an address, which all its versions share."""
        return ":" in self.name


class _Node(NamedTuple):
    """What stands for a stored event in a chain: itself, or the current version of its address."""

    name: str
    event: int
    age: tuple[int, str]
    root: str


def root_of(connection: Connection, key: str) -> str | None:
    """Return the key at which the chain above `key` ends, None when `key` is not stored."""
    node = _nodes(connection, {key}).get(key)
    return None if node is None else node.root


def _nodes(connection: Connection, keys: Iterable[str]) -> dict[str, _Node]:
    """Return what each of `keys` stands for, leaving out those that are not stored."""
    nodes: dict[str, _Node] = {}
    versions: dict[str, str] = {}
    addresses = {key for key in keys if ":" in key}
    ids = (column for key in keys if is_id(column := connection.column(key)))
    for row in connection.look_up(_NODES_BY_ID, ids):
        if row[1] is None:
            nodes[row[0].hex()] = _node(connection, row)
        else:
            versions[row[0].hex()] = connection.text(row[1])
    addresses.update(versions.values())
    for row in connection.look_up(_NODES_BY_ADDRESS, map(connection.column, addresses)):
        node = _node(connection, row)
        nodes[node.name] = node
    nodes.update((version, nodes[address]) for version, address in versions.items())
    return nodes


def _node(connection: Connection, row: tuple[Any, ...]) -> _Node:
    blob, address, event, created_at, root = row
    event_id = blob.hex()
    name = connection.text(address) if address else event_id
    return _Node(name, event, (created_at, event_id), connection.text(root) if root else name)


class Chains:
    """Follows chains through links whose roots are to be found; all others' roots are known."""

    def __init__(self, connection: Connection, links: Sequence[Link]) -> None:
        # An event without versions is the step it is named after: most need no look-up.
        self._steps = {
            link.name: Step(link.name, (link.created_at, link.name), (link.parent, link.claimed))
            for link in links
            if link.position == 0 and not link.versioned
        }
        versions = {link.child: link for link in links if link.position == 0 and link.versioned}
        keys = {key for link in links for key in (link.parent, link.claimed, link.name)}
        for key, node in _nodes(connection, keys - self._steps.keys()).items():
            self._steps[key] = _step(node, versions.get(node.event))
        self._roots: dict[str, str] = {}

    def root(self, link: Link) -> str:
        """Return the key of the root of the chain above a link's child."""
        key = link.name if link.position == 0 else link.parent
        return root_above(key, self._steps.get, self._roots)


def _step(node: _Node, link: Link | None) -> Step:
    if link is not None:
        return Step(node.name, node.age, (link.parent, link.claimed))
    # A root that is among the steps itself may be answering something by now.
    return Step(node.name, node.age, () if node.root == node.name else (node.root,))
