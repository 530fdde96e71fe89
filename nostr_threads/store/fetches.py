"""How whole threads were found when they were fetched last.

Knows which root a report is for. Does not read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.store.connection import Connection

__all__ = ["keep", "last"]


def last(connection: Connection, root: str) -> tuple[str, int] | None:
    """Return the report on the thread of `root`, and when it was made; None where there is none."""
    query = "SELECT text, fetched_at FROM fetches WHERE root = ?"
    found = connection.execute(query, (connection.column(root),)).fetchone()
    return None if found is None else (found[0], found[1])


def keep(connection: Connection, root: str, text: str, now: int) -> None:
    """Replace the report on a thread."""
    connection.execute(
        "INSERT INTO fetches (root, text, fetched_at) VALUES (?, ?, ?)"
        " ON CONFLICT (root) DO UPDATE SET text = excluded.text, fetched_at = excluded.fetched_at",
        (connection.column(root), text, now),
    )
