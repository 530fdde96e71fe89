"""Whoever signs, wherever the key is: found by name or in the environment, opened, and closed.

Knows the places a key can be in, and which is taken when nobody says. How each signs is in
`signing`.
"""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nostr_threads.app.bunkers import open_bunker
from nostr_threads.app.places import key_folder
from nostr_threads.app.sessions import bunker_entry, bunker_session, connect_as, session_of_link
from nostr_threads.core.bunker_links import BunkerLink, parse_link
from nostr_threads.errors import InvalidCode, NoSigner, SigningError, WrongPassword
from nostr_threads.signing.bunker import BunkerSession, link_mark
from nostr_threads.signing.command import CommandSigner
from nostr_threads.signing.keyfolder import KeyEntry, KeyFolder, Kind
from nostr_threads.signing.signer import KeySigner, ReadOnlySigner
from nostr_threads.signing.source import VARIABLE, signer_from_env

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from nostr_threads.signing.secret import SecretKey
    from nostr_threads.signing.signer import Signer

__all__ = [
    "env_decides",
    "keep_in_keyring",
    "link_in_env",
    "open_signer",
    "public_key_of",
    "public_key_of_env",
]


@asynccontextmanager
async def open_signer(
    name: str | None = None,
    *,
    password: Callable[[], str] | None = None,
    show: Callable[[str], None] = lambda _: None,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Signer]:
    """Open the key `name`, else `$NOSTR_SECRET_KEY`, else the key in use; it is closed at the end.

    `password` is called for a key that has one; `show` is told what a person has to do elsewhere.
    Raises `NoSigner` when there is no key, or nobody to ask, `WrongPassword`, `SigningError`.
    """
    if password is not None and not callable(password):
        raise TypeError("`password` is a function that returns it, and is called when it is needed")
    environ = os.environ if environ is None else environ
    folder = KeyFolder(key_folder(environ))
    if name is None and (link := link_in_env(environ)) is not None:
        async with _bunker_of_link(folder, link, show, clock) as signer:
            yield signer
        return
    if name is None and (found := signer_from_env(environ, password=password)) is not None:
        async with _closing(found) as signer:
            yield signer
        return
    async with _of_entry(folder, folder.chosen(name), password, show, clock) as signer:
        yield signer


def link_in_env(environ: Mapping[str, str]) -> BunkerLink | None:
    """Return the `bunker://` link in `$NOSTR_SECRET_KEY`, None where that holds something else.

    Raises `SigningError` for a link that cannot be used.
    """
    value = environ.get(VARIABLE, "").strip()
    if not value.lower().startswith(("bunker:", "nostrconnect:")):
        return None
    try:
        link = parse_link(value)
    except InvalidCode as error:
        raise SigningError(f"{VARIABLE}: {error}") from None
    if not isinstance(link, BunkerLink):
        raise SigningError(f"{VARIABLE}: a nostrconnect:// link is for a signer, not for a client")
    return link


def env_decides(environ: Mapping[str, str]) -> bool:
    """Whether `$NOSTR_SECRET_KEY` says who signs, unless a key is named."""
    return bool(environ.get(VARIABLE, "").strip())


def public_key_of_env(environ: Mapping[str, str]) -> str | None:
    """Return whose key `$NOSTR_SECRET_KEY` is, where that can be told without asking anybody."""
    if (link := link_in_env(environ)) is not None:
        known = session_of_link(KeyFolder(key_folder(environ)), link)
        return None if known is None else known[1].public_key
    try:
        signer = signer_from_env(environ)
    except NoSigner:
        return None
    return None if signer is None else signer.public_key


def public_key_of(name: str | None = None) -> str | None:
    """Return whose key `name` is, else that of `$NOSTR_SECRET_KEY`, else the one in use.

    None when there is none, or it cannot be told without a password.
    """
    if name is None and env_decides(os.environ):
        return public_key_of_env(os.environ)
    folder = KeyFolder(key_folder(os.environ))
    chosen = name or folder.current()
    return folder.public_key(chosen) if chosen is not None else None


def keep_in_keyring(folder: KeyFolder, name: str, secret: SecretKey) -> None:
    """Put a key into the system's keyring, and note under `name` that it is there.

    Raises `SigningError`; then nothing is noted.
    """
    from nostr_threads.signing import os_keyring

    # The name first: whoever has it has the keyring's entry of that name, too.
    folder.put(name, KeyEntry(Kind.KEYRING, KeySigner(secret).public_key))
    try:
        os_keyring.keep(name, secret)
    except SigningError:
        folder.remove(name)
        raise


@asynccontextmanager
async def _of_entry(
    folder: KeyFolder,
    name: str,
    password: Callable[[], str] | None,
    show: Callable[[str], None],
    clock: Callable[[], float],
) -> AsyncIterator[Signer]:
    entry = folder.entry(name)
    if entry.kind is Kind.BUNKER:

        def keep(session: BunkerSession) -> None:
            folder.change(name, bunker_entry(session))

        async with open_bunker(bunker_session(entry), show=show, keep=keep, clock=clock) as bunker:
            yield bunker
        return
    try:
        found = _local(folder, name, entry, password)
    except (KeyError, TypeError):
        raise SigningError(f"the file of the key {name!r} is damaged") from None
    async with _closing(found) as signer:
        yield signer


def _local(
    folder: KeyFolder, name: str, entry: KeyEntry, password: Callable[[], str] | None
) -> Signer:
    """Make the signer of a key that is on this machine."""
    match entry.kind:
        case Kind.PASSWORD:
            if password is None:
                raise NoSigner(
                    f"the key {name!r} has a password, and there is nobody to ask for it"
                )
            try:
                return KeySigner(folder.load(name, password()))
            except WrongPassword:
                raise WrongPassword(f"the password does not open the key {name!r}") from None
        case Kind.KEYRING:
            from nostr_threads.signing.os_keyring import KeyringSigner

            return _of(entry, KeyringSigner(name))
        case Kind.COMMAND:
            return CommandSigner(tuple(map(str, entry.details["command"])), entry.public_key)
        case Kind.PLUGIN:
            from nostr_threads.signing.plugins import PluginSigner

            details = entry.details
            return _of(entry, PluginSigner(str(details["signer"]), str(details["setting"])))
    return ReadOnlySigner(entry.public_key)


def _of(entry: KeyEntry, signer: Signer) -> Signer:
    """See that a signer has the key that the folder says."""
    if signer.public_key != entry.public_key:
        raise SigningError(
            f"there is the key {signer.public_key} where {entry.public_key} was expected"
        )
    return signer


@asynccontextmanager
async def _bunker_of_link(
    folder: KeyFolder, link: BunkerLink, show: Callable[[str], None], clock: Callable[[], float]
) -> AsyncIterator[Signer]:
    """Go on with the session that a link has begun, or begin it: its secret is good once."""
    if (known := session_of_link(folder, link)) is not None:
        async with _of_entry(folder, known[0], None, show, clock) as signer:
            yield signer
    else:
        name = f"bunker-{link_mark(link)[:12]}"
        async with connect_as(folder, name, link, show=show, clock=clock) as bunker:
            yield bunker


@asynccontextmanager
async def _closing(signer: Signer) -> AsyncIterator[Signer]:
    try:
        yield signer
    finally:
        await signer.close()
