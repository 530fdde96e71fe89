"""`mirror add`, `list`, `remove` and `status`: what is kept whole, and how far it is.

Knows the words and tables. How anything is got is told by `running`.
"""

from __future__ import annotations

import asyncio
import os
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nostr_threads.cli.console import emit_json, say, table
from nostr_threads.cli.fleets import tell_fleet
from nostr_threads.cli.options import (
    AsJson,
    RelayUrls,
    StoreFile,
)
from nostr_threads.cli.standings import (
    cells,
    described,
    short,
    source_object,
    tell_reasons,
    tell_threads,
)
from nostr_threads.cli.stores import database_of, open_to_read
from nostr_threads.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.sources import Source
    from nostr_threads.store.sources import Sync
    from nostr_threads.store.sql import SqlStore

__all__ = [
    "Kind",
    "Value",
    "What",
    "add",
    "list_sources",
    "open_to_change",
    "remove",
    "source_of",
    "status",
]


_NOTHING = "nothing is mirrored: see `nostr-threads mirror add`"


class Kind(StrEnum):
    """What a source is: see `core.sources.SourceKind`, which costs more to import."""

    THREAD = "thread"
    AUTHOR = "author"
    HASHTAG = "hashtag"
    SEARCH = "search"
    FILTER = "filter"


What = Annotated[
    Kind, typer.Argument(metavar="KIND", help="thread, author, hashtag, search or filter.")
]
Value = Annotated[
    list[str],
    typer.Argument(metavar="VALUE", help="A code, a hashtag, words, or a filter as JSON."),
]


def add(
    kind: What,
    value: Value,
    relay: RelayUrls = None,
    replies: Annotated[
        bool, typer.Option("--replies", help="Of an author: the threads under each note, too.")
    ] = False,
    depth: Annotated[
        int | None,
        typer.Option("--depth", metavar="N", min=0, help="Of threads: N generations of answers."),
    ] = None,
    store: StoreFile = None,
) -> None:
    """Name something to be kept here whole; `mirror run` gets it.

    The same again, with other options, replaces them.

    Example: nostr-threads mirror add hashtag nostr --relay wss://nos.lol

    Example: nostr-threads mirror add filter '{"kinds":[30023]}'
    """
    source = source_of(kind, value, relays=tuple(relay or ()), replies=replies, depth=depth)
    with open_to_change(store) as opened:
        is_new = opened.sources.put(source, now=int(time.time()))
    say(f"{'added' if is_new else 'changed'}: {described(source)}")


def list_sources(as_json: AsJson = False, store: StoreFile = None) -> None:
    """List what is kept whole.

    Example: nostr-threads mirror list
    """
    with open_to_read(store) as opened:
        sources = opened.sources.all()
    for source in sources:
        if as_json:
            emit_json(source_object(source))
        else:
            typer.echo(described(source))
    if not sources and not as_json:
        say(_NOTHING)


def remove(kind: What, value: Value, store: StoreFile = None) -> None:
    """Keep something up to date no more. What came of it stays in the store.

    Example: nostr-threads mirror remove hashtag nostr
    """
    name = source_of(kind, value).name
    with open_to_change(store) as opened:
        if not opened.sources.remove(name):
            raise NotFound(f"{short(name)} is not mirrored: `mirror list` shows what is")
    say(f"removed: {short(name)}; its events stay in the store")


def status(as_json: AsJson = False, store: StoreFile = None) -> None:
    """Say of each source and relay what was got: up to when, how many, whether it is all.

    With a PostgreSQL store, also how its workers stand.

    Example: nostr-threads mirror status --json
    """
    from nostr_threads.app.standings import rows_of, sync_object, threads_object

    with open_to_read(store) as opened:
        found = [(source, opened.sources.syncs(source.name)) for source in opened.sources.all()]
        threads = [
            threads_object(source, opened.sources.branches(source.name))
            for source, _ in found
            if source.replies
        ]
    if as_json:
        for source, syncs in found:
            for url, sync in rows_of(source, syncs):
                emit_json(sync_object(source, url, sync))
    else:
        _show(found)
        if not found:
            say(_NOTHING)
    for each in threads:
        tell_threads(each, as_json=as_json)
    if (place := database_of(store)) is not None:
        asyncio.run(tell_fleet(place, as_json=as_json))


def _show(found: Sequence[tuple[Source, Mapping[str, Sync]]]) -> None:
    from nostr_threads.app.standings import rows_of

    for source, syncs in found:
        rows = [(url, *cells(source, sync)) for url, sync in rows_of(source, syncs)]
        if rows:
            columns = ("relay", "got", "new", "it is", "asked")
            table(short(source.name), columns, rows, whole=1)
        if not syncs:
            say(f"{short(source.name)} was never got: `nostr-threads mirror run`")
        tell_reasons(source, syncs)


def source_of(kind: Kind, value: list[str], **options: Any) -> Source:
    """Read what was typed; see `Source.parse`."""
    from nostr_threads.core.sources import Source, SourceKind

    return Source.parse(SourceKind(kind.value), " ".join(value), **options)


def open_to_change(store: str | None) -> SqlStore:
    """Open the named store, or the user's, which is made if it is not there."""
    from nostr_threads.app.places import store_path
    from nostr_threads.store.opening import open_store

    return open_store(store or store_path(os.environ))
