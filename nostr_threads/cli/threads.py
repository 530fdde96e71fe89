"""`fetch` and `show`: a thread and how whole it is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
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
from nostr_threads.cli.pages import page_of, require_web, saved_thread, tell_left_out
from nostr_threads.cli.policies import tell_kept
from nostr_threads.cli.reading import Unfolded, setting_of
from nostr_threads.cli.reports import INCOMPLETE, UNREACHABLE, counted
from nostr_threads.cli.secrets import reader
from nostr_threads.cli.stores import open_to_read
from nostr_threads.render.escape import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.app.fetch import Found, Progress
    from nostr_threads.core.coverage import Coverage
    from nostr_threads.core.crawl import Budget
    from nostr_threads.core.fetched import Fetched
    from nostr_threads.core.saved import Saved

__all__ = ["Format", "fetch", "show"]


_REASON = 200
# Replies shown under one note unless --all is given.
_FOLD = 20


class Format(StrEnum):
    """How a thread is written."""

    TREE = "tree"
    MD = "md"
    HTML = "html"
    JSONL = "jsonl"


Code = Annotated[
    str,
    typer.Argument(
        metavar="CODE", help="note, nevent, naddr or hex id, a nostr: or web link to one."
    ),
]
As = Annotated[
    Format,
    typer.Option(
        "--format", help="A tree to read, Markdown, a page of HTML, or the signed events."
    ),
]


def fetch(
    code: Code,
    relay: RelayUrls = None,
    form: As = Format.TREE,
    output: Output = None,
    widen: Annotated[
        bool | None,
        typer.Option(
            "--widen/--no-widen",
            help="Go on to where the people of the thread write and read (NIP-65), and to relays "
            "that its notes name; on, unless --relay is given.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="N", min=0, help="Stop looking after N seconds [600]."),
    ] = None,
    events: Annotated[
        int | None, typer.Option("--events", metavar="N", min=1, help="Stop after N events.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--max-relays", metavar="N", min=1, help="Ask N relays at most.")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option("--depth", metavar="N", min=1, help="Look N generations below the note."),
    ] = None,
    unfolded: Unfolded = False,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Find the whole thread around CODE at the relays, keep it, show it and how whole it is.

    Exit code 3: shown, but some relay did not answer completely, or a limit ended the search; 4:
    none could be reached, and what the store has is shown.

    Example: nostr-threads fetch nevent1… --relay wss://nos.lol
    """
    from nostr_threads.core.crawl import Budget

    usual = Budget()
    budget = Budget(events or usual.events, relays=most or usual.relays, depth=depth)
    page = form is Format.HTML and not as_json
    if page:
        require_web()
    found, saved = asyncio.run(
        _fetch(code, relay or [], widen, budget, seconds, store, relays, page=page)
    )
    _present(found, form, output, as_json, unfolded, saved)
    if not found.coverage.reached:
        raise typer.Exit(UNREACHABLE)
    if not found.whole:
        raise typer.Exit(INCOMPLETE)


