"""Keys that are not in a file: bunkers, programs, plugins; and what is shown of any key.

Knows how each is noted in the key folder. How each signs is in `signing`.
"""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.options import AsJson, RelayUrls
from nostr_threads.cli.secrets import key_folder
from nostr_threads.errors import InvalidInput, NostrThreadsError

if TYPE_CHECKING:
    from nostr_threads.signing.bunker import BunkerSession

__all__ = [
    "connect",
    "connect_to",
    "keep_public",
    "let_go",
    "plugin",
    "program",
    "public_key",
    "show_key",
    "use_if_first",
]

Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9, _ and -.")]


def program(
    name: Name,
    public: Annotated[str, typer.Argument(metavar="NPUB", help="Whose key it signs with.")],
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND…", help="The program and its arguments.")
    ],
    as_json: AsJson = False,
) -> None:
    """Sign with another program: it gets the draft as JSON, and prints the signed event.

    Example: nostr-threads key program safe npub1… -- sign-with-my-device --slot 2
    """
    from nostr_threads.signing import KeyEntry, Kind

    entry = KeyEntry(Kind.COMMAND, public_key(public), {"command": command})
    key_folder().put(name, entry)
    use_if_first(name)
    say(f"{name} signs by running: {shlex.join(command)}")
    show_key(name, as_json=as_json)


def plugin(
    name: Name,
    signer: Annotated[str, typer.Argument(metavar="SIGNER", help="What its package calls it.")],
    setting: Annotated[
        str, typer.Option("--setting", metavar="TEXT", help="What it has to know; no secret.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Sign with a signer that another package brings (entry point nostr_threads.signers).

    Example: nostr-threads key plugin hardware ledger --setting usb
    """
    import asyncio

    from nostr_threads.signing import KeyEntry, Kind
    from nostr_threads.signing.plugins import PluginSigner

    made = PluginSigner(signer, setting)
    details = {"signer": signer, "setting": setting}
    key_folder().put(name, KeyEntry(Kind.PLUGIN, made.public_key, details))
    asyncio.run(made.close())
    use_if_first(name)
    show_key(name, as_json=as_json)


def connect(
    name: Name,
    relay: RelayUrls = None,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="N", min=1, help="How long to wait for it.")
    ] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Show a nostrconnect:// link for a signer to open, and keep the connection under NAME.

    The other way round, with a bunker:// link of the signer's: `key import NAME`.

    Example: nostr-threads key connect phone --relay wss://relay.example
    """
    import asyncio

    from nostr_threads.core.relay_url import normalize

    if not relay:
        raise InvalidInput("name the relay where you and the signer meet: --relay URL")
    relays = tuple(dict.fromkeys(map(normalize, relay)))
    asyncio.run(_connect(name, relays, seconds))
    show_key(name, as_json=as_json)


async def connect_to(name: str, text: str) -> None:
    """Keep a new connection to the bunker of a `bunker://` link. Raises `SigningError`."""
    from nostr_threads.app.sessions import connect_as
    from nostr_threads.core.bunker_links import BunkerLink, parse_link

    link = parse_link(text)
    if not isinstance(link, BunkerLink):
        raise InvalidInput(
            "a nostrconnect:// link is for a signer: `nostr-threads key bunker --connect` opens it"
        )
    async with connect_as(key_folder(), name, link, show=say, clock=time.time):
        pass
    use_if_first(name)


async def _connect(name: str, relays: tuple[str, ...], seconds: float) -> None:
    from nostr_threads.app.bunkers import await_bunker, invitation, open_bunker
    from nostr_threads.app.sessions import bunker_entry
    from nostr_threads.core.bunker_links import write_link

    folder = key_folder()
    folder.require_vacant(name)
    link, client = invitation(relays)
    say("open this link with your signer, which then knows that it talks to you:")
    emit(f"{write_link(link)}\n")
    session = await await_bunker(link, client, seconds=seconds)
    async with open_bunker(session, show=say) as signer:
        await signer.start()
        folder.put(name, bunker_entry(signer.session))
    use_if_first(name)


def keep_public(name: str, code: str) -> None:
    """Note whose key NAME is, where the key itself is nowhere near."""
    from nostr_threads.signing import KeyEntry, Kind

    key_folder().put(name, KeyEntry(Kind.NOWHERE, public_key(code)))
    use_if_first(name)


async def let_go(name: str) -> None:
    """Let go of what is elsewhere, before the name is removed here."""
    from nostr_threads.app.sessions import bunker_session
    from nostr_threads.signing import Kind

    entry = key_folder().entry(name)
    if entry.kind is Kind.KEYRING:
        from nostr_threads.signing.os_keyring import forget

        forget(name)
    if entry.kind is Kind.BUNKER:
        # A courtesy: the session is removed here, whether the bunker hears of it or not.
        with suppress(NostrThreadsError):
            await _logout(bunker_session(entry))


async def _logout(session: BunkerSession) -> None:
    from nostr_threads.app.bunkers import open_bunker
    from nostr_threads.signing.bunker import Patience

    async with open_bunker(session, patience=Patience(10.0)) as signer:
        await signer.logout()


def use_if_first(name: str) -> None:
    """Use a key from now on if none was chosen, or the chosen one is gone."""
    folder = key_folder()
    if folder.current() not in folder.names():
        folder.use(name)


def show_key(name: str, *, as_json: bool) -> None:
    """Show the public half of a key, and where the key is."""
    from nostr_threads.core import nip19

    folder = key_folder()
    entry = folder.entry(name)
    npub, used = nip19.encode(nip19.PublicKey(entry.public_key)), folder.current() == name
    if as_json:
        told = {"name": name, "npub": npub, "public_key": entry.public_key, "used": used}
        emit_json(told | {"kind": entry.kind.value})
    else:
        emit(f"{'*' if used else ' '} {name}  {npub}  {entry.public_key}  {entry.kind.value}\n")


def public_key(code: str) -> str:
    """Read an npub, an nprofile or 64 hex digits. Raises `InvalidInput`."""
    from nostr_threads.core import nip19, schnorr

    found = nip19.decode(code) if code.startswith(("npub1", "nprofile1")) else None
    match found:
        case nip19.PublicKey():
            return found.hex
        case nip19.Profile():
            return found.pubkey
    if not schnorr.is_public_key(code):
        raise InvalidInput("this is no npub, nprofile or public key in hex")
    return code
