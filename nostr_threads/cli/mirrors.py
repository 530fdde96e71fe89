"""`mirror`: events in great numbers, between the store, files and relays."""

from __future__ import annotations

import typer

from nostr_threads.cli import archives, fleets, running, sources, upkeep

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Sources kept whole and up to date in the store, and the store as a whole.",
)

app.command("add")(sources.add)
app.command("list")(sources.list_sources)
app.command("remove")(sources.remove)
app.command("run")(running.run)
app.command("status")(sources.status)
app.command("push")(running.push)
app.command("worker")(fleets.worker)

app.command("import")(archives.import_)
app.command("export")(archives.export)
app.command("verify")(upkeep.verify)
app.command("stats")(upkeep.stats)
app.command("purge")(upkeep.purge)
app.command("salvage")(archives.salvage)
app.command("vacuum")(upkeep.vacuum)
