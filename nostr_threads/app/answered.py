"""What an answer answers: its event, from the store or from relays, and where others find it.

Knows in which order to look. How a thread is loaded or fetched is the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.fetch import pointer
from nostr_threads.core import kinds
from nostr_threads.core.answering import Target
from nostr_threads.core.node import Node
from nostr_threads.core.relay_url import is_local
from nostr_threads.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeAlias

    from nostr_threads.app.fetch import Found
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store

    Look: TypeAlias = Callable[[str], Awaitable[Found]]

__all__ = ["event_of", "target_of"]


async def target_of(answered: Node | Verified | str, store: Store, looks: Sequence[Look]) -> Target:
    """Return what is answered, and a relay that has it. Raises `InvalidCode`, `NotFound`."""
    event = answered.event if isinstance(answered, Node) else answered
    if isinstance(event, str):
        event = await event_of(event, store, looks)
    if event is None:
        raise NotFound("a missing note cannot be answered: nobody who was asked has it")
    seen = await off_loop(store.sightings, [event.id])
    hints = seen.get(event.id, ())
    return Target(event, next((url for url in hints if not is_local(url)), ""))


async def event_of(code: str, store: Store, looks: Sequence[Look]) -> Verified:
    """Return the event of a code: from the store, else by the first of `looks` that finds it.

    Raises `InvalidCode`, `NotFound`.
    """
    start = pointer(code)
    known = await off_loop(store.event, start.key) if start.id else None
    if known is not None:
        return known
    why = "nobody who was asked has it"
    for look in looks:
        try:
            found = await look(code)
        except NotFound as error:
            why = str(error)
            continue
        for event in found.thread.events:
            if start.key in (event.id, kinds.address_of(event)):
                return event
    raise NotFound(f"{start.key} cannot be answered: {why}")
