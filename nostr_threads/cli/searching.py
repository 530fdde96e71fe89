"""`search`: words in what the store holds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, json_line, on_terminal, say
from nostr_threads.cli.news import shown_of
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.policies import kept_among, tell_kept
from nostr_threads.cli.reading import setting_of
from nostr_threads.cli.reports import counted
from nostr_threads.cli.secrets import reader
from nostr_threads.cli.stores import open_to_mark
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.search_terms import Term
    from nostr_threads.store.sql import SqlStore

__all__ = ["search"]


def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS…", help='Words, "a phrase" in quotes, begin*; -not.'),
    ],
    author: Annotated[
        list[str] | None,
        typer.Option("--author", metavar="NPUB", help="Only what this one wrote. Repeatable."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Show whole notes, not a piece of each.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Show N notes at most, the newest.")
    ] = 20,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Find words in the notes, comments, forum posts and articles of the store, offline.

    All words have to be in one note; upper and lower case are the same. Of each note the piece is
    shown in which most of them stand, by thread, the newest first. What is new in the store is
    indexed before: the first search of a large one takes a while. Words that begin with - come
    after --.

    Example: nostr-threads search long answers

    Example: nostr-threads search '"long answers"' --author npub1… -- -draft
    """
    from nostr_threads.app.listing import by_thread
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.nip19 import parse_pubkey
    from nostr_threads.core.search_terms import found_by, parse_terms

    text = " ".join(words)
    terms = parse_terms(text)
    if not found_by(terms):
        raise InvalidInput("this finds nothing: at least one word has to be wanted")
    authors = tuple(parse_pubkey(each).pubkey for each in author or ()) or None
    with open_to_mark(store) as opened:
        wanted = Filter(authors=authors, search=text)
        now = int(time.time())
        count = opened.count([wanted], now=now)
        found = opened.query([Filter(authors=authors, search=text, limit=limit)], now=now)
        kept = len(kept_among(opened, found, now))
        if as_json:
            emit("".join(_lines(found)))
            tell_kept(kept)
            return
        viewer = reader()
        for root, events in by_thread(opened, found).items():
            if whole:
                emit(shown_of(opened, root, events, viewer))
            else:
                emit(_finds(opened, root, events, viewer, terms))
    more = f", the newest {len(found)} shown" if count > len(found) else ""
    say(f"{counted(count, 'note')} found{more}")
    tell_kept(kept)


def _lines(events: Iterable[Verified]) -> Iterable[str]:
    from nostr_threads.render.contracts import event_object

    return (json_line(event_object(event)) for event in events)


def _finds(
    store: SqlStore,
    root: str,
    events: Iterable[Verified],
    viewer: str | None,
    terms: Sequence[Term],
) -> str:
    from nostr_threads.app.fetch import load_thread
    from nostr_threads.core.references import pointer_to
    from nostr_threads.render.finds import render_finds

    found = load_thread(pointer_to(root), store=store, now=int(time.time()), viewer=viewer)
    ids = [event.id for event in events]
    return render_finds(found.thread, ids, terms, setting_of(found, None), _mark)


def _mark(words: str) -> str:
    return typer.style(words, bold=True) if on_terminal() else words
