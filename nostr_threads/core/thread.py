"""The thread as a value: nodes in display order, what is missing, what is hidden and why.

Knows what can be asked of a thread. How its tree is made is in `tree`, how one is found in `crawl`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.articles import Article, articles
from nostr_threads.core.mutes import Mutes
from nostr_threads.core.node import Node, State, next_parts
from nostr_threads.core.tree import build

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nostr_threads.core.event import Verified

__all__ = ["Article", "Node", "State", "Thread"]


class Thread:
    """All events under one root, in display order. Made by `Thread.build`, never changed."""

    def __init__(self, nodes: tuple[Node, ...], elsewhere: tuple[Verified, ...] = ()) -> None:
        self.nodes = nodes
        self.elsewhere = elsewhere
        """Notes that were given and do not lead to this root."""
        self._by_id = {node.id: node for node in nodes}

    @classmethod
    def build(
        cls,
        events: Iterable[Verified],
        *,
        root: str | None = None,
        now: int | None = None,
        muted: Collection[str] | Mutes = (),
        keep: bool = False,
    ) -> Thread:
        """Make the tree out of events in any order; the order never changes the result.

        The events are taken as `Verified`, which only `verify` makes: nothing is checked again.
        `root` is the key (id, address or external id) of the thread wanted, by default the one
        under which most events hang. `now` (unix seconds) decides what has expired (NIP-40);
        without it nothing has. `muted` are the authors whose notes are hidden, or all `Mutes`. With
        `keep` what was deleted or has expired is PRESENT, and `Node.kept` says what it is.
        Deletions and requests to vanish (NIP-62) are never nodes; profiles, mute and relay lists,
        reactions, reposts and zaps are only where something answers them.
        """
        mutes = muted if isinstance(muted, Mutes) else Mutes(authors=frozenset(muted))
        return cls(*build(events, root, now, mutes, keep=keep))

    @property
    def root(self) -> Node | None:
        """The topmost node, which may be missing; None for a thread of nothing."""
        return self.nodes[0] if self.nodes else None

    @property
    def found(self) -> int:
        """How many nodes have their event."""
        return sum(node.event is not None for node in self.nodes)

    @property
    def missing(self) -> tuple[Node, ...]:
        """The placeholders, in display order."""
        return tuple(node for node in self.nodes if node.state is State.MISSING)

    @property
    def events(self) -> tuple[Verified, ...]:
        """The events in display order."""
        return tuple(node.event for node in self.nodes if node.event is not None)

    def node(self, node_id: str) -> Node | None:
        """Return the node of that id."""
        return self._by_id.get(node_id)

    def articles(self) -> tuple[Article, ...]:
        """Return every text that its author said in more than one note, in display order.

        Our parts are joined by their tags; what strangers number by hand, or cut, by best effort.
        `articles.articles` says when.
        """
        return articles(self.nodes)

    def answers(self) -> Iterator[tuple[Node, ...]]:
        """Yield the parts of every split answer whose first part is here, as far as they go."""
        following: dict[str, Node] = {}
        for part, after in next_parts(self.nodes):
            following.setdefault(part.id, after)
        for node in self.nodes:
            if node.part is not None and node.part.index == 1 and node.part.total > 1:
                chain = [node]
                while (next_part := following.get(chain[-1].id)) is not None:
                    chain.append(next_part)
                yield tuple(chain)
