"""What the tests of the use cases need: people, quick settings, and a `Nostr` that uses them."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.app.config import Defaults
from nostr_threads.signing import secret_from_hex
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

ALICE, BOB, CAROL = Author(b"alice"), Author(b"bob"), Author(b"carol")
LONG = "\n\n".join(f"Paragraph {n}: " + "word " * 30 + f"end of {n}." for n in range(6))
"""Splits into several parts under `LIMIT`."""
LIMIT = nt.Limit(characters=400)
NOW = START


def config(*urls: str, quorum: int = 1, quick: float = 5.0) -> nt.Config:
    """Return settings for these relays; every wait ends after `quick` seconds."""
    relays = tuple(nt.RelaySettings(url) for url in urls)
    return nt.Config(
        relays, Defaults(quick, quick, 2 * quick, quick, quorum), "the test's settings"
    )


def signer_of(author: Author) -> nt.KeySigner:
    """Return a signer whose signatures differ every time, as those of people do."""
    return nt.KeySigner(secret_from_hex(author.secret_hex()))


@asynccontextmanager
async def opened(
    store: Path | str,
    *urls: str,
    by: Author | None = None,
    quorum: int = 1,
    quick: float = 5.0,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[nt.Nostr]:
    """Open a `Nostr` over a store and these relays; `by` signs."""
    signer = signer_of(by) if by is not None else None
    settings = config(*urls, quorum=quorum, quick=quick)
    async with nt.open(store, settings, signer, clock=clock) as nostr:
        yield nostr


def shape(thread: nt.Thread) -> dict[str, tuple[str | None, int]]:
    """Return each node's parent and depth by its id."""
    return {node.id: (node.parent, node.depth) for node in thread.nodes}
