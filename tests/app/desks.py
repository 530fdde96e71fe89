"""Our own remote signer on a machine of its own: a folder, a key, and relays to be met at."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nostr_threads.app.desk import Desk
from nostr_threads.signing.policy import Policy
from tests.app.worlds import ALICE, signer_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from nostr_threads.core.bunker_links import BunkerLink, ClientLink
    from nostr_threads.signing import Signer
    from nostr_threads.signing.remote_signer import Deed

__all__ = ["desk_in", "environ_of", "lent", "serving"]


def environ_of(folder: Path, secret: str = "") -> dict[str, str]:
    """The environment of a machine whose files are in `folder`."""
    return {"NOSTR_THREADS_HOME": str(folder), "NOSTR_SECRET_KEY": secret}


def desk_in(folder: Path, signer: Signer | None = None) -> Desk:
    """Open the desk of ALICE's key, as each process does."""
    return Desk(signer or signer_of(ALICE), environ_of(folder), time.time)


@asynccontextmanager
async def serving(
    desk: Desk,
    *,
    told: Callable[[Deed], None] = lambda _: None,
    welcome: tuple[ClientLink, Policy] | None = None,
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve, and see to it that nothing was wrong with it."""

    async def ask(_: object) -> bool:
        raise AssertionError("nobody is asked here")

    task = asyncio.create_task(desk.serve(ask=ask, told=told, welcome=welcome))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


@asynccontextmanager
async def lent(folder: Path, *relays: str) -> AsyncIterator[BunkerLink]:
    """Serve ALICE's key at relays; the link that lets in one client."""
    desk = desk_in(folder)
    await desk.begin(relays)
    link = await desk.invite(Policy(encryption=True))
    async with serving(desk):
        yield link
