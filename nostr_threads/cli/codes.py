"""`code`: what a NIP-19 code says, and the same thing as another code."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json
from nostr_threads.cli.options import AsJson
from nostr_threads.errors import InvalidCode

if TYPE_CHECKING:
    from nostr_threads.core.nip19 import Entity

__all__ = ["Prefix", "code"]

# More than any code may hold.
_WIDTH = 5_000


_REFUSAL = "this is a secret key; it was not used and should not be pasted here"


class Prefix(StrEnum):
    """What a code can be written as."""

    NPUB = "npub"
    NPROFILE = "nprofile"
    NOTE = "note"
    NEVENT = "nevent"
    NADDR = "naddr"


def code(
    given: Annotated[
        str,
        typer.Argument(
            metavar="CODE", help="A code, a link to one, name@domain, or (with --to) hex."
        ),
    ],
    to: Annotated[Prefix | None, typer.Option("--to", help="Write it as this.")] = None,
    relay: Annotated[
        list[str] | None, typer.Option("--relay", metavar="URL", help="Add a relay hint.")
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", metavar="KEY", help="Add the author (npub or hex).")
    ] = None,
    kind: Annotated[int | None, typer.Option("--kind", help="Add the kind.", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Say what CODE names, or write it as another code.

    Example: nostr-threads code HEX --to nevent --relay wss://nos.lol
    """
    if to is None:
        _describe(_decoded(given), as_json)
        return
    written = _rewritten(given, to, relay or [], author, kind)
    if as_json:
        emit_json({"code": written})
    else:
        emit(written + "\n")


def _decoded(given: str) -> Entity:
    from nostr_threads.core import nip19

    if "nsec1" in given.lower():
        raise InvalidCode(_REFUSAL)
    if (name := nip19.nip05_parts(given)) is not None and "@" in given:
        return asyncio.run(_looked_up(*name))
    if len(given) == 64 and not given.strip("0123456789abcdefABCDEF"):
        raise InvalidCode("hex may be an id or a key: say which with --to note, nevent or npub")
    try:
        return nip19.decode(given)
    except InvalidCode:
        if given.strip().lower().startswith(("http:", "https:")):
            try:
                return nip19.parse_event(given)
            except InvalidCode:
                return nip19.parse_pubkey(given)
        raise


async def _looked_up(name: str, domain: str) -> Entity:
    from nostr_threads.net.names import resolve

    return await resolve(name, domain)


def _describe(entity: Entity, as_json: bool) -> None:
    from nostr_threads.render.escape import one_line

    fields = _fields(entity)
    if as_json:
        emit_json(fields)
        return
    for name, value in fields.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        if shown not in (None, ""):
            emit(f"{name}: {one_line(str(shown), _WIDTH)}\n")


def _fields(entity: Entity) -> dict[str, object]:
    from nostr_threads.core import nip19

    match entity:
        case nip19.PublicKey():
            return {"type": "npub", "public_key": entity.hex}
        case nip19.Profile():
            relays = list(entity.relays)
            return {"type": "nprofile", "public_key": entity.pubkey, "relays": relays}
        case nip19.Note():
            return {"type": "note", "id": entity.id}
        case nip19.EventPointer():
            return {
                "type": "nevent",
                "id": entity.id,
                "author": entity.author,
                "kind": entity.kind,
                "relays": list(entity.relays),
            }
        case nip19.Address():
            return {
                "type": "naddr",
                "kind": entity.kind,
                "author": entity.pubkey,
                "identifier": entity.identifier,
                "relays": list(entity.relays),
            }
    raise InvalidCode("this is a secret key; it was not used and should not be pasted here")


def _rewritten(
    given: str, to: Prefix, relay: list[str], author: str | None, kind: int | None
) -> str:
    from nostr_threads.core import nip19
    from nostr_threads.core.relay_url import normalize

    relays = tuple(normalize(url) for url in relay)
    if to in (Prefix.NPUB, Prefix.NPROFILE):
        profile = nip19.parse_pubkey(given)
        if to is Prefix.NPUB:
            return nip19.encode(nip19.PublicKey(profile.pubkey))
        return nip19.encode(nip19.Profile(profile.pubkey, (*profile.relays, *relays)))
    event = nip19.parse_event(given)
    if isinstance(event, nip19.Address) or to is Prefix.NADDR:
        if not isinstance(event, nip19.Address) or to is not Prefix.NADDR:
            raise InvalidCode(
                "an naddr names an address, a note or nevent an id: one is not the other"
            )
        hints = (*event.relays, *relays)
        return nip19.encode(nip19.Address(event.kind, event.pubkey, event.identifier, hints))
    if to is Prefix.NOTE:
        return nip19.encode(nip19.Note(event.id))
    writer = nip19.parse_pubkey(author).pubkey if author is not None else event.author
    return nip19.encode(
        nip19.EventPointer(
            event.id, (*event.relays, *relays), writer, event.kind if kind is None else kind
        )
    )
