"""What relays say of themselves (NIP-11), fetched once a day and kept in the store.

Knows how old a document may be. Knows nothing of what its fields mean: see `net.info`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core.pacing import usual_gap
from nostr_threads.errors import RelayInfoUnavailable
from nostr_threads.net.document import public_client
from nostr_threads.net.info import (
    RelayInfo,
    fetch_info_text,
    info_text,
    limits_of,
    parse_info,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.limits import Limits
    from nostr_threads.store.base import Store

__all__ = ["Documents"]

# Seconds.
_FRESH = 86_400
_PATIENCE = 5.0
# A relay that did not tell may be back soon.
_RETRY = 600


class Documents:
    """The documents of relays by URL. `clock` gives unix seconds.

    `may_fetch` says of which relays it may be asked: not of one behind a proxy, which HTTP would
    go past. Of what is `public_only` the name must lead nowhere private.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        may_fetch: Callable[[str], bool],
        public_only: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._may_fetch = may_fetch
        self._public_only = public_only
        self._known: dict[str, RelayInfo] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def limits(self, url: str) -> Limits:
        """Return what a relay says it takes; the usual when it says nothing."""
        return limits_of(await self.of(url))

    async def offers(self, url: str, nip: int) -> bool:
        """Whether a relay says that it supports a NIP."""
        return nip in (await self.of(url)).supported_nips

    async def usual_gap(self, url: str) -> float:
        """Return how many seconds a relay's software wants between notes, 0 if unknown."""
        return usual_gap((await self.of(url)).software)

    async def wants_work(self, url: str, bits: int) -> None:
        """Note what a relay told only by refusing: for a day it counts like its own word."""
        info = await self.of(url)
        async with self._locks[url]:
            limits = replace(info.limits, min_pow_difficulty=bits)
            self._known[url] = known = replace(info, limits=limits)
            text = info_text(known)
            kept = await off_loop(self._store.relay_document, url)
            # The rest is as old as it was.
            at = kept[1] if kept is not None and kept[0] else self._clock()
            await off_loop(self._store.keep_relay_document, url, text, now=at)

    async def of(self, url: str) -> RelayInfo:
        """Return a relay's document, an empty one when it has none. It is fetched once."""
        async with self._locks[url]:
            if url not in self._known:
                self._known[url] = parse_info(await self._text(url))
            return self._known[url]

    async def _text(self, url: str) -> str:
        kept = await off_loop(self._store.relay_document, url)
        if kept is not None and kept[1] > self._clock() - (_FRESH if kept[0] else _RETRY):
            return kept[0]
        if not self._may_fetch(url):
            return ""
        text = ""
        with suppress(RelayInfoUnavailable):
            client = public_client if self._public_only(url) else None
            text = await fetch_info_text(url, seconds=_PATIENCE, client=client)
        await off_loop(self._store.keep_relay_document, url, text, now=self._clock())
        return text
