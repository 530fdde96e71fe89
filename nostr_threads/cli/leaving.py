"""`key export` and `key remove`: how a key leaves this machine, after a question.

Knows what each kind of key leaves behind. Knows nothing of how a key came here.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.clients import stop_lending
from nostr_threads.cli.console import emit, say
from nostr_threads.cli.elsewhere import Name
from nostr_threads.cli.options import Output, PasswordFd
from nostr_threads.cli.prompts import ask_password, insist
from nostr_threads.cli.secrets import key_folder
from nostr_threads.errors import InvalidInput, NoSigner, SigningError

if TYPE_CHECKING:
    from nostr_threads.signing import KeyEntry, SecretKey
    from nostr_threads.signing.bunker import BunkerSession

__all__ = ["export", "remove"]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

# Seconds that a bunker is waited for to hear that we leave.
_UNTIL_HEARD = 10.0


class Form(StrEnum):
    """How a key is written when it leaves."""

    NCRYPTSEC = "ncryptsec"
    NSEC = "nsec"
    HEX = "hex"


def export(
    name: Name,
    form: Annotated[
        Form,
        typer.Option("--form", help="nsec and hex are the bare secret: who sees it is you."),
    ] = Form.NCRYPTSEC,
    output: Output = None,
    yes: Yes = False,
    password_fd: PasswordFd = None,
) -> None:
    """Write a key, to keep it elsewhere: as an ncryptsec under its password, unless you insist.

    One that is in the keyring has no password: the ncryptsec gets a new one.

    Example: nostr-threads key export work -o work.ncryptsec
    """
    from nostr_threads.signing import Kind

    entry = key_folder().entry(name)
    if entry.kind not in (Kind.PASSWORD, Kind.KEYRING):
        key_folder().ncryptsec(name)  # says where it is
    _ask_about(name, form, yes=yes)
    if form is Form.NCRYPTSEC:
        text = _encrypted(name, entry, password_fd)
    else:
        text = _bare(name, entry, form, password_fd)
    _hand_out(text, output)


def remove(name: Name, yes: Yes = False) -> None:
    """Remove a key from this machine. Nobody can bring it back without a copy.

    A bunker is told that this machine will not come back.

    Example: nostr-threads key remove work
    """
    folder = key_folder()
    entry = _entry(name)
    insist(_question(name, entry), yes=yes)
    if entry is not None:
        _let_go(name, entry)
    folder.remove(name)
    say(f"{name} is removed")
    if entry is not None:
        stop_lending(entry.public_key)


# Export


def _ask_about(name: str, form: Form, *, yes: bool) -> None:
    """Ask before a key leaves: always about a bare one, and a person about an encrypted one."""
    from nostr_threads.cli.prompts import has_terminal

    if form is not Form.NCRYPTSEC:
        insist(f"Write the bare secret of {name!r}? Whoever sees it can sign as you", yes=yes)
    elif has_terminal():
        insist(f"Write the key {name!r}, encrypted? Who has its password can open it", yes=yes)


def _encrypted(name: str, entry: KeyEntry, password_fd: int | None) -> str:
    from nostr_threads.signing import Kind, encrypt

    if entry.kind is Kind.PASSWORD:
        return key_folder().ncryptsec(name)
    secret = _of_keyring(name, entry)
    what = f"A new password for the copy of {name!r}"
    return encrypt(secret, ask_password(what, password_fd, confirm=True))


def _bare(name: str, entry: KeyEntry, form: Form, password_fd: int | None) -> str:
    from nostr_threads.core.nip19 import encode
    from nostr_threads.signing import Kind

    if entry.kind is Kind.KEYRING:
        secret = _of_keyring(name, entry)
    else:
        password = ask_password(f"Password of the key {name!r}", password_fd)
        secret = key_folder().load(name, password)
    return encode(secret) if form is Form.NSEC else secret.reveal()


def _of_keyring(name: str, entry: KeyEntry) -> SecretKey:
    from nostr_threads.signing import KeySigner
    from nostr_threads.signing.os_keyring import load

    secret = load(name)
    if KeySigner(secret).public_key != entry.public_key:
        raise SigningError(f"the keyring has another key called {name!r} than this folder says")
    return secret


def _hand_out(text: str, output: Output) -> None:
    from nostr_threads.signing import private_file

    if output is None or str(output) == "-":
        emit(f"{text}\n")
    elif private_file.create(output, f"{text}\n"):
        say(f"the key is in {output}, which only you can read")
    else:
        raise InvalidInput(f"{output} is there already, and is not overwritten")


# Removal


def _entry(name: str) -> KeyEntry | None:
    """Return what is known of a key; None where its file says nothing that can be used."""
    try:
        return key_folder().entry(name)
    except NoSigner:
        raise
    except SigningError as error:
        say(str(error))
        return None


def _question(name: str, entry: KeyEntry | None) -> str:
    from nostr_threads.signing import Kind

    if entry is None:
        return f"Remove the file of {name!r} as it is, with whatever is in it?"
    match entry.kind:
        case Kind.KEYRING:
            what = f"the key {name!r} from the keyring? Without a copy nobody can bring it back"
        case Kind.BUNKER:
            what = f"the connection {name!r} to a bunker? Only a new link brings it back"
        case Kind.NOWHERE:
            what = f"{name!r}? Only its public half is here"
        case Kind.COMMAND | Kind.PLUGIN:
            what = f"{name!r}? What signs for it stays where it is"
        case _:
            what = f"the key {name!r}? Without a copy of its file nobody can bring it back"
    return f"Remove {what}"


def _let_go(name: str, entry: KeyEntry) -> None:
    """Let go of what is elsewhere, before the name is removed here."""
    from nostr_threads.signing import Kind

    if entry.kind is Kind.KEYRING:
        from nostr_threads.signing.os_keyring import forget, is_there

        if is_there():
            forget(name)
        else:
            say("there is no keyring any more: if one had this key, it still has it")
    elif entry.kind is Kind.BUNKER:
        asyncio.run(_leave(entry))


async def _leave(entry: KeyEntry) -> None:
    """Tell a bunker; it is a courtesy, and the session is removed here in any case."""
    from nostr_threads.app.sessions import bunker_session

    try:
        await _logout(bunker_session(entry))
    except SigningError as error:
        say(f"the bunker did not take it that this machine leaves, and may list it still: {error}")


async def _logout(session: BunkerSession) -> None:
    from nostr_threads.app.bunkers import open_bunker
    from nostr_threads.signing.bunker import Patience

    async with open_bunker(session, patience=Patience(_UNTIL_HEARD)) as signer:
        await signer.logout()
