"""What reaches the terminal, and how: data plain on stdout, talk and tables on stderr.

Knows streams and formats. Text from a relay comes here escaped or as JSON.
"""

from __future__ import annotations

import json
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nostr_threads.errors import InvalidInput
from nostr_threads.render.escape import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.progress import Progress

__all__ = [
    "bars",
    "complain",
    "emit",
    "emit_json",
    "json_line",
    "on_terminal",
    "read_input",
    "say",
    "speak_utf8",
    "table",
    "talk",
]


_CELL = 300
# Bytes: no answer is so long, and some inputs never end.
_MOST_INPUT = 64 * 2**20


def speak_utf8() -> None:
    """Write UTF-8 wherever the streams lead: JSON and notes cannot be said in every locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Tell a person something that is not the result."""
    typer.echo(printable(text), err=True)


def complain(text: str) -> None:
    """Tell a person what went wrong, in one sentence on one line."""
    typer.echo(f"error: {printable(text).replace(chr(10), ' ')}", err=True)


def emit(text: str, output: Path | None = None) -> None:
    """Write the result to stdout, or to `output` ("-" is stdout)."""
    if output is None or str(output) == "-":
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot write {output}: {error.strerror or error}") from None


def json_line(value: object) -> str:
    """Return one line of JSON; on a terminal as ASCII, since nothing else in it is escaped."""
    text = json.dumps(value, ensure_ascii=on_terminal(), separators=(",", ":"))
    return text + "\n"


def on_terminal() -> bool:
    """Whether a person may be looking at stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def emit_json(value: object, output: Path | None = None) -> None:
    """Write one object as one line."""
    emit(json_line(value), output)


def read_input(path: Path) -> bytes:
    """Read a file, or stdin for "-". Raises `InvalidInput`, also for more than 64 MiB."""
    if str(path) == "-":
        if sys.stdin is None:
            raise InvalidInput("stdin is closed")
        data, name = sys.stdin.buffer.read(_MOST_INPUT + 1), "stdin"
    else:
        try:
            with path.open("rb") as file:
                data, name = file.read(_MOST_INPUT + 1), str(path)
        except OSError as error:
            raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from None
    if len(data) > _MOST_INPUT:
        raise InvalidInput(f"{name} holds more than {_MOST_INPUT >> 20} MiB, or has no end")
    return data


def talk() -> Console:
    """Return the console for people: stderr, colour and progress only on a terminal."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, whole: int = 0
) -> None:
    """Show a table to a person; every cell is plain text. The first `whole` columns are not cut."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        title=title or None,
        title_justify="left",
        box=None,
        pad_edge=False,
        show_header=bool(columns),
    )
    for place, column in enumerate(columns):
        if place < whole:
            grid.add_column(column, no_wrap=True, overflow="fold", min_width=len(column))
        else:
            grid.add_column(column)
    for row in rows:
        grid.add_row(*(Text(one_line(str(cell), _CELL)) for cell in row))
    talk().print(grid)


def bars() -> Progress:
    """Return bars on stderr, each with `words` behind it: on a terminal, and gone at the end."""
    from rich.progress import BarColumn, Progress, TextColumn

    console = talk()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[words]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
