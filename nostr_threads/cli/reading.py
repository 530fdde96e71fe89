"""How commands show a thread to a person: names, times, width, and what is folded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from nostr_threads.cli.console import on_terminal, talk

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.app.fetch import Found
    from nostr_threads.render.setting import Setting

__all__ = ["Unfolded", "setting_of"]

Unfolded: TypeAlias = Annotated[bool, typer.Option("--all", help="Fold nothing: show every reply.")]


def setting_of(found: Found, fold: int | None, output: Path | None = None) -> Setting:
    """Return what a thread is shown with; only a terminal has a width."""
    from nostr_threads.render.setting import Setting

    around = found.surroundings
    return Setting(
        around.shown_names,
        around.tallies,
        around.quoted,
        now=int(time.time()),
        width=talk().width if on_terminal() and output is None else None,
        fold=fold,
        kept=around.kept,
    )
