"""`compose`, `publish` and `quote`: a long answer, cut, sent, and proved to be there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from nostr_threads.cli.errands import Errand
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.manuscripts import extras_of, limit_of, marker_of, text_of
from nostr_threads.cli.options import (
    AsJson,
    Bytes,
    Characters,
    ContentWarning,
    Expires,
    FixEncoding,
    Identifier,
    Image,
    Marker,
    MostWork,
    Protected,
    Quorum,
    Strict,
    Subject,
    Summary,
    TextFile,
    Title,
    Work,
)
from nostr_threads.cli.reports import show_plan
from nostr_threads.core.pow import MOST_ASKED
from nostr_threads.core.split import DEFAULT_MARKER

if TYPE_CHECKING:
    from nostr_threads.app.writing import Style
    from nostr_threads.core.article import Form
    from nostr_threads.core.compose import Extras
    from nostr_threads.core.split import Limit

__all__ = ["Warned", "compose", "publish", "quote"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a text becomes, and what an article is called."""

    form: FormOption = As.THREAD
    title: Title = ""
    summary: Summary = ""
    image: Image = ""
    identifier: Identifier = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a text is cut, and what is done about its faults."""

    limit: Characters = None
    limit_bytes: Bytes = None
    marker: Marker = DEFAULT_MARKER
    strict: Strict = False
    fix_encoding: FixEncoding = False

    @property
    def part(self) -> Limit:
        """The limit of a part."""
        return limit_of(self.limit, self.limit_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said and done besides when a text is published."""

    subject: Subject = ""
    content_warning: ContentWarning = None
    expires: Expires = None
    protected: Protected = False
    work: Work = 0
    most_work: MostWork = MOST_ASKED
    quorum: Quorum = None

    @property
    def extras(self) -> Extras:
        """What its tags say."""
        return extras_of(self.subject, self.content_warning, self.expires, protected=self.protected)


@grouped
def compose(file: TextFile, shape: Shape, cut: Cut, as_json: AsJson = False) -> None:
    """Show the parts that FILE would become. Nothing is signed or sent, and nobody is asked.

    Example: nostr-threads compose answer.md --limit 800

    Example: nostr-threads compose answer.md --as auto --marker '({index}/{total}) {text}'
    """
    from nostr_threads.app.drafting import draft

    plan = draft(text_of(file), _style(shape, cut), cut.part, marker_of(cut.marker))
    show_plan(plan, {}, as_json=as_json)


@grouped
def publish(
    file: TextFile,
    *,
    reply_to: Annotated[
        str | None, typer.Option("--reply-to", metavar="CODE", help="The note it answers.")
    ] = None,
    shape: Shape,
    forum: Annotated[bool, typer.Option("--forum", help="Begin a forum thread (NIP-7D).")] = False,
    said: Said,
    cut: Cut,
    errand: Errand,
) -> None:
    """Split FILE, sign all parts, keep them, send them in order, and read them back.

    Exit codes: 0 every part was read back from every relay of yours; 3 the quorum is met, but not
    every one has proved to have every part; 5 fewer than the quorum; 4 no relay reachable; 1
    nothing accepted. What may still arrive stays in the outbox.

    Example: nostr-threads publish answer.md --reply-to nevent1… --quorum 2

    Example: nostr-threads publish essay.md --as article --title 'On threads' --d on-threads
    """
    style = _style(shape, cut, said, forum=forum)
    _send(file, style, said, cut, errand, reply_to=reply_to)


@grouped
def quote(
    code: Annotated[str, typer.Argument(metavar="CODE", help="What is quoted.")],
    file: TextFile,
    said: Said,
    cut: Cut,
    errand: Errand,
) -> None:
    """Publish FILE with a quotation of CODE below it (NIP-18). Exit codes as with `publish`.

    Example: nostr-threads quote nevent1… comment.md
    """
    _send(file, _style(Shape(), cut, said), said, cut, errand, quoting=code)


def _style(shape: Shape, cut: Cut, said: Said | None = None, *, forum: bool = False) -> Style:
    from nostr_threads.app.writing import Style

    said = said or Said()
    return Style(
        form=shape.form.form,
        title=shape.title,
        summary=shape.summary,
        image=shape.image,
        identifier=shape.identifier,
        forum=forum,
        extras=said.extras,
        work=said.work,
        most_work=max(said.work, said.most_work),
        strict=cut.strict,
        fix_encoding=cut.fix_encoding,
    )


def _send(
    file: Path,
    style: Style,
    said: Said,
    cut: Cut,
    errand: Errand,
    *,
    reply_to: str | None = None,
    quoting: str | None = None,
) -> None:
    text, limit, marker = text_of(file), cut.part, marker_of(cut.marker)
    errand.run(
        lambda nostr, watch: nostr.publish(
            text,
            reply_to=reply_to,
            quoting=quoting,
            relays=errand.named,
            quorum=said.quorum,
            limit=limit,
            marker=marker,
            style=style,
            planned=watch.planned,
            mining=watch.mining,
            progress=watch.progress,
        )
    )
