"""`mirror`: events in great numbers, between the store, files and relays."""

from __future__ import annotations

import typer

from nostr_threads.cli import archives

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The store as a whole: filled from files, exported.")

app.command("import")(archives.import_)
app.command("export")(archives.export)