def show(
    code: Code,
    form: As = Format.TREE,
    output: Output = None,
    unfolded: Unfolded = False,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Show what the store holds of the thread around CODE, offline.

    Example: nostr-threads show nevent1… --json
    """
    from nostr_threads.app.fetch import load_thread, pointer

    start, saved = pointer(code), None
    if form is Format.HTML and not as_json:
        require_web()
    with open_to_read(store) as opened:
        found = load_thread(start, store=opened, now=int(time.time()), viewer=reader())
        if form is Format.HTML and not as_json:
            saved = saved_thread(found, opened)
    _present(found, form, output, as_json, unfolded, saved)


async def _fetch(
    code: str,
    relay: list[str],
    widen: bool | None,
    budget: Budget,
    seconds: float | None,
    store: str | None,
    relays: Path | None,
    *,
    page: bool,
) -> tuple[Found, Saved | None]:
    """Find the thread; with `page` say also what is to be saved of it."""
    from nostr_threads.app.blocking import off_loop
    from nostr_threads.app.client import PATIENCE
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer

    longest = PATIENCE if seconds is None else seconds

    async with (
        reading_signer() as signer,
        open_nostr(store, relays, signer, viewer=reader()) as nostr,
    ):
        with talk().status("looking for the root …") as status:

            def tell(progress: Progress) -> None:
                status.update(
                    f"{progress.events} events, {counted(progress.answers, 'answer')} from "
                    f"{counted(progress.relays, 'relay')}"
                )

            found = await nostr.fetch(
                code, relays=relay, widen=widen, budget=budget, seconds=longest, progress=tell
            )
        return found, await off_loop(saved_thread, found, nostr.store) if page else None


def _present(
    found: Found,
    form: Format,
    output: Path | None,
    as_json: bool,
    unfolded: bool,
    saved: Saved | None,
) -> None:
    if as_json:
        from nostr_threads.render.contracts import thread_object

        emit_json(
            thread_object(
                found.thread,
                found.coverage,
                found.budget_hit,
                names=found.surroundings.shown_names,
                tallies=found.surroundings.tallies,
                fetched=found.fetched,
            ),
            output,
        )
    elif form is Format.JSONL:
        emit("".join(_lines(found, output)), output)
        tell_kept(_kept(found))
    elif saved is not None:
        page = page_of(saved)
        # A browser shows what a terminal would obey.
        emit(printable(page) if on_terminal() and output is None else page, output)
        _report(found)
        tell_left_out(found, saved)
    else:
        emit(_text(found, form, output, unfolded), output)
        _report(found)


def _lines(found: Found, output: Path | None) -> Iterator[str]:
    """The signed events. On a terminal JSON is ASCII: nothing else in it is escaped."""
    from nostr_threads.render.contracts import event_object

    for event in found.thread.events:
        if on_terminal() and output is None:
            yield json_line(event_object(event))
        else:
            yield event.to_json() + "\n"


def _text(found: Found, form: Format, output: Path | None, unfolded: bool) -> str:
    from nostr_threads.render.markdown import render_markdown
    from nostr_threads.render.tree import render_tree

    setting = setting_of(found, None if unfolded else _FOLD, output)
    if form is Format.MD:
        # A document is read later, and folds by itself.
        return render_markdown(found.thread, replace(setting, now=None, fold=None))
    return render_tree(found.thread, setting)


def _report(found: Found) -> None:
    thread = found.thread
    missing = f", {len(thread.missing)} missing" if thread.missing else ", none missing"
    say(f"{counted(thread.found, 'note')}{missing}{_estimated(found.coverage)}")
    tell_kept(_kept(found))
    _coverage(found.coverage)
    if found.budget_hit:
        say(f"stopped after {found.budget_hit}: there may be more")
    if (fetched := found.fetched) is not None and fetched.coverage is not found.coverage:
        _tell_fetched(fetched)
    if unsure := found.coverage.unsure:
        say(f"unsure: {len(unsure)} of {len(found.coverage.relays)} relays did not answer wholly")


def _tell_fetched(fetched: Fetched) -> None:
    """Say how whole what is shown from the store was, when relays were asked last."""
    from nostr_threads.render.wording import when

    relays, unsure = len(fetched.coverage.relays), len(fetched.coverage.unsure)
    ended = f", ended after {fetched.budget_hit}" if fetched.budget_hit else ""
    say(
        f"fetched {when(fetched.at, int(time.time()))}: {relays - unsure} of "
        f"{counted(relays, 'relay')} answered wholly{ended}{_estimated(fetched.coverage)}"
    )


def _kept(found: Found) -> int:
    return sum(node.kept is not None for node in found.thread.nodes)


def _estimated(coverage: Coverage) -> str:
    made = coverage.estimate
    if made is None:
        return ""
    if made.high == made.low:
        return f"; by how the relays overlap, {made.total} in all"
    return f"; by how the relays overlap, about {made.total} in all ({made.low} to {made.high})"


def _coverage(coverage: Coverage) -> None:
    counts = any(relay.counted is not None for relay in coverage.relays)
    columns = ["relay", "answer", "notes", "only here", "refused", "asked as"]
    rows = []
    for relay in coverage.relays:
        finish = relay.finish.value if relay.finish is not None else "seen before"
        why = relay.choice.words if relay.choice is not None else ""
        row = [relay.url, finish, relay.events, relay.only_here, relay.refused or "", why]
        said = "" if relay.counted is None else relay.counted
        rows.append([*row, *([said] if counts else [])])
    if counts:
        columns.append("counts")
    if rows:
        table("", columns, rows, whole=2)
    for relay in coverage.relays:
        if relay.reason:
            say(f"{relay.url}: {one_line(relay.reason, _REASON)}")
