"""`key clients`: to whom a key is lent, and what ends it.

Knows what is shown. How clients are let in and answered is `cli.bunkers`' and `app.desk`'s.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.consent import named, npub_of
from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.elsewhere import public_key
from nostr_threads.cli.options import AsJson, PasswordFd
from nostr_threads.cli.secrets import key_folder, kind_of, writing_signer
from nostr_threads.errors import NoSigner, NotFound, SigningError

if TYPE_CHECKING:
    from collections.abc import Container

    from nostr_threads.signing import Kind
    from nostr_threads.signing.book import Client

__all__ = ["Lent", "clients", "require_lendable", "stop_lending"]

Lent = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The key that is lent; default: in use.")
]


def clients(
    name: Lent = None,
    forget: Annotated[
        str | None,
        typer.Option("--forget", metavar="NPUB", help="Allow this one nothing any more."),
    ] = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
) -> None:
    """List who may sign with a key of yours elsewhere, and what each may do.

    What was done stands in the log that `key bunker` names.

    Example: nostr-threads key clients work --forget npub1…
    """
    asyncio.run(_clients(name, forget, password_fd, as_json))


def stop_lending(key: str) -> None:
    """Forget the clients of a key that is no more on this machine, under any name."""
    from nostr_threads.app.desk import close_desk

    folder = key_folder()
    for name in folder.names():
        with suppress(SigningError):
            if folder.public_key(name) == key:
                return
    log = close_desk(os.environ, key)
    if log is not None:
        say(f"what was signed for others with it is still logged in {log}")


def require_lendable(kind: Kind | None) -> None:
    """Raise `NoSigner` for a key that cannot do what lending takes; say what may be missing."""
    from nostr_threads.signing import Kind

    if kind is Kind.COMMAND:
        raise NoSigner(
            "a key with which a program signs cannot be lent: a program does not encrypt, and who "
            "may sign is kept encrypted with the key"
        )
    if kind is Kind.NOWHERE:
        raise NoSigner("only the public half of this key is here, and that cannot be lent")
    if kind is Kind.BUNKER:
        say("this key is lent to you: whatever is asked of you is asked of its bunker in turn")


async def _clients(
    name: str | None, forget: str | None, password_fd: int | None, as_json: bool
) -> None:
    from nostr_threads.app.desk import Desk

    require_lendable(kind_of(name))
    async with writing_signer(name, password_fd) as signer:
        desk = Desk(signer, os.environ)
        book = await desk.book()
        if not book.relays:
            raise NotFound("this key was never lent: see `nostr-threads key bunker`")
        if forget is not None:
            await desk.forget(_key_of(forget, book.clients))
            book = await desk.book()
            say("nothing is done for it any more, also not by a bunker that runs")
        for client in book.clients.values():
            _show(client, as_json=as_json)
        if not book.clients and not as_json:
            say("nobody may sign with this key elsewhere")
        if book.invitations and not as_json:
            say("there is a link that nobody has used yet")


def _key_of(text: str, known: Container[str]) -> str:
    key = public_key(text)
    if key not in known:
        raise NotFound("no such client may sign with this key")
    return key


def _show(client: Client, *, as_json: bool) -> None:
    policy, npub = client.policy, npub_of(client.key)
    kinds = None if policy.kinds is None else sorted(policy.kinds)
    if as_json:
        rules = asdict(policy) | {"kinds": kinds}
        emit_json({"npub": npub, "name": client.name, "since": client.since, "policy": rules})
        return
    signs = "all kinds" if kinds is None else f"kinds {', '.join(map(str, kinds)) or 'none'}"
    more = "".join(
        (
            ", encrypts" if policy.encryption else "",
            ", asks about all else" if policy.ask else "",
            "" if policy.until is None else f", until {_date(policy.until)}",
        )
    )
    words = f"{signs}, {policy.per_minute} a minute{more}, since {_date(client.since)}"
    emit(f"{npub}  {named(client)}  {words}\n")


def _date(moment_: int) -> str:
    return datetime.fromtimestamp(moment_, UTC).strftime("%Y-%m-%d %H:%M")
