"""`compose`, `publish` and `quote`: a long answer, cut, sent, and proved to be there."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from nostr_threads.cli.errands import Errand
from nostr_threads.cli.manuscripts import extras_of, limit_of, marker_of, text_of
from nostr_threads.cli.options import (
    AsJson,
    Bytes,
    Characters,
    ConfigFile,
    ContentWarning,
    DryRun,
    Expires,
    FixEncoding,
    Identifier,
    Image,
    KeyName,
    Marker,
    MostWork,
    PasswordFd,
    Protected,
    Quorum,
    RelayUrls,
    StoreFile,
    Strict,
    Subject,
    Summary,
    TextFile,
    Title,
    Work,
)
from nostr_threads.cli.reports import show_plan
from nostr_threads.core.split import DEFAULT_MARKER

if TYPE_CHECKING:
    from nostr_threads.app.client import Nostr
    from nostr_threads.app.publish import Report
    from nostr_threads.cli.watching import Watch
    from nostr_threads.core.article import Form

__all__ = ["Warned", "compose", "publish", "quote"]

_MOST_WORK = 22


class As(StrEnum):
    """What a text is published as."""

    NOTE = "note"
    THREAD = "thread"
    ARTICLE = "article"
    AUTO = "auto"

    @property
    def form(self) -> Form | None:
        """The form, None for whichever suits."""
        from nostr_threads.core.article import Form

        return None if self is As.AUTO else Form(self.value)


FormOption = Annotated[
    As, typer.Option("--as", help="One note, a thread of parts, an article, or what suits.")
]


class Warned(TyperCommand):
    """A command whose `--content-warning` may stand without a reason."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give the option an empty reason where another option, or nothing, follows it."""
        given: list[str] = []
        for word, following in zip(args, [*args[1:], "-"], strict=True):
            given.append(word)
            if word == "--content-warning" and following.startswith("-"):
                given.append("")
        return super().parse_args(ctx, given)


def compose(
    file: TextFile,
    form: FormOption = As.THREAD,
    title: Title = "",
    summary: Summary = "",
    image: Image = "",
    identifier: Identifier = "",
    limit: Characters = None,
    limit_bytes: Bytes = None,
    marker: Marker = DEFAULT_MARKER,
    strict: Strict = False,
    fix_encoding: FixEncoding = False,
    as_json: AsJson = False,
) -> None:
    """Show the parts that FILE would become. Nothing is signed or sent, and nobody is asked.

    Example: nostr-threads compose answer.md --limit 800

    Example: nostr-threads compose answer.md --as auto --marker '({index}/{total}) {text}'
    """
    from nostr_threads.app.writing import Style
    from nostr_threads.cli.drafting import draft

    style = Style(
        form=form.form,
        title=title,
        summary=summary,
        image=image,
        identifier=identifier,
        strict=strict,
        fix_encoding=fix_encoding,
    )
    limits = limit_of(limit, limit_bytes)
    plan = draft(text_of(file), style, limits, marker_of(marker))
    show_plan(plan, {}, as_json=as_json)


def publish(
    file: TextFile,
    reply_to: Annotated[
        str | None, typer.Option("--reply-to", metavar="CODE", help="The note it answers.")
    ] = None,
    form: FormOption = As.THREAD,
    title: Title = "",
    summary: Summary = "",
    image: Image = "",
    identifier: Identifier = "",
    forum: Annotated[bool, typer.Option("--forum", help="Begin a forum thread (NIP-7D).")] = False,
    subject: Subject = "",
    content_warning: ContentWarning = None,
    expires: Expires = None,
    protected: Protected = False,
    limit: Characters = None,
    limit_bytes: Bytes = None,
    marker: Marker = DEFAULT_MARKER,
    strict: Strict = False,
    fix_encoding: FixEncoding = False,
    work: Work = 0,
    most_work: MostWork = _MOST_WORK,
    relay: RelayUrls = None,
    quorum: Quorum = None,
    dry_run: DryRun = False,
    key: KeyName = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Split FILE, sign all parts, keep them, send them in order, and read them back.

    Exit codes: 0 every part was read back from every relay of yours; 3 the quorum is met, but not
    every one has proved to have every part; 5 fewer than the quorum; 4 no relay reachable; 1
    nothing accepted. What may still arrive stays in the outbox.

    Example: nostr-threads publish answer.md --reply-to nevent1… --quorum 2

    Example: nostr-threads publish essay.md --as article --title 'On threads' --d on-threads
    """
    from nostr_threads.app.writing import Style

    style = Style(
        form.form,
        title,
        summary,
        image,
        identifier,
        forum,
        extras_of(subject, content_warning, expires, protected=protected),
        work,
        max(work, most_work),
        strict,
        fix_encoding,
    )
    text, limits = text_of(file), limit_of(limit, limit_bytes)
    errand = Errand(tuple(relay or ()), key, password_fd, as_json, dry_run, store, relays)

    async def act(nostr: Nostr, watch: Watch) -> Report:
        return await nostr.publish(
            text,
            reply_to=reply_to,
            relays=errand.relay,
            quorum=quorum,
            limit=limits,
            marker=marker_of(marker),
            style=style,
            planned=watch.planned,
            mining=watch.mining,
            progress=watch.progress,
        )

    errand.run(act)


def quote(
    code: Annotated[str, typer.Argument(metavar="CODE", help="What is quoted.")],
    file: TextFile,
    subject: Subject = "",
    content_warning: ContentWarning = None,
    expires: Expires = None,
    protected: Protected = False,
    limit: Characters = None,
    limit_bytes: Bytes = None,
    marker: Marker = DEFAULT_MARKER,
    strict: Strict = False,
    fix_encoding: FixEncoding = False,
    work: Work = 0,
    most_work: MostWork = _MOST_WORK,
    relay: RelayUrls = None,
    quorum: Quorum = None,
    dry_run: DryRun = False,
    key: KeyName = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Publish FILE with a quotation of CODE below it (NIP-18). Exit codes as with `publish`.

    Example: nostr-threads quote nevent1… comment.md
    """
    from nostr_threads.app.writing import Style

    style = Style(
        extras=extras_of(subject, content_warning, expires, protected=protected),
        work=work,
        most_work=max(work, most_work),
        strict=strict,
        fix_encoding=fix_encoding,
    )
    text, limits = text_of(file), limit_of(limit, limit_bytes)
    errand = Errand(tuple(relay or ()), key, password_fd, as_json, dry_run, store, relays)

    async def act(nostr: Nostr, watch: Watch) -> Report:
        return await nostr.quote(
            code,
            text,
            relays=errand.relay,
            quorum=quorum,
            limit=limits,
            marker=marker_of(marker),
            style=style,
            planned=watch.planned,
            mining=watch.mining,
            progress=watch.progress,
        )

    errand.run(act)
