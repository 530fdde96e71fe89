"""Our own remote signer at a relay, for clients that we did not write."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.app.bunkers import serve_bunker
from nostr_threads.core.bunker_links import BunkerLink
from nostr_threads.signing import KeySigner, new_secret
from nostr_threads.signing.book import Book
from nostr_threads.signing.policy import Policy
from nostr_threads.signing.remote_signer import Deed, RemoteSigner
from tests.app.worlds import ALICE, signer_of
from tests.signing.bunker_ends import Drawer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["SECRET", "Served", "served"]

SECRET = "let me in"


@dataclass
class Served:
    """What a client is given, and what was done for it."""

    link: BunkerLink
    deeds: list[Deed] = field(default_factory=list)


@asynccontextmanager
async def served(url: str) -> AsyncIterator[Served]:
    """Serve ALICE's key at a relay, for everything."""
    book = Book(new_secret(), (url,))
    own = KeySigner(book.own)
    house = Served(BunkerLink(own.public_key, (url,), SECRET))

    async def ask(_: object) -> bool:
        raise AssertionError("nobody is asked here")

    remote = RemoteSigner(
        Drawer(book.inviting(SECRET, Policy(encryption=True))),
        own,
        signer_of(ALICE),
        clock=time.time,
        ask=ask,
        told=house.deeds.append,
    )
    serving = asyncio.create_task(serve_bunker(remote, own, (url,)))
    try:
        yield house
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        if not serving.cancelled():
            serving.result()
