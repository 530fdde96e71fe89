"""Where people read and write: what their relay lists (NIP-65) say, and where we write ourselves.

Knows which of these relays may be dialled. How a list is come by is `destinations`' to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.app.destinations import relay_lists
from nostr_threads.core.relay_lists import RelayList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.app.routes import Routes
    from nostr_threads.store.base import Store

__all__ = ["Whereabouts"]


class Whereabouts:
    """Looks up where people read and write; `asking` begins each look, `clock` gives unix seconds.

    People are named by their public keys in hex. A list that leads to this machine or its network
    is not believed.
    """

    def __init__(
        self,
        store: Store,
        routes: Routes,
        *,
        asking: Callable[[], Asking],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._routes = routes
        self._asking = asking
        self._clock = clock

    def writers(self, relays: Sequence[str] = ()) -> tuple[str, ...]:
        """Return where answers are written to: `relays`, else those of relays.toml.

        Raises `InvalidInput` when there is none.
        """
        return self._routes.writers(relays)

    async def inboxes(self, pubkey: str) -> tuple[str, ...]:
        """Return where somebody reads what is said to them; none where nobody knows."""
        return self._dialable((await self._list(pubkey)).read)

    async def homes(self, pubkey: str) -> tuple[str, ...]:
        """Return where somebody keeps what they write; none where nobody knows."""
        return self._dialable((await self._list(pubkey)).write)

    async def _list(self, pubkey: str) -> RelayList:
        asking, now = self._asking(), self._clock()
        found = await relay_lists([pubkey], self._routes.index, asking, self._store, now)
        return found.get(pubkey, RelayList())

    def _dialable(self, urls: Sequence[str]) -> tuple[str, ...]:
        return tuple(url for url in urls if self._routes.may_dial(url))
