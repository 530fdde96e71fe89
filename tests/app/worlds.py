"""What the tests of the use cases need: people, quick settings, and a `Nostr` that uses them."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.app.config import Defaults
from nostr_threads.core import kinds
from nostr_threads.signing import secret_from_hex
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

ALICE, BOB, CAROL, DAVE = (Author(name) for name in (b"alice", b"bob", b"carol", b"dave"))
LONG = "\n\n".join(f"Paragraph {n}: " + "word " * 30 + f"end of {n}." for n in range(6))
"""Splits into several parts under `LIMIT`."""
LIMIT = nt.Limit(characters=400)
NOW = START


def config(
    *urls: str,
    index: Sequence[str] = (),
    known: Sequence[str] = (),
    quorum: int = 1,
    quick: float = 5.0,
) -> nt.Config:
    """Return settings for these relays; every wait ends after `quick` seconds.

    Those of `index` tell of people alone. Those of `known` are neither read nor written, but may be
    dialled when a list or a hint names them, as other relays of this machine may not.
    """
    relays = (
        *(nt.RelaySettings(url) for url in urls),
        *(nt.RelaySettings(url, read=False, write=False, index=True) for url in index),
        *(nt.RelaySettings(url, read=False, write=False) for url in known),
    )
    # A relay that wants it slower is not waited for: the shortest pause is a second.
    deadlines = Defaults(quick, quick, 2 * quick, quick, quorum, patience=0.1)
    return nt.Config(relays, deadlines, "the test's settings")


def profile(author: Author, name: str) -> nt.Verified:
    """What somebody says of themselves (kind 0)."""
    return author.event(kinds.PROFILE, json.dumps({"name": name}), NOW)


def relay_list(
    author: Author, *, write: Sequence[str] = (), read: Sequence[str] = ()
) -> nt.Verified:
    """Where somebody writes and reads (NIP-65)."""
    marked = {"write": write, "read": read}
    tags = tuple(("r", url, marker) for marker, urls in marked.items() for url in urls)
    return author.event(kinds.RELAY_LIST, "", NOW, tags)


def mute_list(author: Author, *entries: tuple[str, str]) -> nt.Verified:
    """What somebody does not want to see (NIP-51)."""
    return author.event(kinds.MUTE_LIST, "", NOW, entries)


def signer_of(author: Author) -> nt.KeySigner:
    """Return a signer whose signatures differ every time, as those of people do."""
    return nt.KeySigner(secret_from_hex(author.secret_hex()))


@asynccontextmanager
async def opened(
    store: Path | str,
    *urls: str,
    by: Author | None = None,
    viewer: Author | None = None,
    index: Sequence[str] = (),
    known: Sequence[str] = (),
    quorum: int = 1,
    quick: float = 5.0,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[nt.Nostr]:
    """Open a `Nostr` over a store and these relays (see `config`); `by` signs, `viewer` mutes."""
    signer = signer_of(by) if by is not None else None
    reader = viewer.pubkey if viewer is not None else None
    settings = config(*urls, index=index, known=known, quorum=quorum, quick=quick)
    async with nt.open(
        store, settings, signer, viewer=reader, clock=clock, random=Random(0)
    ) as nostr:
        yield nostr


def shape(thread: nt.Thread) -> dict[str, tuple[str | None, int]]:
    """Return each node's parent and depth by its id."""
    return {node.id: (node.parent, node.depth) for node in thread.nodes}
