"""A thread as a file that stands alone, made of what is saved in it and nothing else.

Knows that making and checking it are the same. Needs no server.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from nostr_threads.app.saving import reopened, saved
from nostr_threads.render.html.export import render_file
from nostr_threads.render.setting import Setting

if TYPE_CHECKING:
    from nostr_threads.core.saved import Saved
    from nostr_threads.store.sql import SqlStore

__all__ = ["file_of", "our_version", "saved_now"]


def our_version() -> str:
    """Return the version of this program."""
    return version("nostr-threads")


def saved_now(key: str, *, store: SqlStore, now: int) -> Saved:
    """Return what is to be saved of the thread around `key`. Raises `NotFound` for nothing."""
    return saved(key, store=store, now=now, version=our_version())


def file_of(kept: Saved) -> str:
    """Return the file of a thread."""
    found = reopened(kept)
    around = found.surroundings
    setting = Setting(around.shown_names, around.tallies, around.quoted)
    return render_file(kept, found.thread, setting, found.coverage)
