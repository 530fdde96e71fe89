"""The sole right to send a posting: taken, renewed while it is used, and given back.

Knows how long it lasts. Knows nothing of what is sent.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nostr_threads.store.base import Outbox

__all__ = ["leased"]

# Seconds for which a process that died keeps others from sending, and how often the living renew.
_LEASE = 45
_RENEWAL = 10.0


@asynccontextmanager
async def leased(posting_id: str, outbox: Outbox, clock: Callable[[], int]) -> AsyncIterator[bool]:
    """Hold a posting's lease while the block runs; False where somebody else holds it.

    It is given back however the block ends. When it cannot be renewed any more the block is stopped
    and `StoreError` raised.
    """
    owner = secrets.token_hex(8)

    async def take() -> bool:
        now = clock()
        taking = off_loop(outbox.lease, posting_id, owner, now=now, until=now + _LEASE)
        return await to_its_end(taking)

    async def renew() -> None:
        while True:
            await asyncio.sleep(_RENEWAL)  # well before it runs out
            if not await take():
                raise StoreError(f"the answer {posting_id} is being sent by another process")

    try:
        is_ours = await take()
        async with asyncio.TaskGroup() as tasks:
            renewing = tasks.create_task(renew()) if is_ours else None
            yield is_ours
            if renewing is not None:
                renewing.cancel()
    finally:
        await to_its_end(off_loop(outbox.release, posting_id, owner))
