"""`bot`: answers that nobody has to give by hand."""

from __future__ import annotations

import typer

from nostr_threads.cli import bot_checking, bot_nursery, bot_record, bot_running

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Answers by rules: each question once, no loops.")

app.command("new")(bot_nursery.new)
app.command("check")(bot_checking.check)
app.command("run")(bot_running.run)
app.command("log")(bot_record.log)
app.command("retry")(bot_record.retry)
app.command("forget")(bot_record.forget)
