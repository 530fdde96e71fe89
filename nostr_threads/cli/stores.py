"""The store as commands open it that only look: it is never made here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.errors import NotFound, StoreError, StoreTooOld

if TYPE_CHECKING:
    from nostr_threads.store.sql import SqlStore

__all__ = ["database_of", "open_to_mark", "open_to_read"]


def open_to_read(named: Path | str | None) -> SqlStore:
    """Open the named store, or the user's, for reading, once it has today's schema.

    Raises `StoreError` for a named one that is not there, `NotFound` while the user has none.
    """
    from nostr_threads.store.opening import open_store

    place = _existing(named)
    try:
        return open_store(place, read_only=True)
    except StoreTooOld:
        open_store(place).close()
        return open_store(place, read_only=True)


def open_to_mark(named: Path | str | None) -> SqlStore:
    """Open a store to read it and to note that it was read. Raises as `open_to_read` does."""
    from nostr_threads.store.opening import open_store

    return open_store(_existing(named))


def database_of(named: Path | str | None) -> str | None:
    """Return the URL of the named store, or the user's; None where it is a file."""
    from nostr_threads.app.places import store_path
    from nostr_threads.store.opening import is_url

    place = named or store_path(os.environ)
    return str(place) if is_url(place) else None


def _existing(named: Path | str | None) -> Path | str:
    from nostr_threads.app.places import store_path
    from nostr_threads.store.opening import is_url

    place = named or store_path(os.environ)
    if not is_url(place) and not Path(place).exists():
        if named is not None:
            raise StoreError(f"{place}: there is no such store")
        raise NotFound(
            f"there is no store at {place} yet: fetch, mirror, import or publish something first"
        )
    return place
