"""`compose` and `publish`: a long answer, cut, sent, and proved to be there."""

from __future__ import annotations

import asyncio
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, read_input, say, talk
from nostr_threads.cli.options import (
    AsJson,
    Bytes,
    Characters,
    ConfigFile,
    KeyName,
    Marker,
    PasswordFd,
    RelayUrls,
    StoreFile,
)
from nostr_threads.cli.reports import counted, exit_code, line, show_report
from nostr_threads.core.split import DEFAULT_MARKER
from nostr_threads.errors import InvalidText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.app.publish import Report
    from nostr_threads.core.event import Draft
    from nostr_threads.core.routing import Choice
    from nostr_threads.core.split import Limit, Part

__all__ = ["compose", "publish"]

_NOBODY = "0" * 64

File = Annotated[Path, typer.Argument(metavar="FILE", help="The answer, UTF-8; - for stdin.")]


def compose(
    file: File,
    limit: Characters = None,
    limit_bytes: Bytes = None,
    marker: Marker = DEFAULT_MARKER,
    as_json: AsJson = False,
) -> None:
    """Show the parts that FILE would become. Nothing is signed or sent.

    Example: nostr-threads compose answer.md --limit 800
    """
    from nostr_threads.core.compose import compose as draft_all
    from nostr_threads.core.compose import split_for

    parts = split_for(_text(file), _limit(limit, limit_bytes), author=_NOBODY, marker=marker)
    _show_parts(parts, draft_all(parts, author=_NOBODY, created_at=2_000_000_000), as_json)


def publish(
    file: File,
    reply_to: Annotated[
        str | None, typer.Option("--reply-to", metavar="CODE", help="The note it answers.")
    ] = None,
    limit: Characters = None,
    limit_bytes: Bytes = None,
    marker: Marker = DEFAULT_MARKER,
    relay: RelayUrls = None,
    quorum: Annotated[
        int | None,
        typer.Option("--quorum", metavar="N", help="Relays that must take every part [1]."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the parts; sign and send nothing.")
    ] = False,
    key: KeyName = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Split FILE, sign all parts, keep them, send them in order, and read them back.

    Exit codes: 0 every part was read back from every relay; 3 the quorum is met, but not every
    relay has proved to have every part; 5 fewer than the quorum; 4 no relay reachable; 1 nothing
    accepted. What may still arrive stays in the outbox.

    Example: nostr-threads publish answer.md --reply-to nevent1… --quorum 2
    """
    text, limits = _text(file), _limit(limit, limit_bytes)
    job = _Job(text, reply_to, tuple(relay or ()), limits, marker, store, relays)
    if dry_run:
        _show_parts(*asyncio.run(job.draft(_author(key))), as_json)
        return
    report = asyncio.run(job.publish(quorum, key, password_fd))
    show_report(report, as_json)
    raise typer.Exit(exit_code(report))


class _Job:
    """One answer and everything that was said about it on the command line."""

    def __init__(
        self,
        text: str,
        reply_to: str | None,
        relay: tuple[str, ...],
        limit: Limit,
        marker: str,
        store: Path | None,
        relays: Path | None,
    ) -> None:
        self._text = text
        self._reply_to = reply_to
        self._relay = relay
        self._limit = limit
        self._marker = marker
        self._store = store
        self._relays = relays

    async def draft(self, author: str) -> tuple[Sequence[Part], Sequence[Draft]]:
        from nostr_threads.app.client import open as open_nostr

        async with open_nostr(self._store, self._relays) as nostr:
            return await nostr.draft(
                self._text,
                author=author,
                reply_to=self._reply_to,
                relays=self._relay,
                limit=self._limit,
                marker=self._marker,
            )

    async def publish(self, quorum: int | None, key: str | None, password_fd: int | None) -> Report:
        from nostr_threads.app.client import open as open_nostr
        from nostr_threads.cli.secrets import writing_signer

        signer = writing_signer(key, password_fd)
        async with open_nostr(self._store, self._relays, signer) as nostr:
            with talk().status("publishing …") as status:
                return await nostr.publish(
                    self._text,
                    reply_to=self._reply_to,
                    relays=self._relay,
                    quorum=quorum,
                    limit=self._limit,
                    marker=self._marker,
                    routed=_tell_routes,
                    progress=lambda delivery: status.update(line(delivery)),
                )


def _tell_routes(choices: Sequence[Choice]) -> None:
    """Say why each relay is written to that the user has not chosen."""
    for choice in choices:
        if not choice.is_by_hand:
            say(f"also to {choice.relay}: {choice.words}")


def _text(file: Path) -> str:
    """Decode the answer; a byte order mark is no part of it."""
    data = read_input(file)
    mark = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    name = "stdin" if str(file) == "-" else str(file)
    try:
        text = data[mark:].decode()
    except UnicodeDecodeError as error:
        place = mark + error.start
        line = data[:place].count(b"\n") + 1
        raise InvalidText(
            f"{name}:{line}: byte {place} is not UTF-8; save the file as UTF-8"
        ) from None
    if not text.strip():
        raise InvalidText(f"{name}: there is no text in it")
    return text


def _limit(characters: int | None, size: int | None) -> Limit:
    from nostr_threads.app.client import DEFAULT_LIMIT
    from nostr_threads.core.split import Limit

    return DEFAULT_LIMIT if characters is None and size is None else Limit(characters, size)


def _author(key: str | None) -> str:
    """Who would sign, as far as that can be said without a password."""
    from nostr_threads.cli.secrets import key_folder, reading_signer

    if key is None and (signer := reading_signer()) is not None:
        return signer.public_key
    folder = key_folder()
    chosen = key or folder.current()
    return folder.public_key(chosen) if chosen is not None else _NOBODY


def _show_parts(parts: Sequence[Part], drafts: Sequence[Draft], as_json: bool) -> None:
    from nostr_threads.render.contracts import part_objects
    from nostr_threads.render.escape import printable

    for found in part_objects(parts, drafts):
        if as_json:
            emit_json(found)
        else:
            size = f"{found['characters']} characters, {found['bytes']} bytes as an event"
            emit(f"── part {found['index']} of {found['total']} · {size}\n")
            emit(printable(str(found["text"])) + "\n\n")
    if not as_json:
        say(f"{counted(len(parts), 'part')}; nothing was signed or sent")
