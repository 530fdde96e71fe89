"""Which key signs, and how secrets are asked for. A secret never comes from argv.

Knows the environment, the key folder and the prompt. Knows nothing of encryption.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import typer

from nostr_threads.cli.console import say
from nostr_threads.errors import InvalidCode, InvalidInput, SigningError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from nostr_threads.signing import KeyFolder, Signer

__all__ = [
    "ask_password",
    "ask_secret",
    "key_folder",
    "public_key",
    "reader",
    "reading_signer",
    "refuse_secrets",
    "writing_signer",
]

# Long enough to be one, even when its end was lost in copying.
_SECRET = re.compile(r"n(?:crypt)?sec1[02-9ac-hj-np-z]{16}", re.IGNORECASE)
_LINK = re.compile(r"(?:bunker|nostrconnect)://\S*[?&]secret=.", re.IGNORECASE)
# Characters: 24 words with their spaces, or a link with ten relays.
_LONGEST_SECRET = 10_000


def refuse_secrets(arguments: Iterable[str]) -> None:
    """Raise `InvalidCode` for a secret on the command line, wherever it stands.

    To be called before anything parses it: a parser's errors repeat what it was given.
    """
    for argument in arguments:
        if _SECRET.search(argument):
            raise InvalidCode(
                "this is a secret key; it was not used and should not stand on a command line"
            )
        if _LINK.search(argument):
            raise InvalidCode(
                "this link holds a secret; it was not used and should not stand on a command line: "
                "`nostr-threads key import NAME` asks for it"
            )


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

    ask = partial(ask_password, password_fd)
    async with open_signer(name, password=ask, show=say) as signer:
        yield signer


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


def public_key(name: str | None = None) -> str | None:
    """Return whose key `name` is, else that of `$NOSTR_SECRET_KEY`, else the one in use.

    None when there is none, or it cannot be told without a password.
    """
    from nostr_threads.app.signers import public_key_of_env

    if name is None and (found := public_key_of_env(os.environ)) is not None:
        return found
    folder = key_folder()
    chosen = name or folder.current()
    return folder.public_key(chosen) if chosen is not None else None


def reader() -> str | None:
    """Return the public key of whose mute list counts; see `public_key`.

    A key file that is damaged or gone does not keep anybody from reading: that is said.
    """
    try:
        return public_key()
    except SigningError as error:
        say(f"your mutes are not known: {error}")
        return None


def ask_password(descriptor: int | None, *, confirm: bool = False, what: str = "Password") -> str:
    """Take a password from an open file descriptor, or ask for it on the terminal."""
    if descriptor is not None:
        return _read_password(descriptor)
    if not _on_terminal():
        raise SigningError("the key has a password: run this on a terminal or use --password-fd")
    answer: str = typer.prompt(what, hide_input=True, err=True, confirmation_prompt=confirm)
    return answer


def ask_secret(what: str) -> str:
    """Take a secret from the terminal, unseen, or from stdin. Raises `InvalidInput` for none."""
    if _on_terminal():
        answer: str = typer.prompt(what, hide_input=True, err=True)
    elif sys.stdin is None:
        raise InvalidInput("stdin is closed")
    else:
        answer = sys.stdin.read(_LONGEST_SECRET)
    if not answer.strip():
        raise InvalidInput("nothing was given")
    return answer.strip()


def _on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _read_password(descriptor: int) -> str:
    try:
        with open(descriptor, encoding="utf-8") as stream:
            password = stream.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise SigningError(f"no password can be read from descriptor {descriptor}") from None
    if not password:
        raise SigningError(f"descriptor {descriptor} gave an empty password")
    return password
