"""`fetch` and `show`: a thread and how whole it is."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import (
    emit,
    emit_json,
    json_line,
    on_terminal,
    say,
    table,
    talk,
)
from nostr_threads.cli.options import AsJson, ConfigFile, Output, RelayUrls, StoreFile
from nostr_threads.cli.reports import INCOMPLETE, UNREACHABLE, counted
from nostr_threads.cli.stores import open_to_read

if TYPE_CHECKING:
    from nostr_threads.app.fetch import Found, Progress
    from nostr_threads.core.coverage import Coverage

__all__ = ["Format", "fetch", "show"]


class Format(StrEnum):
    """How a thread is written."""

    TREE = "tree"
    JSONL = "jsonl"


Code = Annotated[
    str,
    typer.Argument(
        metavar="CODE", help="note, nevent, naddr or hex id, a nostr: or web link to one."
    ),
]
As = Annotated[Format, typer.Option("--format", help="A tree to read, or the signed events.")]


def fetch(
    code: Code,
    relay: RelayUrls = None,
    form: As = Format.TREE,
    output: Output = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="N", min=0, help="Stop looking after N seconds."),
    ] = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Find the whole thread around CODE at the relays, keep it, show it and how whole it is.

    Exit code 3: shown, but some relay did not answer completely; 4: none could be reached, and what
    the store has is shown.

    Example: nostr-threads fetch nevent1… --relay wss://nos.lol
    """
    found = asyncio.run(_fetch(code, relay or [], seconds, store, relays))
    _present(found, form, output, as_json)
    if not found.coverage.reached:
        raise typer.Exit(UNREACHABLE)
    if not found.whole:
        raise typer.Exit(INCOMPLETE)


def show(
    code: Code,
    form: As = Format.TREE,
    output: Output = None,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Show what the store holds of the thread around CODE, offline.

    Example: nostr-threads show nevent1… --json
    """
    import time

    from nostr_threads.app.fetch import load_thread, pointer

    start = pointer(code)
    with open_to_read(store) as opened:
        found = load_thread(start, store=opened, now=int(time.time()))
    _present(found, form, output, as_json)


async def _fetch(
    code: str, relay: list[str], seconds: float | None, store: Path | None, relays: Path | None
) -> Found:
    from nostr_threads.app.client import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer

    async with open_nostr(store, relays, reading_signer()) as nostr:
        with talk().status("looking for the root …") as status:

            def tell(progress: Progress) -> None:
                status.update(f"round {progress.rounds}: {progress.events} events")

            return await nostr.fetch(code, relays=relay, seconds=seconds, progress=tell)


def _present(found: Found, form: Format, output: Path | None, as_json: bool) -> None:
    from nostr_threads.render.contracts import event_object, thread_object
    from nostr_threads.render.tree import render_tree

    if as_json:
        emit_json(thread_object(found.thread, found.coverage, found.budget_hit), output)
    elif form is Format.JSONL:
        # On a terminal JSON is ASCII: nothing else in it is escaped.
        lines = (
            json_line(event_object(event)) if on_terminal() and output is None else event.to_json()
            for event in found.thread.events
        )
        emit("".join(line.rstrip("\n") + "\n" for line in lines), output)
    else:
        emit(render_tree(found.thread), output)
        _report(found)


def _report(found: Found) -> None:
    thread = found.thread
    missing = f", {len(thread.missing)} missing" if thread.missing else ", none missing"
    say(f"{counted(thread.found, 'note')}{missing}")
    _coverage(found.coverage)
    if found.budget_hit:
        say(f"stopped after {found.budget_hit}: there may be more")
    if unsure := found.coverage.unsure:
        say(f"unsure: {len(unsure)} of {len(found.coverage.relays)} relays did not answer wholly")


def _coverage(coverage: Coverage) -> None:
    rows = [
        (
            relay.url,
            relay.finish.value if relay.finish is not None else "seen before",
            relay.events,
            relay.only_here,
            relay.refused or "",
            relay.reason,
        )
        for relay in coverage.relays
    ]
    if rows:
        table("", ("relay", "answer", "notes", "only here", "refused", ""), rows)
