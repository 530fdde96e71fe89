"""`mirror add`, `list`, `remove`, `run`, `push`, `status`: what is kept whole, and how far it is.

Knows the words and tables. How anything is got is `app.mirror`'s.
"""

from __future__ import annotations

import asyncio
import os
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nostr_threads.cli.console import emit_json, say, table, talk
from nostr_threads.cli.fleets import tell_fleet
from nostr_threads.cli.options import (
    AsJson,
    ConfigFile,
    KeyName,
    PasswordFd,
    RelayUrls,
    StoreFile,
)
from nostr_threads.cli.reports import INCOMPLETE, UNREACHABLE, counted
from nostr_threads.cli.standings import (
    cells,
    described,
    short,
    show_pushed,
    source_object,
    sync_object,
    tell_progress,
    tell_reasons,
    was_reached,
)
from nostr_threads.cli.stores import database_of, open_to_read
from nostr_threads.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nostr_threads.app.mirror import Progress, Result
    from nostr_threads.app.pushing import Pushed
    from nostr_threads.core.sources import Source
    from nostr_threads.store.sources import Sync
    from nostr_threads.store.sql import SqlStore

__all__ = ["add", "list_sources", "push", "remove", "run", "status"]


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
    source = _source(kind, value, relays=tuple(relay or ()), replies=replies, depth=depth)
    with _open(store) as opened:
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
        say("nothing is mirrored: see `nostr-threads mirror add`")


def remove(kind: What, value: Value, store: StoreFile = None) -> None:
    """Keep something up to date no more. What came of it stays in the store.

    Example: nostr-threads mirror remove hashtag nostr
    """
    name = _source(kind, value).name
    with _open(store) as opened:
        if not opened.sources.remove(name):
            raise NotFound(f"{short(name)} is not mirrored: `mirror list` shows what is")
    say(f"removed: {short(name)}; its events stay in the store")


def run(
    kind: Annotated[
        Kind | None,
        typer.Argument(metavar="[KIND]", help="This one source alone, of those that were added."),
    ] = None,
    value: Annotated[list[str] | None, typer.Argument(metavar="[VALUE]")] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow/--once", help="Go on, with what comes in, until Ctrl-C; or not."),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Ask for everything again: events come late to relays."),
    ] = False,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Get what is missing of everything that was added, from all relays at once.

    It may be interrupted at any moment, and goes on from there the next time. Exit code 3: some
    relay did not give everything; 4: none could be reached.

    Example: nostr-threads mirror run --follow
    """
    if follow and again:
        raise InvalidInput("--again is for one run: leave out --follow")
    with _open(store) as opened:
        sources = _chosen(opened.sources.all(), kind, value)
    if follow:
        asyncio.run(_follow(sources, store, relays, as_json))
        return
    results = asyncio.run(_run(sources, again, store, relays, as_json))
    if all(result.whole for result in results):
        return
    reached = any(was_reached(sync) for result in results for sync in result.syncs.values())
    raise typer.Exit(INCOMPLETE if reached else UNREACHABLE)


def push(
    kind: What,
    value: Value,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The relay it is brought to.")],
    key: KeyName = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Bring to another relay what it has not of a source, and read back what it took.

    The source need not have been added. What was deleted, has expired or was replaced is not passed
    on, nor what only its author may send (NIP-70), unless that is you: say so with --key. Exit code
    3: some of it was refused; 4: the relay could not be reached.

    Example: nostr-threads mirror push thread nevent1… --to wss://relay.example
    """
    source = _source(kind, value)
    pushed = asyncio.run(_push(source, to, key, password_fd, store, relays))
    show_pushed(pushed, as_json=as_json)
    if not pushed.whole:
        raise typer.Exit(UNREACHABLE if pushed.stopped and not pushed.taken else INCOMPLETE)


def status(as_json: AsJson = False, store: StoreFile = None) -> None:
    """Say of each source and relay what was got: from when to when, whether it is all, how many.

    With a PostgreSQL store, also how its workers stand.

    Example: nostr-threads mirror status --json
    """
    with open_to_read(store) as opened:
        found = [(source, opened.sources.syncs(source.name)) for source in opened.sources.all()]
    if as_json:
        for source, syncs in found:
            for url, sync in syncs.items():
                emit_json(sync_object(source, url, sync))
    else:
        _show(found)
    if (place := database_of(store)) is not None:
        asyncio.run(tell_fleet(place, as_json=as_json))


def _show(found: Sequence[tuple[Source, Mapping[str, Sync]]]) -> None:
    rows = [
        (short(source.name), url, *cells(source, sync))
        for source, syncs in found
        for url, sync in syncs.items()
    ]
    if rows:
        columns = ("source", "relay", "from", "until", "events", "last run", "it is")
        table("", columns, rows, whole=2)
    for source, syncs in found:
        if not syncs:
            say(f"{short(source.name)} was never got: `nostr-threads mirror run`")
        tell_reasons(source, syncs)


def _source(kind: Kind, value: list[str], **options: Any) -> Source:
    from nostr_threads.core.sources import Source, SourceKind

    return Source.parse(SourceKind(kind.value), " ".join(value), **options)


def _open(store: str | None) -> SqlStore:
    from nostr_threads.app.places import store_path
    from nostr_threads.store.opening import open_store

    return open_store(store or store_path(os.environ))


def _chosen(
    sources: Sequence[Source], kind: Kind | None, value: list[str] | None
) -> Sequence[Source]:
    if not sources:
        raise NotFound("nothing is mirrored: see `nostr-threads mirror add`")
    if kind is None:
        return sources
    name = _source(kind, value or []).name
    found = [source for source in sources if source.name == name]
    if not found:
        raise NotFound(f"{short(name)} is not mirrored: `mirror list` shows what is")
    return found


async def _run(
    sources: Sequence[Source], again: bool, store: str | None, relays: Path | None, as_json: bool
) -> list[Result]:
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer

    fresh: dict[tuple[str, str], int] = {}
    async with reading_signer() as signer, open_nostr(store, relays, signer) as nostr:
        with talk().status("looking for relays …") as shown:

            def tell(told: Progress) -> None:
                fresh[told.source.name, told.relay] = told.fresh
                if told.sync is not None:
                    tell_progress(told, as_json)
                shown.update(f"{counted(sum(fresh.values()), 'event')} new")

            return await nostr.mirror.run(sources, anew=again, progress=tell)


async def _push(
    source: Source,
    to: str,
    key: str | None,
    password_fd: int | None,
    store: str | None,
    relays: Path | None,
) -> Pushed:
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer, writing_signer

    who = reading_signer() if key is None else writing_signer(key, password_fd)
    async with who as signer, open_nostr(store, relays, signer) as nostr:
        with talk().status("looking for what it has not …") as shown:

            def tell(pushed: Pushed) -> None:
                shown.update(f"{pushed.taken} of {pushed.offered - pushed.there} taken")

            own = None if signer is None else signer.public_key
            return await nostr.mirror.push(source, to, own=own, told=tell)


async def _follow(
    sources: Sequence[Source], store: str | None, relays: Path | None, as_json: bool
) -> None:
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer

    async with reading_signer() as signer, open_nostr(store, relays, signer) as nostr:
        await nostr.mirror.follow(sources, progress=lambda told: tell_progress(told, as_json))
