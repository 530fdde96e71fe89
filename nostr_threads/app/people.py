"""Where people write and read (NIP-65), as the store knows it or an index relay tells.

Knows which list of somebody counts. Knows nothing of what is done with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nostr_threads.core import kinds, queries
from nostr_threads.core.filters import Filter
from nostr_threads.core.inquiry import Question, Topic
from nostr_threads.core.relay_lists import RelayList, relay_list_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.core.coverage import Answer
    from nostr_threads.store.base import Store

__all__ = ["relay_lists"]


async def relay_lists(
    people: Sequence[str], index: Iterable[str], asking: Asking, *, store: Store, now: int
) -> dict[str, RelayList]:
    """Return the relay lists of those of `people` who have one.

    The `index` relays are asked about everybody of whom they were not asked lately; what they say
    is kept in the store.
    """
    questions = [
        Question(relay, condition, Topic.PEOPLE)
        for relay in index
        for condition in queries.about(people, None)
    ]
    answered = await asyncio.gather(*(asking.ask(question) for question in questions))
    await asking.close()
    return await asyncio.to_thread(_kept, [answer for _, answer in answered], people, store, now)


def _kept(
    answers: Iterable[Answer], people: Sequence[str], store: Store, now: int
) -> dict[str, RelayList]:
    for answer in answers:
        store.add(answer.events, relay=answer.relay, now=now)
    wanted = Filter(kinds=(kinds.RELAY_LIST,), authors=tuple(people))
    return {event.pubkey: relay_list_of(event) for event in store.query([wanted], now=now)}
