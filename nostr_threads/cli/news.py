"""`new`: what arrived in the store since the last look."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, json_line, say
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.policies import kept_among
from nostr_threads.cli.reading import Unfolded, setting_of
from nostr_threads.cli.reports import counted
from nostr_threads.cli.secrets import reader
from nostr_threads.cli.stores import open_to_mark
from nostr_threads.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from nostr_threads.core.event import Event
    from nostr_threads.store.sql import SqlStore

__all__ = ["new", "shown_of"]

# Notes of one thread that are shown unless --all is given.
_FOLD = 50


def new(
    code: Annotated[
        str | None,
        typer.Argument(metavar="[CODE]", help="Only the thread around this note."),
    ] = None,
    unfolded: Unfolded = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Do not count it as seen: show it again next time.")
    ] = False,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Show what arrived in the store since you last looked; nothing when nothing did.

    In the thread around CODE, or in all of them. `fetch` is what brings things into the store. Your
    own answers are not news.

    Example: nostr-threads new nevent1… --keep
    """
    try:
        opened = open_to_mark(store)
    except NotFound as error:
        say(str(error))
        return
    with opened:
        viewer = None if as_json else reader()
        arrived = opened.arrivals(_root(opened, code))
        most = None if unfolded or as_json else _FOLD
        shown = {root: events[:most] for root, events in arrived.threads.items()}
        for root, events in shown.items():
            if as_json:
                kept = kept_among(opened, events, int(time.time()))
                emit("".join(map(json_line, _objects(root, events, kept))))
            else:
                emit(shown_of(opened, root, events, viewer))
                _tell_rest(len(arrived.threads[root]) - len(events))
        if not keep:
            # What was not shown is not seen.
            opened.looked(replace(arrived, threads=shown))


def _root(store: SqlStore, code: str | None) -> str | None:
    from nostr_threads.app.fetch import pointer, stored_root

    return None if code is None else stored_root(store, pointer(code))


def _objects(root: str, events: Sequence[Event], kept: Collection[str]) -> list[dict[str, object]]:
    from nostr_threads.render.contracts import arrival_object

    return [arrival_object(root, event, kept=event.id in kept) for event in events]


def _tell_rest(number: int) -> None:
    if number:
        say(f"{counted(number, 'more note')}: `nostr-threads new` again, or with --all")


def shown_of(store: SqlStore, root: str, events: Sequence[Event], viewer: str | None) -> str:
    """Return some notes of a thread, by its root, under the thread's first line."""
    from nostr_threads.app.fetch import load_thread
    from nostr_threads.core.references import pointer_to
    from nostr_threads.render.news import render_news

    found = load_thread(pointer_to(root), store=store, now=int(time.time()), viewer=viewer)
    fresh = {event.id for event in events}
    return render_news(found.thread, fresh, setting_of(found, None))
