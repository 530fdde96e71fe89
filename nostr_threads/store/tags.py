"""The single-letter tags of events, as the rows by which events are found.

Knows which tags are rows. Knows nothing of what they mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nostr_threads.core.event import Verified
    from nostr_threads.store.connection import Connection
    from nostr_threads.store.keys import Column

__all__ = ["tag_rows"]

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def tag_rows(
    connection: Connection, new: Mapping[int, Verified]
) -> Iterator[tuple[str, Column, int, int]]:
    """Yield the rows of `tags` for some events, by their own rows."""
    column = connection.column
    for row, event in new.items():
        at = event.created_at
        # An event may repeat a tag.
        found = {tag[:2] for tag in event.tags if len(tag) > 1 and tag[0] in _LETTERS}
        for name, value in found:
            yield name, column(value), at, row
