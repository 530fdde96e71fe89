"""A text that came in several notes, as a value.

Knows its notes, what is missing of it, and how sure that is. Knows nothing of how it is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.node import Node

__all__ = ["MAX_MISSING", "Article", "event_of", "is_ours", "missing_among"]

MAX_MISSING = 100
"""No article names more missing parts than this, or two notes of "10000" could fill a report."""


@dataclass(frozen=True, slots=True)
class Article:
    """A text that came in several notes by one author, in order.

    `stretches` are the text of each node, what stands between it and the one before included.
    `is_exact` says that all parts are there, by their `part` tags, and the text is the author's
    byte for byte. `is_guess` says that no such tags told what belongs together: best effort.
    `missing` are the places known to be empty, rising, the first `MAX_MISSING` of them.
    """

    nodes: tuple[Node, ...]
    stretches: tuple[str, ...]
    is_exact: bool
    is_guess: bool
    missing: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The whole text. Where parts of ours are missing, a paragraph ends."""
        return "".join(self.stretches)

    @property
    def root(self) -> Node:
        """The note it begins with."""
        return self.nodes[0]

    @property
    def author(self) -> str:
        """The public key of who wrote all of it."""
        return event_of(self.nodes[0]).pubkey


def event_of(node: Node) -> Verified:
    """Return the event of a node that is part of a text."""
    if node.event is None:
        raise ValueError("a node of an article has its event")
    return node.event


def is_ours(node: Node) -> bool:
    """Whether it is a part with a `part` tag that can be used."""
    return node.event is not None and node.part is not None and node.part.total > 1


def missing_among(indices: Iterable[int], total: int) -> tuple[int, ...]:
    """Return the places from 1 to `total` that are not there, the first `MAX_MISSING` of them."""
    known = set(indices)
    absent = (index for index in range(1, total + 1) if index not in known)
    return tuple(islice(absent, MAX_MISSING))
