"""Where things are on this machine: the store, the settings, the keys.

Knows the environment variables that move them: `NOSTR_THREADS_HOME`, `NOSTR_THREADS_STORE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_config_path, user_data_path

from nostr_threads.store.opening import is_url

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["config_folder", "key_folder", "store_path"]

_NAME = "nostr-threads"


def store_path(environ: Mapping[str, str]) -> Path | str:
    """Return the database that is used when nobody names another: a file, or a URL."""
    if named := environ.get("NOSTR_THREADS_STORE"):
        return named if is_url(named) else Path(named)
    return _home(environ, user_data_path(_NAME)) / "threads.db"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder in which a relays.toml is looked for."""
    return _home(environ, user_config_path(_NAME))


def key_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the encrypted keys."""
    return config_folder(environ) / "keys"


def _home(environ: Mapping[str, str], usual: Path) -> Path:
    home = environ.get("NOSTR_THREADS_HOME")
    return Path(home) if home else usual
