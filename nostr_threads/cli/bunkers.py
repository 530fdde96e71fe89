"""`key bunker` and `key clients`: lending a key to other machines, each within its policy.

Knows the terminal: what is shown and asked there. How clients are answered is `app.desk`'s.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.groups import grouped
from nostr_threads.cli.moments import moment
from nostr_threads.cli.options import AsJson, PasswordFd, RelayUrls
from nostr_threads.cli.secrets import ask_secret, writing_signer
from nostr_threads.errors import InvalidInput, NotFound
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Container

    from nostr_threads.app.desk import Desk
    from nostr_threads.core.bunker_links import ClientLink
    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.remote_signer import Client, Deed

__all__ = ["bunker", "clients"]

# Seconds that a question on the terminal waits for its answer.
_PATIENCE = 240.0
_LONGEST_WORDS = 160

Lent = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The key that is lent; default: in use.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a new client may do without anybody being asked."""

    kinds: Annotated[
        str | None,
        typer.Option(
            "--kinds",
            metavar="N,N",
            help="Sign events of these kinds, or of `all` [those that nostr-threads publishes].",
        ),
    ] = None
    per_minute: Annotated[
        int, typer.Option("--per-minute", metavar="N", min=1, help="Requests that are answered.")
    ] = 60
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="When it ends: 30d, 2026-12-31.")
    ] = None
    encryption: Annotated[
        bool, typer.Option("--encryption", help="Encrypt and decrypt texts, too (NIP-44).")
    ] = False
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask here about all else, instead of refusing it.")
    ] = False

    def policy(self, now: int) -> Policy:
        """Return the policy they are. Raises `InvalidInput`."""
        from nostr_threads.signing.policy import Policy

        return Policy(
            kinds=_kinds(self.kinds),
            per_minute=self.per_minute,
            until=None if self.until is None else moment(self.until, now),
            encryption=self.encryption,
            ask=self.ask,
        )


@grouped
def bunker(
    name: Lent = None,
    *,
    relay: RelayUrls = None,
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
    if rules.ask and not _has_terminal():
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


async def _serve(
    name: str | None,
    relays: tuple[str, ...],
    invite: bool,
    link: ClientLink | None,
    policy: Policy,
    password_fd: int | None,
    as_json: bool,
) -> None:
    from nostr_threads.app.desk import open_desk
    from nostr_threads.core.bunker_links import write_link
    from nostr_threads.core.relay_url import normalize

    terminal = _Terminal()
    async with writing_signer(name, password_fd) as signer:
        desk = await open_desk(
            signer,
            os.environ,
            relays=tuple(dict.fromkeys(map(normalize, relays))),
            ask=terminal.ask,
            told=lambda deed: _tell(deed, as_json=as_json),
        )
        if link is not None:
            await desk.welcome(link, policy)
        elif invite or not desk.book.clients:
            written = write_link(await desk.invite(policy))
            emit_json({"link": written}) if as_json else emit(f"{written}\n")
        _say_what_is_served(desk, signer.public_key)
        with terminal:
            await desk.serve()


async def _clients(
    name: str | None, forget: str | None, password_fd: int | None, as_json: bool
) -> None:
    from nostr_threads.app.desk import open_desk

    async with writing_signer(name, password_fd) as signer:
        try:
            desk = await open_desk(signer, os.environ, ask=_Terminal().ask)
        except InvalidInput:
            raise NotFound("this key was never lent: see `nostr-threads key bunker`") from None
        if forget is not None:
            key = _key_of(forget, desk.book.clients)
            await desk.forget(key)
            say("it is known no more, also by a bunker that is started from now on")
        for client in desk.book.clients.values():
            _show(client, as_json=as_json)
        if not desk.book.clients and not as_json:
            say("nobody may sign with this key elsewhere")


class _Terminal:
    """Questions on the terminal, one at a time, while everything else goes on."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._is_open = False

    def __enter__(self) -> None:
        if _has_terminal():
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)
            self._is_open = True

    def __exit__(self, *_: object) -> None:
        if self._is_open:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._is_open = False

    async def ask(self, client: Client, what: str, why: str) -> bool:
        """Ask about a deed; False without a terminal, or an answer in time."""
        if not self._is_open:
            return False
        while not self._lines.empty():
            self._lines.get_nowait()  # typed before the question was there
        say(f"{_named(client)} wants to {what} ({why}). Allow it? [y/N]")
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._lines.get()
        except TimeoutError:
            say("no answer: it is refused")
            return False
        return answer.strip().lower() in ("y", "yes")

    def _read(self) -> None:
        line = sys.stdin.readline()
        self._lines.put_nowait(line)
        if not line:
            # The terminal is gone: every question from now on is answered with no.
            self.__exit__()


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _client_link() -> ClientLink:
    from nostr_threads.core.bunker_links import ClientLink, parse_link

    link = parse_link(ask_secret("The client's nostrconnect:// link (it is not shown)"))
    if not isinstance(link, ClientLink):
        raise InvalidInput("a bunker:// link is for a client: `nostr-threads key import` opens it")
    return link


def _kinds(text: str | None) -> frozenset[int] | None:
    """Read the kinds that are signed without asking; None for all."""
    from nostr_threads.app.bunkers import PERMISSIONS

    if text is None:
        return frozenset(each.kind for each in PERMISSIONS if each.kind is not None)
    if text.strip() == "all":
        return None
    try:
        kinds = frozenset(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise InvalidInput("--kinds are numbers with commas between them, or `all`") from None
    if not all(0 <= kind <= 65_535 for kind in kinds):
        raise InvalidInput("a kind is a number from 0 to 65535")
    return kinds


def _key_of(text: str, known: Container[str]) -> str:
    from nostr_threads.cli.elsewhere import public_key

    key = public_key(text)
    if key not in known:
        raise NotFound("no such client may sign with this key")
    return key


def _say_what_is_served(desk: Desk, public_key: str) -> None:
    from nostr_threads.core.nip19 import PublicKey, encode

    say(f"lending {encode(PublicKey(public_key))} at {', '.join(desk.book.relays)}")
    say(f"{len(desk.book.clients)} clients may come back; what is done is logged in {desk.log}")


def _tell(deed: Deed, *, as_json: bool) -> None:
    if as_json:
        emit_json(asdict(deed))
        return
    when = datetime.fromtimestamp(deed.at, UTC).strftime("%H:%M:%S")
    name = one_line(deed.name, 40) or deed.client[:12]
    why = f": {one_line(deed.why, _LONGEST_WORDS)}" if deed.why else ""
    emit(f"{when}  {name}  {one_line(deed.what, _LONGEST_WORDS)}  {deed.outcome}{why}\n")


def _show(client: Client, *, as_json: bool) -> None:
    from nostr_threads.core.nip19 import PublicKey, encode

    policy, npub = client.policy, encode(PublicKey(client.key))
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
    emit(f"{npub}  {_named(client)}  {words}\n")


def _named(client: Client) -> str:
    return one_line(client.name, 40) or "a client without a name"


def _date(moment_: int) -> str:
    return datetime.fromtimestamp(moment_, UTC).strftime("%Y-%m-%d %H:%M")
