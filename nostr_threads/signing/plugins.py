"""Signers that other packages bring: the entry points `nostr_threads.signers`.

Knows how one is found, and that it is not to be believed. Knows nothing of what any of them does.

A package names a callable in its pyproject.toml::

    [project.entry-points."nostr_threads.signers"]
    ledger = "nostr_ledger:make_signer"

It is given one text, whatever its user wants it to know, and returns a `Signer`.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, TypeVar

from nostr_threads.core import schnorr
from nostr_threads.core.event import Event
from nostr_threads.errors import NoSigner, NostrThreadsError, SigningError
from nostr_threads.signing.signer import check_signed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.signing.signer import Signer

__all__ = ["GROUP", "PluginSigner", "plugin_names"]

GROUP = "nostr_threads.signers"

_Result = TypeVar("_Result")


def plugin_names() -> tuple[str, ...]:
    """Return the names of the signers that are installed, sorted."""
    return tuple(sorted({each.name for each in entry_points(group=GROUP)}))


class PluginSigner:
    """Signs with what the entry point `name` makes of `setting`; every signature is verified.

    Raises `NoSigner` where no such signer is installed, `SigningError` where it cannot be made.
    """

    __slots__ = ("_name", "_public_key", "_signer")

    def __init__(self, name: str, setting: str = "") -> None:
        found = next(iter(entry_points(group=GROUP, name=name)), None)
        if found is None:
            known = ", ".join(plugin_names()) or "none"
            raise NoSigner(f"no signer called {name!r} is installed (there is: {known})")
        self._name = name
        try:
            self._signer: Signer = found.load()(setting)
            self._public_key = str(self._signer.public_key)
            schnorr.require_public_key(self._public_key)
        except NostrThreadsError:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            raise self._failed(error) from None

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits, as it was at first."""
        return self._public_key

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `SigningError`."""
        event = await self._translated(lambda: self._signer.sign(draft))
        if not isinstance(event, Event):
            raise self._failed(TypeError())
        return check_signed(draft, event, self._public_key)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt `text` for `peer` (NIP-44). Raises `SigningError`, `InvalidCode`."""
        return await self._translated(lambda: self._signer.nip44_encrypt(peer, text))

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share. Raises `SigningError`, `InvalidCode`."""
        return await self._translated(lambda: self._signer.nip44_decrypt(peer, payload))

    async def close(self) -> None:
        """Close what the package made."""
        await self._translated(self._signer.close)

    def __repr__(self) -> str:
        return f"PluginSigner({self._name}, {self._public_key})"

    async def _translated(self, do: Callable[[], Awaitable[_Result]]) -> _Result:
        try:
            return await do()
        except NostrThreadsError:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> SigningError:
        # Not its words: they may hold what it was given.
        return SigningError(f"the signer {self._name!r} failed ({type(error).__name__})")
