"""The options that several commands share, each with its one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = [
    "AsJson",
    "Bytes",
    "Characters",
    "ConfigFile",
    "KeyName",
    "Marker",
    "Output",
    "PasswordFd",
    "RelayUrls",
    "StoreFile",
]

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
RelayUrls: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--relay", metavar="URL", help="Use this relay, not relays.toml. Repeatable."),
]
StoreFile: TypeAlias = Annotated[
    Path | None, typer.Option("--store", metavar="FILE", help="The local database.")
]
ConfigFile: TypeAlias = Annotated[
    Path | None, typer.Option("--relays", metavar="FILE", help="The relays.toml to use.")
]
Output: TypeAlias = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write there, not to stdout.")
]
Characters: TypeAlias = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", help="Characters in a part, marker included [2000]."),
]
Bytes: TypeAlias = Annotated[
    int | None,
    typer.Option("--limit-bytes", metavar="N", help="Bytes of a signed event's JSON."),
]
Marker: TypeAlias = Annotated[
    str, typer.Option("--marker", help="What ends each part; empty for none.")
]
KeyName: TypeAlias = Annotated[
    str | None, typer.Option("--key", metavar="NAME", help="Sign with this key of yours.")
]
PasswordFd: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--password-fd",
        metavar="N",
        help="Read the password from file descriptor N.",
        min=0,
        max=2**31 - 1,
    ),
]
