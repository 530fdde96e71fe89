"""Where a key that comes in is kept, and under what; and how it is read, in whatever form it comes.

Knows the options and the questions. Knows nothing of encryption, or of keys that are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli import elsewhere
from nostr_threads.cli.options import PasswordFd
from nostr_threads.cli.prompts import ask_password
from nostr_threads.cli.secrets import key_folder
from nostr_threads.errors import InvalidCode, InvalidInput, SigningError

if TYPE_CHECKING:
    from nostr_threads.signing import KeySecurity, SecretKey

__all__ = ["LogN", "Vault", "are_words", "read_secret", "require_bare"]

LogN = Annotated[
    int | None,
    typer.Option(
        "--log-n",
        metavar="N",
        min=1,
        max=22,
        help="How hard the password is to guess: scrypt takes 2^N KiB of memory [16].",
    ),
]

# Straight ones, and those that a word processor makes of them.
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"
_NO_KEY = (
    "this is no key: give an nsec, 64 hex digits, an ncryptsec, 12 to 24 words, an npub, "
    "or a bunker:// link"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Where a key is kept, and under what."""

    keyring: Annotated[
        bool, typer.Option("--keyring", help="In the system's keyring, without a password.")
    ] = False
    log_n: LogN = None
    password_fd: PasswordFd = None

    def keep(self, name: str, secret: SecretKey, security: KeySecurity) -> None:
        """Keep a key, under a password that is asked for; it is used if it is the first."""
        if self.keyring:
            from nostr_threads.app.signers import keep_in_keyring

            keep_in_keyring(key_folder(), name, secret)
        else:
            what = f"A new password for {name!r}"
            password = ask_password(what, self.password_fd, confirm=True)
            self._encrypt(name, secret, security, password)
        elsewhere.use_if_first(name)

    def keep_encrypted(self, name: str, code: str) -> None:
        """Keep an ncryptsec as it is, unless it goes to the keyring, or is to be harder."""
        from nostr_threads.signing import KeySecurity, decrypt
        from nostr_threads.signing.keyfile import hardness

        hardness(code)  # what is damaged is found before anything is asked
        password = ask_password("The password of this ncryptsec", self.password_fd)
        if self.keyring:
            self.keep(name, decrypt(code, password), KeySecurity.UNTRACKED)
        elif self.log_n is not None:
            self._encrypt(name, decrypt(code, password), KeySecurity.UNTRACKED, password)
        else:
            key_folder().add_encrypted(name, code, password)
        elsewhere.use_if_first(name)

    def _encrypt(self, name: str, secret: SecretKey, security: KeySecurity, password: str) -> None:
        from nostr_threads.signing.keyfile import DEFAULT_LOG_N

        log_n = self.log_n or DEFAULT_LOG_N
        key_folder().add(name, secret, password, log_n=log_n, security=security)


def are_words(given: str) -> bool:
    """Whether a text means to be the words of a key (NIP-06)."""
    words = given.split()
    # Accents may be letters of their own, which are no letters.
    return len(words) > 1 and not any(
        each.isascii() and not each.isalpha() for word in words for each in word
    )


def require_bare(given: str) -> None:
    """Raise `InvalidInput` for a key or link with something around it, which is not shown."""
    if given[0] in _QUOTES or given[-1] in _QUOTES:
        raise InvalidInput("there are quotes around it: give it without them")
    scheme, colon, rest = given.partition(":")
    if colon and scheme.lower() in ("bunker", "nostrconnect") and not rest.startswith("//"):
        raise InvalidInput(f"after {scheme.lower()}: a link has two slashes, and this one has not")


def read_secret(given: str, *, account: int, passphrase: str) -> SecretKey:
    """Read a key in any form that is not encrypted. Raises `SigningError`, without showing it."""
    from nostr_threads.signing import secret_from_hex

    if are_words(given):
        from nostr_threads.signing.words import secret_from_words

        return secret_from_words(given, passphrase=passphrase, account=account)
    if given.lower().startswith("nsec1"):
        return _of_nsec(given)
    if len(given) == 64:
        return secret_from_hex(given)
    raise SigningError(_NO_KEY)


def _of_nsec(given: str) -> SecretKey:
    from nostr_threads.core import bech32
    from nostr_threads.signing import secret_from_nsec

    try:
        bech32.split(given)
    except InvalidCode as error:
        raise SigningError(f"not a valid secret key: this nsec is damaged, {error}") from None
    return secret_from_nsec(given)
