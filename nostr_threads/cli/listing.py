"""`list`: the threads that the store holds."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from nostr_threads.cli.console import emit, json_line, say
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.secrets import reader
from nostr_threads.cli.stores import open_to_read

__all__ = ["list_stored"]


def list_stored(
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Show N threads at most.")
    ] = 20,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """List the threads of the store, offline: those first in which something was said last.

    With how many notes of each are here and how many of them you have not looked at; `new` shows
    those. A note that nobody has answered is a thread, too.

    Example: nostr-threads list --limit 50
    """
    from nostr_threads.app.listing import list_threads
    from nostr_threads.render.contracts import listed_object
    from nostr_threads.render.listing import render_listed
    from nostr_threads.render.setting import Setting

    now = int(time.time())
    with open_to_read(store) as opened:
        found = list_threads(opened, now=now, most=limit + 1, viewer=reader())
    setting = Setting(found.names, now=now)
    for each in found.threads[:limit]:
        about = each.activity
        figures = {"notes": about.notes, "unread": about.unread, "last_at": about.last_at}
        if as_json:
            emit(json_line(listed_object(about.root, each.root, **figures)))
        else:
            emit(render_listed(about.root, each.root, setting, **figures) + "\n")
    if len(found.threads) > limit:
        say(f"there are more than {limit}: see --limit")
