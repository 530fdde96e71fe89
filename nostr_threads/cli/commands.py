"""The command tree: every command by its name, in the order in which `--help` shows them."""

from __future__ import annotations

import typer

from nostr_threads.cli import answers, codes, demo, keys, relays, threads

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Publish long answers to Nostr without losing their tail, and fetch whole threads.",
)

app.command("demo")(demo.demo)
app.command("fetch")(threads.fetch)
app.command("show")(threads.show)
app.command("compose")(answers.compose)
app.command("publish")(answers.publish)
app.add_typer(answers.outbox, name="outbox")
app.add_typer(keys.app, name="key")
app.add_typer(relays.app, name="relay")
app.command("code")(codes.code)
