"""`mirror run` and `mirror push`: what is missing got from relays, and brought to one.

Knows the words. How it is done is `app.mirror`'s.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import talk
from nostr_threads.cli.options import AsJson, ConfigFile, KeyName, PasswordFd, StoreFile
from nostr_threads.cli.policies import DeletedPolicy, adopt
from nostr_threads.cli.reports import INCOMPLETE, UNREACHABLE, counted
from nostr_threads.cli.sources import Kind, Value, What, open_to_change, source_of
from nostr_threads.cli.standings import (
    short,
    show_pushed,
    tell_progress,
    tell_threads,
    was_reached,
)
from nostr_threads.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nostr_threads.app.mirror import Progress, Result
    from nostr_threads.app.pushing import Pushed
    from nostr_threads.core.sources import Source

__all__ = ["push", "run"]


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
    deleted: DeletedPolicy = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Get what is missing of everything that was added, from all relays at once.

    It may be interrupted at any moment, and goes on from there the next time. Exit code 3: some
    relay did not give everything; 4: none could be reached. The store remembers what --deleted
    says, also for all that reads it.

    Example: nostr-threads mirror run --follow

    Example: nostr-threads mirror run --deleted keep
    """
    from nostr_threads.app.standings import threads_object

    if follow and again:
        raise InvalidInput("--again is for one run: leave out --follow")
    with open_to_change(store) as opened:
        sources = _chosen(opened.sources.all(), kind, value, may_be_none=deleted is not None)
        adopt(opened, deleted)
    if follow:
        asyncio.run(_follow(sources, store, relays, as_json))
        return
    results = asyncio.run(_run(sources, again, store, relays, as_json))
    for result in results:
        if result.source.replies:
            tell_threads(threads_object(result.source, result.branches), as_json=as_json)
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
    on, even where the store keeps it, nor what only its author may send (NIP-70), unless that is
    you: say so with --key. Exit code 3: some of it was refused; 4: the relay could not be reached.

    Example: nostr-threads mirror push thread nevent1… --to wss://relay.example
    """
    source = source_of(kind, value)
    pushed = asyncio.run(_push(source, to, key, password_fd, store, relays))
    show_pushed(pushed, as_json=as_json)
    if not pushed.whole:
        raise typer.Exit(UNREACHABLE if pushed.stopped and not pushed.taken else INCOMPLETE)


def _chosen(
    sources: Sequence[Source], kind: Kind | None, value: list[str] | None, *, may_be_none: bool
) -> Sequence[Source]:
    """Return the sources that are meant. Who sets the policy needs none."""
    if not sources and not (may_be_none and kind is None):
        raise NotFound("nothing is mirrored: see `nostr-threads mirror add`")
    if kind is None:
        return sources
    if not value:
        raise InvalidInput(f"say which {kind.value}: `mirror list` shows them")
    name = source_of(kind, value or []).name
    found = [source for source in sources if source.name == name]
    if not found:
        raise NotFound(f"{short(name)} is not mirrored: `mirror list` shows what is")
    return found


async def _run(
    sources: Sequence[Source],
    again: bool,
    store: str | None,
    relays: Path | None,
    as_json: bool,
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
    sources: Sequence[Source],
    store: str | None,
    relays: Path | None,
    as_json: bool,
) -> None:
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer

    async with reading_signer() as signer, open_nostr(store, relays, signer) as nostr:
        await nostr.mirror.follow(sources, progress=lambda told: tell_progress(told, as_json))
