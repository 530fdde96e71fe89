"""Which key signs, and how its password is asked for. A secret never comes from argv.

Knows the environment, the key folder and the prompt. Knows nothing of encryption.
"""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from typing import TYPE_CHECKING

import typer

from nostr_threads.cli.console import say
from nostr_threads.errors import InvalidCode, NoSigner, SigningError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.signing import KeyFolder, Signer

__all__ = [
    "ask_password",
    "key_folder",
    "reader",
    "reading_signer",
    "refuse_secrets",
    "writing_signer",
]

# Long enough to be one, even when its end was lost in copying.
_SECRET = re.compile(r"n(?:crypt)?sec1[02-9ac-hj-np-z]{16}", re.IGNORECASE)


def refuse_secrets(arguments: Iterable[str]) -> None:
    """Raise `InvalidCode` for a secret key on the command line, wherever it stands.

    To be called before anything parses it: a parser's errors repeat what it was given.
    """
    if any(_SECRET.search(argument) for argument in arguments):
        raise InvalidCode(
            "this is a secret key; it was not used and should not stand on a command line"
        )


def key_folder() -> KeyFolder:
    """Return the user's keys."""
    from nostr_threads.app import places
    from nostr_threads.signing import KeyFolder

    return KeyFolder(places.key_folder(os.environ))


def writing_signer(name: str | None, password_fd: int | None) -> Signer:
    """Return who signs: the named key, else `$NOSTR_SECRET_KEY`, else the key in use.

    Raises `NoSigner` when there is none, `WrongPassword`, `SigningError`.
    """
    from nostr_threads.signing import KeySigner, signer_from_env

    ask = partial(ask_password, password_fd)
    if name is None and (signer := signer_from_env(os.environ, password=ask)) is not None:
        return signer
    folder = key_folder()
    chosen = name or folder.current()
    if chosen is None:
        raise NoSigner("there is no key: make one with `nostr-threads key new NAME`")
    folder.public_key(chosen)
    return KeySigner(folder.load(chosen, ask()))


def reading_signer() -> Signer | None:
    """Return who says hello to relays that ask even readers; never asks for a password."""
    from nostr_threads.signing import signer_from_env

    try:
        return signer_from_env(os.environ)
    except NoSigner:
        return None


def reader() -> str | None:
    """Return the public key of whose mute list counts: of `$NOSTR_SECRET_KEY`, or the key in use.

    None when there is none, or it cannot be told without a password. A key file that is damaged or
    gone does not keep anybody from reading: that is said, and None returned.
    """
    if (signer := reading_signer()) is not None:
        return signer.public_key
    folder = key_folder()
    try:
        chosen = folder.current()
        return folder.public_key(chosen) if chosen is not None else None
    except SigningError as error:
        say(f"your mutes are not known: {error}")
        return None


def ask_password(descriptor: int | None, *, confirm: bool = False) -> str:
    """Take a password from an open file descriptor, or ask for it on the terminal."""
    if descriptor is not None:
        return _read_password(descriptor)
    if sys.stdin is None or not sys.stdin.isatty():
        raise SigningError("the key has a password: run this on a terminal or use --password-fd")
    answer: str = typer.prompt("Password", hide_input=True, err=True, confirmation_prompt=confirm)
    return answer


def _read_password(descriptor: int) -> str:
    try:
        with open(descriptor, encoding="utf-8") as stream:
            password = stream.readline().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise SigningError(f"no password can be read from descriptor {descriptor}") from None
    if not password:
        raise SigningError(f"descriptor {descriptor} gave an empty password")
    return password
