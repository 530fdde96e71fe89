"""Where an answer goes: own relays, those of the people it tags, and where what it answers was.

Knows whose relay lists (NIP-65) are wanted and how they are come by. How relays are weighed is
`core.routing`'s to know.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds, queries
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.filters import Filter
from nostr_threads.core.inquiry import Question, Topic
from nostr_threads.core.relay_lists import RelayList, relay_list_of
from nostr_threads.core.routing import Choice, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.app.asking import Asking
    from nostr_threads.app.routes import Routes
    from nostr_threads.core.event import Draft
    from nostr_threads.store.base import Store

__all__ = ["destinations", "relay_lists"]


async def destinations(
    drafts: Sequence[Draft],
    author: str,
    named: Sequence[str],
    routes: Routes,
    asking: Asking,
    store: Store,
    now: int,
    *,
    places: Sequence[str] = (),
) -> tuple[Choice, ...]:
    """Choose where the `drafts` of `author` go: to the `named` relays alone, if there are any.

    `places` are where what they are about was sent; all of these are wanted. Raises `InvalidInput`
    when there is nowhere to write to.
    """
    writers = routes.writers(named)
    if named:
        return tuple(Choice(url, Reason.NAMED) for url in writers)
    tags = [tag for draft in drafts for tag in draft.tags if len(tag) > 1]
    tagged = {tag[1] for tag in tags if tag[0] in ("p", "P") and HEX_64.fullmatch(tag[1])}
    people = (author, *sorted(tagged - {author}))
    lists = await relay_lists(people, routes.index, asking, store, now)
    answered = [tag[1] for tag in drafts[0].tags if tag[0] == "e" and len(tag) > 1][-1:]
    seen = await off_loop(store.sightings, answered)
    choices = routes.writing(
        lists.pop(author, None),
        lists,
        [url for urls in seen.values() for url in urls],
        records=await off_loop(store.relay_records),
    )
    chosen = {choice.relay for choice in choices}
    more = (url for url in places if url not in chosen and routes.may_dial(url))
    return (*choices, *(Choice(url, Reason.SEEN) for url in more))


async def relay_lists(
    people: Sequence[str], index: Iterable[str], asking: Asking, store: Store, now: int
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
    await asyncio.gather(*(asking.ask(question) for question in questions))
    await asking.close()
    wanted = Filter(kinds=(kinds.RELAY_LIST,), authors=tuple(people))
    lists = await off_loop(store.query, [wanted], now=now, strict=True)
    return {event.pubkey: relay_list_of(event) for event in lists}
