"""Keys that are not in a file: bunkers, programs, plugins; and what is shown of any key.

Knows how each is noted in the key folder. How each signs is in `signing`.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.options import AsJson, RelayUrls
from nostr_threads.cli.secrets import key_folder
from nostr_threads.errors import BunkerError, InvalidCode, InvalidInput, SigningError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Name",
    "connect",
    "connect_to",
    "keep_public",
    "plugin",
    "program",
    "public_key",
    "show_key",
    "use_if_first",
]

Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9, _ and -.")]

_HEX_KEY = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


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

    folder = key_folder()
    folder.require_vacant(name)
    entry = KeyEntry(Kind.COMMAND, _of_npub(public), {"command": command})
    _refuse_its_secret(command, entry.public_key)
    if shutil.which(command[0]) is None:
        raise InvalidInput(
            f"there is no program {shlex.quote(command[0])} that can be run: give its name or "
            "path, and each of its arguments as a word of its own"
        )
    folder.put(name, entry)
    use_if_first(name)
    say(f"{name} signs by running {shlex.quote(command[0])}")
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
    key_folder().require_vacant(name)
    asyncio.run(_keep_plugin(name, signer, setting))
    use_if_first(name)
    show_key(name, as_json=as_json)


async def _keep_plugin(name: str, signer: str, setting: str) -> None:
    from nostr_threads.signing import KeyEntry, Kind
    from nostr_threads.signing.plugins import PluginSigner

    made = PluginSigner(signer, setting)
    try:
        _refuse_its_secret([setting], made.public_key)
        details = {"signer": signer, "setting": setting}
        key_folder().put(name, KeyEntry(Kind.PLUGIN, made.public_key, details))
    finally:
        await made.close()


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
    from nostr_threads.core.relay_url import normalize

    key_folder().require_vacant(name)
    if not relay:
        raise InvalidInput("name the relay where you and the signer meet: --relay URL")
    relays = tuple(dict.fromkeys(map(normalize, relay)))
    asyncio.run(_connect(name, relays, seconds, as_json=as_json))
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


async def _connect(name: str, relays: tuple[str, ...], seconds: float, *, as_json: bool) -> None:
    from nostr_threads.app.bunkers import await_bunker, invitation, open_bunker
    from nostr_threads.app.sessions import bunker_entry
    from nostr_threads.core.bunker_links import write_link

    await _require_reachable(relays)
    link, client = invitation(relays)
    say("open this link with your signer, which then knows that it talks to you:")
    written = write_link(link)
    emit_json({"link": written}) if as_json else emit(f"{written}\n")
    session = await await_bunker(link, client, seconds=seconds)
    async with open_bunker(session, show=say) as signer:
        await signer.start()
        key_folder().put(name, bunker_entry(signer.session))
    use_if_first(name)


async def _require_reachable(relays: tuple[str, ...]) -> None:
    """Raise `BunkerError` where no relay is up; say of others which are not.

    Nothing else would tell a relay that is down from a signer that nobody opens.
    """
    from nostr_threads.app.opening import open as open_nostr

    async with open_nostr(":memory:") as nostr:
        is_up = await asyncio.gather(*(nostr.relay(url).reach() for url in relays))
    down = ", ".join(url for url, up in zip(relays, is_up, strict=True) if not up)
    if not any(is_up):
        raise BunkerError(f"no relay to meet the signer at can be reached: {down}")
    if down:
        say(f"not to be reached now: {down}")


def keep_public(name: str, code: str) -> None:
    """Note whose key NAME is, where the key itself is nowhere near."""
    from nostr_threads.signing import KeyEntry, Kind

    key_folder().put(name, KeyEntry(Kind.NOWHERE, public_key(code)))
    use_if_first(name)


def use_if_first(name: str) -> None:
    """Use a key from now on if none was chosen, or the chosen one is gone."""
    folder = key_folder()
    if folder.current() not in folder.names():
        folder.use(name)


def show_key(name: str, *, as_json: bool, width: int = 0) -> None:
    """Show the public half of a key, and where the key is; names are `width` wide in a list."""
    from nostr_threads.core import nip19

    folder = key_folder()
    entry = folder.entry(name)
    npub, used = nip19.encode(nip19.PublicKey(entry.public_key)), folder.current() == name
    if as_json:
        told = {"name": name, "npub": npub, "public_key": entry.public_key, "used": used}
        emit_json(told | {"kind": entry.kind.value})
    else:
        mark = "*" if used else " "
        emit(f"{mark} {name:{width}}  {npub}  {entry.public_key}  {entry.kind.value}\n")


def public_key(code: str) -> str:
    """Read an npub, an nprofile or 64 hex digits. Raises `InvalidInput`, which does not show it."""
    from nostr_threads.core import schnorr

    if schnorr.is_public_key(code):
        return code
    return _of_npub(code)


def _of_npub(code: str) -> str:
    """Read an npub or nprofile. Hex may as well be a secret key, and would be shown."""
    from nostr_threads.core import bech32, nip19

    if _HEX_KEY.fullmatch(code):
        raise InvalidInput(
            "give the npub: 64 hex digits could as well be a secret key; "
            "`nostr-threads code HEX --to npub` writes the npub of a public one"
        )
    if not code.lower().startswith(("npub1", "nprofile1")):
        raise InvalidInput("this is no npub, nprofile or public key")
    try:
        bech32.split(code)
        found = nip19.decode(code)
    except InvalidCode as error:
        raise InvalidInput(f"this npub cannot be read: {error}") from None
    match found:
        case nip19.PublicKey():
            return found.hex
        case nip19.Profile():
            return found.pubkey
    raise InvalidInput("this is no npub, nprofile or public key")


def _refuse_its_secret(arguments: Iterable[str], its_public_key: str) -> None:
    """Raise `InvalidInput` where the very secret key is about to be written into a file."""
    from nostr_threads.signing import KeySigner, secret_from_hex

    for each in arguments:
        for found in _HEX_KEY.findall(each):
            with suppress(SigningError):
                if KeySigner(secret_from_hex(found)).public_key == its_public_key:
                    raise InvalidInput("this holds the secret key itself; it was not kept")
