"""`outbox`: answers that are signed and still on their way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, say, talk
from nostr_threads.cli.options import AsJson, ConfigFile, KeyName, PasswordFd, StoreFile
from nostr_threads.cli.reports import WORSE, counted, exit_code, line, show_report
from nostr_threads.cli.stores import open_to_read
from nostr_threads.errors import NotFound

if TYPE_CHECKING:
    from nostr_threads.app.publish import Report

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What is signed and still on its way.")

_WORDS = 50


@app.command("list")
def list_outbox(
    everything: Annotated[bool, typer.Option("--all", help="What has arrived, too.")] = False,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """List the answers that are still on their way.

    Example: nostr-threads outbox list
    """
    reports = _reports(store, everything=everything)
    for report in reports:
        if as_json:
            show_report(report, as_json)
        else:
            emit(_summary(report))
    if not reports and not as_json:
        say("nothing is on its way")


@app.command("resume")
def resume_outbox(
    key: KeyName = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Send what is still on its way: the same signed bytes again, never a second version.

    Nothing is signed anew; a key is needed only for relays that ask who is writing.

    Example: nostr-threads outbox resume
    """
    reports = asyncio.run(_resume(key, password_fd, store, relays))
    for report in reports:
        show_report(report, as_json)
    if not reports and not as_json:
        say("nothing is on its way")
    raise typer.Exit(max(map(exit_code, reports), key=WORSE.index, default=0))


def _reports(store: Path | None, *, everything: bool) -> list[Report]:
    from nostr_threads.app.publish import Report

    try:
        with open_to_read(store) as opened:
            return [Report(each) for each in opened.postings(open_only=not everything)]
    except NotFound:
        return []


async def _resume(
    key: str | None, password_fd: int | None, store: Path | None, relays: Path | None
) -> list[Report]:
    from nostr_threads.app.client import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer, writing_signer

    asked = key is not None or password_fd is not None
    signer = writing_signer(key, password_fd) if asked else reading_signer()
    async with open_nostr(store, relays, signer) as nostr:
        with talk().status("resuming …") as status:
            return await nostr.resume(progress=lambda delivery: status.update(line(delivery)))


def _summary(report: Report) -> str:
    """The code, and beneath it what tells one answer from another."""
    from nostr_threads.render.escape import one_line

    posting = report.posting
    when = datetime.fromtimestamp(posting.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    words = one_line(posting.events[0].content, _WORDS)
    parts = counted(len(posting.events), "part")
    done = f"{len(report.deliveries) - report.open} of {len(report.deliveries)} deliveries done"
    relays = ", ".join(posting.relays)
    return f"{report.code}\n  {when} · {parts} · {done} · {relays}\n  {words}\n"
