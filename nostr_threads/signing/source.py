"""The signer that the environment names: `NOSTR_SECRET_KEY`.

Knows which kinds of secret that variable may hold. Reads no environment by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.errors import NoSigner, SigningError, WrongPassword
from nostr_threads.signing import keyfile
from nostr_threads.signing.secret import secret_from_hex, secret_from_nsec
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nostr_threads.core.entities import SecretKey
    from nostr_threads.signing.signer import Signer

__all__ = ["VARIABLE", "signer_from_env"]

VARIABLE = "NOSTR_SECRET_KEY"


def signer_from_env(
    environ: Mapping[str, str], *, password: Callable[[], str] | None = None
) -> Signer | None:
    """Return the signer that `NOSTR_SECRET_KEY` in `environ` gives, None if unset or empty.

    It may be 64 hex digits, an nsec, or an ncryptsec, for which `password` is called once.
    Raises `SigningError` (never with the value), `WrongPassword`, `NoSigner` without `password`.
    """
    value = environ.get(VARIABLE, "").strip()
    if not value:
        return None
    return KeySigner(_secret(value, password))


def _secret(value: str, password: Callable[[], str] | None) -> SecretKey:
    kind = value.lower()
    if kind[0] in "\"'`":
        raise SigningError(f"the value of {VARIABLE} is in quotes: leave them out")
    if kind.startswith(("bunker:", "nostrconnect:")):
        raise SigningError(f"{VARIABLE} leads to a bunker: `nostr_threads.open_signer()` opens it")
    if kind.startswith("ncryptsec1"):
        return _opened(value, password)
    try:
        return (secret_from_nsec if kind.startswith("nsec1") else secret_from_hex)(value)
    except SigningError:
        raise SigningError(
            f"{VARIABLE} is not a secret key: give 64 hex digits, an nsec or an ncryptsec"
        ) from None


def _opened(value: str, password: Callable[[], str] | None) -> SecretKey:
    if password is None:
        raise NoSigner(f"{VARIABLE} is encrypted, and there is nobody to ask for its password")
    try:
        return keyfile.decrypt(value, password())
    except WrongPassword:
        raise WrongPassword(f"the password does not open {VARIABLE}") from None
    except SigningError as error:
        raise SigningError(f"{VARIABLE}: {error}") from None
