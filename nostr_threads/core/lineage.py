"""The way up from an event to the root of its chain, as far as the chain is known.

Knows how a chain is followed and where it ends. Knows nothing of where events are kept.

The way up leads to the parent when that is there, else to the root that is claimed; when that is
not there either, the chain ends at the claimed root. So a claim is obeyed only where the chain
itself is broken. All versions of an address are one step, whose way up is the current version's.
A cycle (possible through addresses) has its oldest member as root. Hence a root depends on which
events are there, never on the order in which they came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nostr_threads.core.kinds import address_of
from nostr_threads.core.references import Relation, references

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from nostr_threads.core.event import Event
    from nostr_threads.core.references import References

__all__ = ["Step", "claimed_root", "root_above", "step_of"]


# Thousands are made at once, and a tuple takes a third of the time.
class Step(NamedTuple):
    """An event in a chain. `name` is its address or its id, `age` its (created_at, id).

    `up` holds the keys its way up may lead to, the best first; none when it answers nothing.
    """

    name: str
    age: tuple[int, str]
    up: tuple[str, ...] = ()


def step_of(event: Event) -> Step:
    """Return the step that `event` is; of an address, it must be the current version."""
    found = references(event)
    claimed = claimed_root(found)
    up = () if found.parent is None or claimed is None else (found.parent.key, claimed)
    return Step(address_of(event) or event.id, (event.created_at, event.id), up)


def claimed_root(found: References) -> str | None:
    """Return the key of the furthest ancestor an event names, None when it answers nothing.

    What answers an external id (NIP-73) names no other: that is not missing, but a root.
    For a reaction to a version (NIP-25) that is the version's address.
    """
    if found.parent is None:
        return None
    if found.parent.external is not None:
        return found.parent.key
    if found.root is not None:
        return found.root.key
    if found.relation is not Relation.DELETION:
        for pointer in found.mentions:
            if pointer.address is not None:
                return pointer.address
    return found.parent.key


def root_above(
    start: str,
    above: Callable[[str], Step | None],
    roots: MutableMapping[str, str] | None = None,
) -> str:
    """Return the key at which the chain above the key `start` ends; `start` if it is not there.

    `above` returns the step that is known under a key (an id, an address, an external id), None
    when nothing is. `roots` remembers what was found by the steps' names: with one for many starts,
    their shared ways are followed once. It is true only as long as `above` answers the same.
    """
    roots = {} if roots is None else roots
    path: dict[str, Step] = {}
    end = start
    while (step := above(end)) is not None:
        end = step.name
        if end in roots:
            end = roots[end]
            break
        if end in path:
            end = _oldest(path, end)
            break
        path[end] = step
        if not step.up:
            break
        for end in step.up:  # the last of them where none is there
            if above(end) is not None:
                break
    for name in path:
        roots[name] = end
    return end


def _oldest(path: dict[str, Step], first: str) -> str:
    """Return the root of the cycle that begins at the step `first` of a path."""
    names = list(path)
    return min(names[names.index(first) :], key=lambda name: path[name].age)
