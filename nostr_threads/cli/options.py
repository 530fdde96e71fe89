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
    "ContentWarning",
    "DryRun",
    "Expires",
    "FixEncoding",
    "Identifier",
    "Image",
    "KeyName",
    "Marker",
    "MostWork",
    "Output",
    "PasswordFd",
    "Protected",
    "Quorum",
    "RelayUrls",
    "StoreFile",
    "Strict",
    "Subject",
    "Summary",
    "TextFile",
    "Title",
    "Work",
]

TextFile: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="The text, UTF-8 or UTF-16 with its mark; - for stdin."),
]

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]
RelayUrls: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--relay", metavar="URL", help="Use this relay, not relays.toml. Repeatable."),
]
StoreFile: TypeAlias = Annotated[
    str | None,
    typer.Option("--store", metavar="FILE", help="The database, or its postgresql:// URL."),
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
    str,
    typer.Option(
        "--marker",
        metavar="TEMPLATE",
        help="What numbers each part: after its text, or around {text}; \\n is a line break, "
        "empty for none.",
    ),
]
Title: TypeAlias = Annotated[str, typer.Option("--title", help="An article's title.")]
Summary: TypeAlias = Annotated[str, typer.Option("--summary", help="An article's summary.")]
Image: TypeAlias = Annotated[
    str, typer.Option("--image", metavar="URL", help="An article's picture.")
]
Identifier: TypeAlias = Annotated[
    str,
    typer.Option("--d", metavar="NAME", help="An article's d tag: the same again replaces it."),
]
Strict: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Refuse a text that seems unfinished or garbled.")
]
FixEncoding: TypeAlias = Annotated[
    bool, typer.Option("--fix-encoding", help="Mend what was once read in a wrong code page.")
]
Subject: TypeAlias = Annotated[
    str, typer.Option("--subject", help="What it is about (NIP-14), or a forum thread's title.")
]
ContentWarning: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--content-warning",
        metavar="[REASON]",
        help="Readers are asked before they see it (NIP-36).",
    ),
]
Expires: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="WHEN",
        help="When relays may drop it (NIP-40): 7d, 12h, 2026-12-31, 2026-12-31T10:00Z or unix "
        "seconds.",
    ),
]
Protected: TypeAlias = Annotated[
    bool, typer.Option("--protected", help="Relays take it from its author alone (NIP-70).")
]
Work: TypeAlias = Annotated[
    int,
    typer.Option("--pow", metavar="BITS", min=0, max=256, help="Do proof of work (NIP-13)."),
]
MostWork: TypeAlias = Annotated[
    int,
    typer.Option(
        "--most-pow", metavar="BITS", min=0, max=256, help="The most that is done for a relay."
    ),
]
Quorum: TypeAlias = Annotated[
    int | None,
    typer.Option("--quorum", metavar="N", help="Own relays that must take every part [1]."),
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Show what it would be; sign and send nothing.")
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
