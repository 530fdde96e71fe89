"""`outbox`: answers that are signed, those on their way and those that have arrived."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli import verbs
from nostr_threads.cli.console import emit, say, talk
from nostr_threads.cli.errands import Access
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.options import AsJson, ConfigFile, StoreFile
from nostr_threads.cli.reports import (
    INCOMPLETE,
    WORSE,
    counted,
    exit_code,
    line,
    show_report,
    tell_clock,
    when,
)
from nostr_threads.cli.stores import open_to_read
from nostr_threads.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.app.client import Nostr
    from nostr_threads.app.publish import Report
    from nostr_threads.core.delivery import Delivery

    Progress = Callable[[Delivery], None]

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What is signed: on its way, or arrived.")

_WORDS = 50

One = Annotated[
    str | None, typer.Argument(metavar="[CODE]", help="Any part of an answer; all without it.")
]


@app.command("list")
def list_outbox(
    everything: Annotated[
        bool, typer.Option("--all", help="What has arrived or was given up, too.")
    ] = False,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """List the answers that are still on their way, and when each is tried again.

    Example: nostr-threads outbox list --all
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
@grouped
def resume_outbox(
    code: One = None,
    *,
    due: Annotated[
        bool, typer.Option("--due", help="Only what is due; after a failure there is a pause.")
    ] = False,
    access: Access,
) -> None:
    """Send what is still on its way: the same signed bytes again, never a second version.

    Nothing is signed anew; a key is needed only for relays that ask who is writing. With CODE that
    answer is sent even if it was given up.

    Example: nostr-threads outbox resume --due
    """

    async def act(nostr: Nostr, progress: Progress) -> list[Report]:
        return await nostr.outbox.resume(code, everything=not due, progress=progress)

    reports = asyncio.run(_work("resuming …", act, access))
    _show_all(reports, "nothing is on its way", access.as_json)
    raise typer.Exit(max(map(exit_code, reports), key=WORSE.index, default=0))


@app.command("check")
@grouped
def check_outbox(code: One = None, *, access: Access) -> None:
    """Read back again what has arrived. What a relay does not have any more is due to be sent.

    Exit code 3: something is lost, or another process is sending it.

    Example: nostr-threads outbox check
    """
    from nostr_threads.core.delivery import Status

    async def act(nostr: Nostr, progress: Progress) -> list[Report]:
        return await nostr.outbox.check(code, progress=progress)

    reports = asyncio.run(_work("reading back …", act, access))
    _show_all(reports, "nothing was published", access.as_json)
    lost = any(each.status is Status.LOST for report in reports for each in report.deliveries)
    if lost or any(report.busy for report in reports):
        raise typer.Exit(INCOMPLETE)


@app.command("cancel")
def cancel_outbox(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Any part of an answer.")],
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Take an answer back that no relay has or may have. For any other there is `delete`.

    Example: nostr-threads outbox cancel nevent1…
    """

    async def act(nostr: Nostr, _: Progress) -> list[Report]:
        return [await nostr.outbox.cancel(code)]

    (report,) = asyncio.run(_work("cancelling …", act, Access(store=store, relays=relays)))
    show_report(report, as_json)


app.command("delete")(verbs.delete)


def _reports(store: str | None, *, everything: bool) -> list[Report]:
    from nostr_threads.app.publish import Report

    try:
        with open_to_read(store) as opened:
            return [Report(each) for each in opened.postings(open_only=not everything)]
    except NotFound:
        return []


async def _work(
    words: str,
    act: Callable[[Nostr, Progress], Awaitable[list[Report]]],
    access: Access,
) -> list[Report]:
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer, writing_signer

    asked = access.key is not None or access.password_fd is not None
    opening = writing_signer(access.key, access.password_fd) if asked else reading_signer()
    async with opening as signer, open_nostr(access.store, access.relays, signer) as nostr:
        with talk().status(words) as status:
            reports = await act(nostr, lambda delivery: status.update(line(delivery)))
        tell_clock(nostr.clock_off())
        return reports


def _show_all(reports: list[Report], without: str, as_json: bool) -> None:
    for report in reports:
        show_report(report, as_json)
    if not reports and not as_json:
        say(without)


def _summary(report: Report) -> str:
    """The code, and beneath it how it stands and what tells one answer from another."""
    from nostr_threads.app.publish import State
    from nostr_threads.core.delivery import Status
    from nostr_threads.render.escape import one_line

    posting = report.posting
    made = datetime.fromtimestamp(posting.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    state = report.state
    standing = f"{state}, next try {when(report.retry_at)}" if state is State.ON_ITS_WAY else state
    words = one_line(posting.events[0].content, _WORDS)
    parts = counted(len(posting.events), "part")
    stored = sum(each.status is Status.STORED for each in report.deliveries)
    there = f"{stored} of {len(report.deliveries)} stored"
    relays = ", ".join(posting.relays)
    return f"{report.code}\n  {made} · {standing} · {parts} · {there} · {relays}\n  {words}\n"
