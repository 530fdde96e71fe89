"""What a remote signer remembers (NIP-46): its own key, its clients, and who may still come in.

Knows the values. Where they are kept, and who may change them meanwhile, is the `Keeper`'s to know.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.secret import SecretKey

__all__ = ["Book", "Client", "Keeper"]


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who was let in: its key (hex), what it may do, what it calls itself, since when.

    `relays` are where it is met, beside those where everybody is: those of its own link.
    """

    key: str
    policy: Policy
    name: str = ""
    since: int = 0
    relays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """What a remote signer has to remember.

    `own` is the key with which it talks, `relays` are where clients find it, `clients` by their
    keys. `invitations` are policies by the secret of a `bunker://` link, each good for one client.
    """

    own: SecretKey
    relays: tuple[str, ...] = ()
    clients: Mapping[str, Client] = field(default_factory=dict)
    invitations: Mapping[str, Policy] = field(default_factory=dict, repr=False)

    @property
    def meeting(self) -> tuple[str, ...]:
        """All relays where somebody may be waiting, each once."""
        of_clients = (relay for client in self.clients.values() for relay in client.relays)
        return tuple(dict.fromkeys((*self.relays, *of_clients)))

    def invited(self, secret: str) -> Policy | None:
        """Return what was promised to whoever brings `secret`, None where nothing was."""
        return next((its for each, its in self.invitations.items() if _same(each, secret)), None)

    def inviting(self, secret: str, policy: Policy) -> Book:
        """Return the book with one open invitation; what nobody used before is void."""
        return replace(self, invitations={secret: policy})

    def letting_in(self, client: Client, secret: str = "") -> Book:
        """Return the book with a client, which has used up the invitation of `secret`."""
        left = {each: its for each, its in self.invitations.items() if not _same(each, secret)}
        clients = {**self.clients, client.key: client}
        return replace(self, clients=clients, invitations=left)

    def forgetting(self, key: str) -> Book:
        """Return the book without a client."""
        left = {each: client for each, client in self.clients.items() if each != key}
        return replace(self, clients=left)


class Keeper(Protocol):
    """Where a book is kept; other processes may change it there at any time."""

    async def read(self) -> Book:
        """Return the book as it is now. Raises `SigningError`."""
        ...

    async def change(self, change: Callable[[Book], Book]) -> Book:
        """Apply `change` to the book as it is now, keep it, and return it. Raises `SigningError`.

        Nobody else changes it meanwhile. What `change` raises goes through, and nothing is kept.
        """
        ...


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
