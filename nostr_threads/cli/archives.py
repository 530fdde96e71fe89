"""`mirror import`, `export` and `salvage`: files of signed events, one JSON object a line."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, json_line, on_terminal, say
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.reports import INCOMPLETE, counted
from nostr_threads.cli.stores import open_to_read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.core.filters import Filter

__all__ = ["export", "import_", "salvage"]

_STDOUT = Path("-")


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="JSON lines, plain or gzip; - for stdin."),
    ],
    relay: Annotated[
        str | None,
        typer.Option("--relay", metavar="URL", help="Note that they were seen at this relay."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Verify every line; store nothing.")
    ] = False,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Take events from files into the store: each is verified before it counts.

    A line is a signed event, as `mirror export`, strfry and others write it, or a relay's message
    with one. What the store has is skipped, so that an import that was interrupted goes on when it
    is run again. A line that is no event, or forged, is named by its number, and the rest is taken.

    Exit code 3: some lines were refused, or a file ends in the middle; 1: nothing could be taken.

    Example: nostr-threads mirror import events.jsonl.gz

    Example: strfry export | nostr-threads mirror import - --relay wss://relay.example
    """
    from nostr_threads.app.blocks import opened
    from nostr_threads.cli.intake import Intake
    from nostr_threads.core.relay_url import normalize

    with ExitStack() as stack:
        url = None if relay is None else normalize(relay)
        sources = [stack.enter_context(opened(path)) for path in files]
        intake = Intake(sources)
        intake.run(store, relay=url, dry_run=dry_run)
    intake.show(as_json=as_json)
    if intake.exit_code:
        raise typer.Exit(intake.exit_code)


def export(
    output: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="In gzip if it ends in .gz; - for stdout [-].")
    ] = _STDOUT,
    condition: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="JSON", help="What meets this filter. Repeatable."),
    ] = None,
    thread: Annotated[
        str | None, typer.Option("--thread", metavar="CODE", help="The thread around this note.")
    ] = None,
    author: Annotated[
        list[str] | None,
        typer.Option("--author", metavar="NPUB", help="Only what this one wrote. Repeatable."),
    ] = None,
    kind: Annotated[
        list[int] | None,
        typer.Option("--kind", metavar="N", min=0, max=65_535, help="Of this kind. Repeatable."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="What is deleted, expired or replaced, too, and what is still in the outbox.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    store: StoreFile = None,
) -> None:
    """Write events of the store to a file, oldest first, one JSON object a line.

    The file appears when it is whole. Of what is stored meanwhile, some may be in it.

    Example: nostr-threads mirror export everything.jsonl.gz

    Example: nostr-threads mirror export --thread nevent1… --kind 1 --kind 1111 thread.jsonl
    """
    from nostr_threads.app.archive import require_vacant, write_archive
    from nostr_threads.app.selection import filters_of, selected
    from nostr_threads.core.nip19 import parse_pubkey

    authors = [parse_pubkey(each).pubkey for each in author or ()]
    filters = filters_of([*_filters(condition or ())], authors, kind or ())
    require_vacant(output, force=force)
    with open_to_read(store) as opened:
        now = None if everything else int(time.time())
        texts = selected(opened, filters, thread=thread, now=now)
        if str(output) == "-" and on_terminal():
            count = _show(texts)
        else:
            count = write_archive(output, texts)
    say(f"{counted(count, 'event')} written" + ("" if str(output) == "-" else f" to {output}"))


def salvage(
    output: Annotated[
        Path, typer.Argument(metavar="FILE", help="In gzip if it ends in .gz; - for stdout.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    store: StoreFile = None,
) -> None:
    """Write what can be read of a damaged store to a file, one JSON object a line.

    Each event is verified again, and what is deleted, expired or replaced is among them. The store
    is not changed: move it away, and import the file into a new one. Exit code 3: some could not be
    read.

    Example: nostr-threads mirror salvage kept.jsonl.gz
    """
    from nostr_threads.app.archive import require_vacant, write_archive

    require_vacant(output, force=force)
    with open_to_read(store) as opened:
        texts = opened.upkeep.salvage()
        if str(output) == "-" and on_terminal():
            count = _show(texts)
        else:
            count = write_archive(output, texts)
    say(f"{counted(count, 'event')} salvaged" + ("" if str(output) == "-" else f" to {output}"))
    if texts.lost:
        say(f"{texts.lost} could not be read")
        raise typer.Exit(INCOMPLETE)


def _filters(texts: Iterable[str]) -> Iterator[Filter]:
    import json

    from nostr_threads.core.filters import Filter
    from nostr_threads.errors import InvalidFilter

    for text in texts:
        try:
            yield Filter.from_wire(json.loads(text))
        except ValueError as error:
            if isinstance(error, InvalidFilter):
                raise
            raise InvalidFilter(f"--filter is no JSON: {error}") from None


def _show(texts: Iterable[str]) -> int:
    """On a terminal JSON is ASCII: nothing else in it is escaped."""
    import json

    count = 0
    for text in texts:
        emit(json_line(json.loads(text)))
        count += 1
    return count
