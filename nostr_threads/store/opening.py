"""A store opened by where it is: a file, or the URL of a database.

Knows how the two are told apart. Knows nothing of what is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.store.sql import SqlStore

__all__ = ["is_url", "open_store"]

_SCHEMES = ("postgresql://", "postgres://")


def is_url(place: Path | str) -> bool:
    """Whether a store is in a database that is reached by a URL, and not a file."""
    return isinstance(place, str) and place.startswith(_SCHEMES)


def open_store(
    place: Path | str, *, read_only: bool = False, cache_mib: int | None = None
) -> SqlStore:
    """Open the store at a path or a `postgresql://` URL; see `SqliteStore` and `PostgresStore`.

    `cache_mib` is for a file. Raises `StoreError`, also where the extra for such a URL is missing.
    """
    if not is_url(place):
        from nostr_threads.store.database import CACHE_MIB
        from nostr_threads.store.sqlite import SqliteStore

        return SqliteStore(place, read_only=read_only, cache_mib=cache_mib or CACHE_MIB)
    try:
        from nostr_threads.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreError(
            "a postgresql:// store needs an extra: pip install 'nostr-threads[postgres]'"
        ) from error
    return PostgresStore(str(place), read_only=read_only)
