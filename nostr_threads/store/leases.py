"""Who may send a posting: one process at a time.

Knows owners and when their right ends. Knows nothing of what is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store.cancelling import is_cancelled

if TYPE_CHECKING:
    from nostr_threads.store.connection import Connection

__all__ = ["release", "take"]

_TAKE = """
    UPDATE postings SET owner = ?2, held_until = ?4
    WHERE posting = ?1 AND (owner IN ('', ?2) OR held_until <= ?3)
"""


def take(connection: Connection, row: int, owner: str, now: int, until: int) -> bool:
    """Take or renew a posting's lease; False while it is another's, and when it was cancelled."""
    if is_cancelled(connection, row):
        return False
    return connection.execute(_TAKE, (row, owner, now, until)).rowcount == 1


def release(connection: Connection, row: int, owner: str) -> None:
    """Give the lease back, unless it is another's by now."""
    connection.execute(
        "UPDATE postings SET owner = '', held_until = 0 WHERE posting = ? AND owner = ?",
        (row, owner),
    )
