"""The command tree: every command by its name, in the order in which `--help` shows them."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from nostr_threads.cli import (
    answers,
    bots,
    codes,
    demo,
    hosting,
    keys,
    listing,
    mirrors,
    news,
    outbox,
    pages,
    relays,
    searching,
    threads,
    verbs,
    viewing,
)
from nostr_threads.cli.console import emit
from nostr_threads.cli.discretion import Discreet

__all__ = ["app"]

app = typer.Typer(
    cls=Discreet,
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True)
    ] = False,
) -> None:
    """Publish long answers to Nostr without losing their tail, and fetch whole threads."""
    if version:
        from importlib.metadata import version as installed

        emit(f"nostr-threads {installed('nostr-threads')}\n")
        raise typer.Exit


app.command("demo")(demo.demo)
app.command("fetch")(threads.fetch)
app.command("show")(threads.show)
app.command("list")(listing.list_stored)
app.command("new")(news.new)
app.command("search")(searching.search)
app.command("verify")(pages.verify)
app.command("compose")(answers.compose)
app.command("publish", cls=answers.Warned)(answers.publish)
app.command("quote", cls=answers.Warned)(answers.quote)
app.command("react")(verbs.react)
app.command("repost")(verbs.repost)
app.command("delete")(verbs.delete)
app.add_typer(outbox.app, name="outbox")
app.add_typer(keys.app, name="key")
app.add_typer(relays.app, name="relay")
app.add_typer(mirrors.app, name="mirror")
app.add_typer(bots.app, name="bot")
app.command("serve")(viewing.serve)
app.command("mcp")(hosting.mcp)
app.command("code")(codes.code)


def _flow(commands: typer.Typer) -> None:
    """Let the paragraphs of every help be as wide as the terminal, not as their source is."""
    for command in commands.registered_commands:
        text = inspect.getdoc(command.callback) or ""
        command.help = "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))
    for group in commands.registered_groups:
        if group.typer_instance is not None:
            _flow(group.typer_instance)


_flow(app)
