"""Keys in the keyring of the operating system, which opens when its user logs in.

Knows `keyring`, an extra. Knows nothing of files.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from nostr_threads.core import nip19
from nostr_threads.errors import NoSigner, SigningError
from nostr_threads.signing.secret import secret_from_nsec
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.signing.secret import SecretKey

__all__ = ["KeyringSigner", "forget", "is_there", "keep", "load"]

_SERVICE = "nostr-threads"


def is_there() -> bool:
    """Whether this system has a keyring, also one that is locked, and we can speak to it."""
    try:
        import keyring
        from keyring.backends import fail
    except ImportError:
        return False
    return not isinstance(keyring.get_keyring(), fail.Keyring)


def keep(name: str, secret: SecretKey) -> None:
    """Put a key into the keyring. Raises `SigningError`, also where there is a key of that name.

    It was read back: there are keyrings that take everything and keep nothing.
    """
    with _translated():
        import keyring

        if keyring.get_password(_SERVICE, name) is not None:
            raise SigningError(f"the keyring has a key called {name!r} already")
        code = nip19.encode(secret)
        keyring.set_password(_SERVICE, name, code)
        if (found := keyring.get_password(_SERVICE, name)) != code:
            if found is not None:
                keyring.delete_password(_SERVICE, name)
            raise SigningError("the keyring did not keep the key: keep it under a password instead")


def forget(name: str) -> None:
    """Remove a key from the keyring; does nothing where there is none. Raises `SigningError`."""
    with _translated():
        import keyring

        if keyring.get_password(_SERVICE, name) is not None:
            keyring.delete_password(_SERVICE, name)


def load(name: str) -> SecretKey:
    """Return the key `name`. Raises as `KeyringSigner` does."""
    with _translated():
        import keyring

        code = keyring.get_password(_SERVICE, name)
    if code is None:
        raise NoSigner(f"the keyring has no key called {name!r}")
    # What is no nsec is not read as one: errors about codes repeat what they were given.
    if not code.startswith("nsec1"):
        raise SigningError(f"what the keyring has as {name!r} is no key")
    return secret_from_nsec(code)


class KeyringSigner:
    """Signs with the key `name` of the system's keyring.

    It is taken from there when this is made, and held in this process until `close`. Raises
    `NoSigner` where the keyring has no such key, `SigningError` where there is no keyring.
    """

    __slots__ = ("_signer",)

    def __init__(self, name: str) -> None:
        self._signer = KeySigner(load(name))

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits."""
        return self._signer.public_key

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `SigningError`."""
        return await self._signer.sign(draft)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt `text` for `peer` (NIP-44). Raises `InvalidCode`, `CannotEncrypt`."""
        return await self._signer.nip44_encrypt(peer, text)

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share. Raises `InvalidCode`, `CannotDecrypt`."""
        return await self._signer.nip44_decrypt(peer, payload)

    async def close(self) -> None:
        """Let go of the key; the keyring keeps it."""
        await self._signer.close()

    def __repr__(self) -> str:
        return f"KeyringSigner({self.public_key})"


@contextmanager
def _translated() -> Iterator[None]:
    """Say the keyring's errors in our words."""
    try:
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        raise SigningError(
            "the system's keyring needs an extra: pip install 'nostr-threads[keyring]'"
        ) from None
    try:
        yield
    except NoKeyringError:
        raise SigningError(
            "this system has no keyring that can be used: keep the key under a password instead"
        ) from None
    except KeyringError as error:
        # From None: some backends repeat in their words what they were given.
        raise SigningError(f"the keyring says no ({type(error).__name__})") from None
