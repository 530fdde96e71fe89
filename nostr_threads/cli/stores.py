"""The store as commands open it that only look: it is never made here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.errors import NotFound, StoreError, StoreTooOld

if TYPE_CHECKING:
    from nostr_threads.store.sqlite import SqliteStore

__all__ = ["open_to_mark", "open_to_read"]


def open_to_read(named: Path | None) -> SqliteStore:
    """Open the named store, or the user's, for reading, once it has today's schema.

    Raises `StoreError` for a named one that is not there, `NotFound` while the user has none.
    """
    from nostr_threads.store.sqlite import SqliteStore

    path = _existing(named)
    try:
        return SqliteStore(path, read_only=True)
    except StoreTooOld:
        SqliteStore(path).close()
        return SqliteStore(path, read_only=True)


def open_to_mark(named: Path | None) -> SqliteStore:
    """Open a store to read it and to note that it was read. Raises as `open_to_read` does."""
    from nostr_threads.store.sqlite import SqliteStore

    return SqliteStore(_existing(named))


def _existing(named: Path | None) -> Path:
    from nostr_threads.app.places import store_path

    path = named or store_path(os.environ)
    if not path.exists():
        if named is not None:
            raise StoreError(f"{path}: there is no such store")
        raise NotFound(f"there is no store at {path} yet: fetch a thread or publish first")
    return path
