"""Connections to signers elsewhere, kept in the key folder from before the first word is said.

Knows how a session is written down, and that a link is good once: what was begun with it is gone on
with, also when its answer never came. What is said is in `signing.bunker`.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from nostr_threads.app.bunkers import connect_bunker
from nostr_threads.errors import BunkerError, SigningError
from nostr_threads.signing import private_file
from nostr_threads.signing.bunker import BunkerSession, link_mark
from nostr_threads.signing.keyfolder import KeyEntry, KeyFolder, Kind
from nostr_threads.signing.secret import secret_from_hex

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path
    from typing import Any

    from nostr_threads.core.bunker_links import BunkerLink
    from nostr_threads.signing.bunker import BunkerSigner

__all__ = ["bunker_entry", "bunker_session", "connect_as", "session_of_link"]

_MAX_FILE = 16_384


def bunker_entry(session: BunkerSession) -> KeyEntry:
    """Return what is kept in the key folder of a session with a bunker."""
    return KeyEntry(Kind.BUNKER, session.public_key, _details(session))


def bunker_session(entry: KeyEntry) -> BunkerSession:
    """Undo `bunker_entry`. Raises `SigningError` for what is damaged."""
    return _session(entry.details, entry.public_key)


def session_of_link(folder: KeyFolder, link: BunkerLink) -> tuple[str, BunkerSession] | None:
    """Return the session that a link has begun, and its name; None where there is none.

    What is damaged is not it: whoever asks for that by its name is told.
    """
    for name in folder.names():
        with suppress(SigningError):
            entry = folder.entry(name)
            if entry.kind is Kind.BUNKER and entry.details.get("link") == link_mark(link):
                return name, bunker_session(entry)
    return None


@asynccontextmanager
async def connect_as(
    folder: KeyFolder,
    name: str,
    link: BunkerLink,
    *,
    show: Callable[[str], None],
    clock: Callable[[], float],
) -> AsyncIterator[BunkerSigner]:
    """Open a link, and keep the session under `name` once the bunker has let us in.

    Raises `BunkerError`. What was begun stays in a file of its own when no answer came: the bunker
    may have let in that client, and nobody else, with this link.
    """
    folder.require_vacant(name)
    pending = folder.path / f"{link_mark(link)}.pending"

    def keep(session: BunkerSession) -> None:
        if not session.public_key:
            private_file.write(pending, json.dumps(_details(session)) + "\n", replace=True)
        elif name in folder.names():
            folder.change(name, bunker_entry(session))
        else:
            folder.put(name, bunker_entry(session))
            private_file.remove(pending)

    try:
        async with connect_bunker(
            link, begun=_begun(pending), show=show, keep=keep, clock=clock
        ) as signer:
            yield signer
    except BunkerError as error:
        if not error.is_silence and pending.exists():
            private_file.remove(pending)
        raise


def _begun(pending: Path) -> BunkerSession | None:
    if not pending.exists():
        return None
    try:
        return _session(json.loads(private_file.read(pending, _MAX_FILE)), "")
    except (ValueError, SigningError):
        # Nobody could go on with it: it is begun anew.
        private_file.remove(pending)
        return None


def _details(session: BunkerSession) -> dict[str, Any]:
    return {
        "signer": session.signer,
        "client": session.client.reveal(),
        "relays": list(session.relays),
        "link": session.link,
    }


def _session(details: Mapping[str, Any], public_key: str) -> BunkerSession:
    try:
        return BunkerSession(
            str(details["signer"]),
            secret_from_hex(details["client"]),
            tuple(map(str, details["relays"])),
            public_key,
            str(details["link"]),
        )
    except (KeyError, TypeError):
        raise SigningError("the file of a bunker is damaged: connect to it again") from None
