"""`key bunker` and `key clients`: lending a key to other machines, each within its policy.

Knows the terminal: what is shown and asked there. How clients are answered is `app.desk`'s.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.consent import Terminal, has_terminal, named, npub_of
from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.options import AsJson, PasswordFd
from nostr_threads.cli.rules import Rules
from nostr_threads.cli.secrets import ask_secret, key_folder, writing_signer
from nostr_threads.errors import InvalidInput, NotFound, SigningError
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from nostr_threads.core.bunker_links import BunkerLink, ClientLink
    from nostr_threads.signing.book import Book, Client
    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.remote_signer import Deed

__all__ = ["bunker", "clients", "stop_lending"]

_LONGEST_WORDS = 160

Lent = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The key that is lent; default: in use.")
]


@grouped
def bunker(
    name: Lent = None,
    *,
    relay: Annotated[
        list[str] | None,
        typer.Option("--relay", metavar="URL", help="Where clients find it; default: as before."),
    ] = None,
    invite: Annotated[
        bool, typer.Option("--invite", help="Show a link for one more client; the first has one.")
    ] = False,
    connect: Annotated[
        bool,
        typer.Option("--connect", help="Open a client's nostrconnect:// link: it is asked for."),
    ] = False,
    rules: Rules,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
) -> None:
    """Lend a key to programs elsewhere, which never see it (NIP-46). Runs until Ctrl-C.

    The first line is a bunker:// link that lets in one client within these rules; it holds a
    secret. Then comes a line for whatever was asked. Clients that were let in before keep the rules
    they have.

    Example: nostr-threads key bunker work --relay wss://relay.example --kinds 1,1111 --until 30d
    """
    if rules.ask and not has_terminal():
        raise InvalidInput("there is nobody to ask: leave out --ask, or run it on a terminal")
    policy = rules.policy(int(time.time()))
    link = _client_link() if connect else None
    asyncio.run(_serve(name, tuple(relay or ()), invite, link, policy, password_fd, as_json))


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


def stop_lending(public_key: str) -> None:
    """Forget the clients of a key that is no more on this machine, under any name."""
    from nostr_threads.app.desk import close_desk

    folder = key_folder()
    for name in folder.names():
        with suppress(SigningError):
            if folder.public_key(name) == public_key:
                return
    log = close_desk(os.environ, public_key)
    if log is not None:
        say(f"what was signed for others with it is still logged in {log}")


async def _serve(
    name: str | None,
    relays: tuple[str, ...],
    invite: bool,
    link: ClientLink | None,
    policy: Policy,
    password_fd: int | None,
    as_json: bool,
) -> None:
    from nostr_threads.app.desk import Desk
    from nostr_threads.core.relay_url import normalize

    urls = tuple(dict.fromkeys(map(normalize, relays)))
    async with writing_signer(name, password_fd) as signer:
        desk = Desk(signer, os.environ)
        with desk.alone() as is_alone:
            if not is_alone:
                _require_only_invite(invite, urls, link)
                _show_link(await desk.invite(policy), as_json=as_json)
                return
            await desk.begin(urls)
            book = await desk.book()
            if link is None and (invite or not book.clients):
                _show_link(await desk.invite(policy), as_json=as_json)
            _say_what_is_served(signer.public_key, book, desk.log)
            with Terminal() as terminal:
                await desk.serve(
                    ask=terminal.ask,
                    told=lambda deed: _tell(deed, as_json=as_json),
                    welcome=None if link is None else (link, policy),
                )


def _require_only_invite(invite: bool, relays: tuple[str, ...], link: ClientLink | None) -> None:
    """Beside a bunker that runs a link can be made for it, and nothing else be done."""
    if relays or link is not None or not invite:
        raise SigningError(
            "another process lends this key: stop it first, or let in one more client of it with "
            "--invite alone"
        )


async def _clients(
    name: str | None, forget: str | None, password_fd: int | None, as_json: bool
) -> None:
    from nostr_threads.app.desk import Desk

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


def _client_link() -> ClientLink:
    from nostr_threads.core.bunker_links import ClientLink, parse_link

    link = parse_link(ask_secret("The client's nostrconnect:// link (it is not shown)"))
    if not isinstance(link, ClientLink):
        raise InvalidInput("a bunker:// link is for a client: `nostr-threads key import` opens it")
    return link


def _key_of(text: str, known: Container[str]) -> str:
    from nostr_threads.cli.elsewhere import public_key

    key = public_key(text)
    if key not in known:
        raise NotFound("no such client may sign with this key")
    return key


def _show_link(link: BunkerLink, *, as_json: bool) -> None:
    from nostr_threads.core.bunker_links import write_link

    written = write_link(link)
    emit_json({"link": written}) if as_json else emit(f"{written}\n")


def _say_what_is_served(public_key: str, book: Book, log: Path) -> None:
    say(f"lending {npub_of(public_key)} at {', '.join(book.relays)}")
    say(f"{len(book.clients)} clients may come back; what is done is logged in {log}")


def _tell(deed: Deed, *, as_json: bool) -> None:
    if as_json:
        emit_json(asdict(deed))
        return
    when = datetime.fromtimestamp(deed.at, UTC).strftime("%H:%M:%S")
    name = one_line(deed.name, 40) or deed.client[:12]
    why = f": {one_line(deed.why, _LONGEST_WORDS)}" if deed.why else ""
    emit(f"{when}  {name}  {one_line(deed.what, _LONGEST_WORDS)}  {deed.outcome}{why}\n")


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
