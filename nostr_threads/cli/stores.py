"""The store as commands open it that only look: never made, never changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.errors import NotFound, StoreError

if TYPE_CHECKING:
    from nostr_threads.store.sqlite import SqliteStore

__all__ = ["open_to_read"]


def open_to_read(named: Path | None) -> SqliteStore:
    """Open the named store, or the user's, for reading.

    Raises `StoreError` for a named one that is not there, `NotFound` while the user has none.
    """
    from nostr_threads.app.places import store_path
    from nostr_threads.store.sqlite import SqliteStore

    path = named or store_path(os.environ)
    if not path.exists():
        if named is not None:
            raise StoreError(f"{path}: there is no such store")
        raise NotFound(f"there is no store at {path} yet: fetch a thread or publish first")
    return SqliteStore(path, read_only=True)
