"""`delete`, `react` and `repost`: the small things, sent and proved as an answer is."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nostr_threads.cli.errands import Errand
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.reports import counted

__all__ = ["delete", "react", "repost"]

Code = Annotated[
    str, typer.Argument(metavar="CODE", help="note, nevent, naddr or hex id, or a link to one.")
]


@grouped
def delete(
    codes: Annotated[
        list[str],
        typer.Argument(
            metavar="CODE…", help="What is yours; of an answer in the outbox all its parts."
        ),
    ],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for all to read.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    errand: Errand,
) -> None:
    """Ask relays to delete what you have published (NIP-09), wherever it was seen or sent.

    Copies may stay somewhere: nobody can make a relay forget. On a terminal it asks first. Exit
    codes as with `publish`.

    Example: nostr-threads delete nevent1… --reason 'wrong numbers'

    Example: nostr-threads outbox delete nevent1…
    """
    if not (yes or errand.dry_run) and sys.stdin is not None and sys.stdin.isatty():
        what = "this" if len(codes) == 1 else f"these {counted(len(codes), 'thing')}"
        typer.confirm(f"Ask relays to delete {what}? Copies may stay", abort=True, err=True)
    errand.run(
        lambda nostr, watch: nostr.delete(
            *codes,
            reason=reason,
            relays=errand.named,
            planned=watch.planned,
            progress=watch.progress,
        )
    )


@grouped
def react(
    code: Code,
    content: Annotated[
        str, typer.Argument(metavar="[CONTENT]", help="+, -, one emoji or :shortcode:.")
    ] = "+",
    image: Annotated[
        str, typer.Option("--image", metavar="URL", help="The picture of a :shortcode: (NIP-30).")
    ] = "",
    *,
    errand: Errand,
) -> None:
    """React to CODE (NIP-25): like it, or say it with an emoji. Exit codes as with `publish`.

    Example: nostr-threads react nevent1… 🧡

    Example: nostr-threads react nevent1… :soapbox: --image https://example.com/soapbox.png
    """
    errand.run(
        lambda nostr, watch: nostr.react(
            code,
            content,
            image=image,
            relays=errand.named,
            planned=watch.planned,
            progress=watch.progress,
        )
    )


@grouped
def repost(code: Code, errand: Errand) -> None:
    """Show CODE to those who read you (NIP-18). Exit codes as with `publish`.

    Example: nostr-threads repost nevent1…
    """
    errand.run(
        lambda nostr, watch: nostr.repost(
            code, relays=errand.named, planned=watch.planned, progress=watch.progress
        )
    )
