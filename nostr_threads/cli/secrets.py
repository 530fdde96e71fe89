"""Which key signs: the one that is named, that of the environment, or the one in use.

Knows the environment and the key folder. Knows nothing of encryption, or of how a person is asked.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.cli.console import say
from nostr_threads.cli.prompts import ask_password
from nostr_threads.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nostr_threads.signing import KeyFolder, Kind, Signer

__all__ = [
    "key_folder",
    "kind_of",
    "public_key",
    "reader",
    "reading_signer",
    "writing_signer",
]


def key_folder() -> KeyFolder:
    """Return the user's keys."""
    from nostr_threads.app import places
    from nostr_threads.signing import KeyFolder

    return KeyFolder(places.key_folder(os.environ))


@asynccontextmanager
async def writing_signer(name: str | None, password_fd: int | None) -> AsyncIterator[Signer]:
    """Open who signs: the named key, else `$NOSTR_SECRET_KEY`, else the key in use.

    Raises `NoSigner` when there is none, `WrongPassword`, `SigningError`.
    """
    from nostr_threads.app.signers import open_signer
    from nostr_threads.cli.waiting import Awaited
    from nostr_threads.signing import Kind

    is_bunker = kind_of(name) is Kind.BUNKER
    ask = partial(ask_password, f"Password of {_called(name)}", password_fd)
    async with open_signer(name, password=ask, show=say) as signer:
        yield Awaited(signer) if is_bunker else signer


@asynccontextmanager
async def reading_signer() -> AsyncIterator[Signer | None]:
    """Open who says hello to relays that ask even readers; nobody is asked for a password.

    Of `$NOSTR_SECRET_KEY` alone: a bunker there is dialled only when a relay asks.
    """
    from nostr_threads.app.signers import open_signer, public_key_of_env

    if public_key_of_env(os.environ) is None:
        yield None
        return
    async with open_signer(show=say) as signer:
        yield signer


def kind_of(name: str | None) -> Kind | None:
    """Return where the key is that signs; None for one that stands in `$NOSTR_SECRET_KEY`."""
    from nostr_threads.app.signers import env_decides, link_in_env
    from nostr_threads.signing import Kind

    if name is None and env_decides(os.environ):
        return None if link_in_env(os.environ) is None else Kind.BUNKER
    folder = key_folder()
    return folder.entry(folder.chosen(name)).kind


def public_key(name: str | None = None) -> str | None:
    """Return whose key `name` is, else the one that signs by default; see `public_key_of`."""
    from nostr_threads.app.signers import public_key_of

    return public_key_of(name)


def reader() -> str | None:
    """Return the public key of whose mute list counts; see `public_key`.

    A key file that is damaged or gone does not keep anybody from reading: that is said.
    """
    try:
        return public_key()
    except SigningError as error:
        say(f"your mutes are not known: {error}")
        return None


def _called(name: str | None) -> str:
    """What a prompt calls the key that signs. Raises `NoSigner` where there is none."""
    from nostr_threads.app.signers import env_decides
    from nostr_threads.signing.source import VARIABLE

    if name is None and env_decides(os.environ):
        return VARIABLE
    return f"the key {key_folder().chosen(name)!r}"
