"""What becomes of events that their authors wanted gone, or gave an end: the policy of a store.

Knows where it stands, and how a statement obeys it. What is marked as deleted is known in
`deleting`, and what is removed in `purging`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.store.connection import Connection

__all__ = ["KEEPS", "Policy", "adopt", "policy"]


class Policy(Enum):
    """What becomes of what was deleted (NIP-09, NIP-62) or has expired (NIP-40)."""

    KEEP = "keep"
    """It is shown to whoever reads the store, as what it is, and is passed on to nobody else."""
    HIDE = "hide"
    """It is stored and not shown."""
    PURGE = "purge"
    """It is hidden at once, and removed for good when the mirror puts the store in order."""


KEEPS = "EXISTS (SELECT 1 FROM settings WHERE name = 'deleted' AND value = 'keep')"
"""Holds where the policy is to keep. It names no event, so that a database asks it once."""

_POLICY = "SELECT value FROM settings WHERE name = 'deleted'"
_ADOPT = """
    INSERT INTO settings (name, value) VALUES ('deleted', ?)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


def policy(connection: Connection) -> Policy:
    """Return the policy: to hide, unless somebody has said something else."""
    found = connection.execute(_POLICY).fetchone()
    return Policy.HIDE if found is None else Policy(found[0])


def adopt(connection: Connection, wanted: Policy) -> bool:
    """Make `wanted` the policy from now on; whether it was another one."""
    if policy(connection) is wanted:
        return False
    connection.execute(_ADOPT, (wanted.value,))
    return True
