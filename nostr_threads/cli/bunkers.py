"""`key bunker`: lending a key to other machines, each within its policy.

Knows the terminal: what is shown and asked there. How clients are answered is `app.desk`'s.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.clients import Lent, require_lendable
from nostr_threads.cli.consent import Terminal, npub_of
from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.options import AsJson, PasswordFd
from nostr_threads.cli.prompts import ask_secret, has_terminal
from nostr_threads.cli.rules import Rules
from nostr_threads.cli.secrets import kind_of, writing_signer
from nostr_threads.cli.vault import require_bare
from nostr_threads.errors import BunkerError, InvalidInput, SigningError
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.app.desk import Desk
    from nostr_threads.core.bunker_links import BunkerLink, ClientLink
    from nostr_threads.signing import Kind
    from nostr_threads.signing.book import Book
    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.remote_signer import Deed

__all__ = ["bunker"]

_LONGEST_WORDS = 160


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
    require_lendable(kind_of(name))
    async with writing_signer(name, password_fd) as signer:
        desk = Desk(signer, os.environ)
        with desk.alone() as is_alone:
            if not is_alone:
                _require_only_invite(invite, urls, link)
                _show_link(await desk.invite(policy), as_json=as_json)
                return
            met = () if link is None or (await desk.book()).relays else link.relays
            await _begin(desk, urls or met, kind_of(name))
            book = await desk.book()
            if link is None and (invite or not book.clients):
                _show_link(await desk.invite(policy), as_json=as_json)
            _say_what_is_served(signer.public_key, book, desk.log)
            if link is not None:
                _say_what_is_wanted(link)
            with Terminal() as terminal:
                await desk.serve(
                    ask=terminal.ask,
                    told=lambda deed: _tell(deed, as_json=as_json),
                    trouble=say,
                    welcome=None if link is None else (link, policy),
                )


async def _begin(desk: Desk, relays: tuple[str, ...], kind: Kind | None) -> None:
    from nostr_threads.signing import Kind

    try:
        await desk.begin(relays)
    except BunkerError as error:
        if kind is not Kind.BUNKER or error.is_silence:
            raise
        raise BunkerError(
            f"a key that is lent to you can be lent on only if its bunker encrypts for you: {error}"
        ) from None


def _require_only_invite(invite: bool, relays: tuple[str, ...], link: ClientLink | None) -> None:
    """Beside a bunker that runs a link can be made for it, and nothing else be done."""
    if relays or link is not None or not invite:
        raise SigningError(
            "another process lends this key: stop it first, or let in one more client of it with "
            "--invite alone"
        )


def _client_link() -> ClientLink:
    from nostr_threads.core.bunker_links import ClientLink, parse_link

    given = ask_secret("The client's nostrconnect:// link (it is not shown)")
    require_bare(given)
    link = parse_link(given)
    if not isinstance(link, ClientLink):
        raise InvalidInput("a bunker:// link is for a client: `nostr-threads key import` opens it")
    return link


def _show_link(link: BunkerLink, *, as_json: bool) -> None:
    from nostr_threads.core.bunker_links import write_link

    written = write_link(link)
    emit_json({"link": written}) if as_json else emit(f"{written}\n")


def _say_what_is_served(public_key: str, book: Book, log: Path) -> None:
    say(f"lending {npub_of(public_key)} at {', '.join(book.relays)}")
    known = "1 client" if len(book.clients) == 1 else f"{len(book.clients)} clients"
    say(f"{known} may come back; what is done is logged in {log}")


def _say_what_is_wanted(link: ClientLink) -> None:
    from nostr_threads.core.nip46 import permissions_text

    name = one_line(link.metadata.name, 40) or "a client without a name"
    wanted = one_line(permissions_text(link.permissions), _LONGEST_WORDS)
    say(f"{name} wants {wanted or 'nothing by name'}; it may do what the options here allow")


def _tell(deed: Deed, *, as_json: bool) -> None:
    if as_json:
        emit_json(asdict(deed))
        return
    when = datetime.fromtimestamp(deed.at, UTC).strftime("%H:%M:%S")
    name = one_line(deed.name, 40) or deed.client[:12]
    why = f": {one_line(deed.why, _LONGEST_WORDS)}" if deed.why else ""
    emit(f"{when}  {name}  {one_line(deed.what, _LONGEST_WORDS)}  {deed.outcome}{why}\n")
