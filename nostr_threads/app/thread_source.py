"""A thread that is to be kept whole: fetched as any other, and noted how that ended at each relay.

Knows what of a fetch is kept about it. How a thread is found is `fetch`'s.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.fetch import pointer, stored_thread
from nostr_threads.core.coverage import Finish
from nostr_threads.core.crawl import Budget
from nostr_threads.errors import NoRelayReachable, NotFound
from nostr_threads.store.sources import Method, Sync

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.app.fetch import Fetch, Found
    from nostr_threads.core.sources import Source
    from nostr_threads.store.sql import SqlStore

__all__ = ["fetch_source", "is_whole"]


async def fetch_source(
    source: Source, fetch: Fetch, store: SqlStore, *, relays: Sequence[str], now: int
) -> dict[str, tuple[Sync, int]]:
    """Fetch the thread; return how it ended at each relay, and how many events are new from there.

    `relays` are those that it is told of when nothing could be fetched.
    """
    code = source.name.partition(" ")[2]
    before = {each.id for each in await off_loop(stored_thread, store, pointer(code))}
    fresh: Counter[str] = Counter()
    try:
        found = await fetch(code, relays=source.relays, budget=Budget(depth=source.depth))
    except (NotFound, NoRelayReachable) as error:
        # Nobody has it, as far as they say: that is no proof of anything.
        is_there = isinstance(error, NotFound)
        finish = Finish.LIMITED if is_there else Finish.UNREACHABLE
        ended = {url: Sync(Method.CRAWL, finish, str(error), now) for url in relays}
    else:
        ended = _ended(found, source, now)
        new = [each.id for each in found.thread.events if each.id not in before]
        seen = await off_loop(store.sightings, new)
        fresh.update(url for urls in seen.values() for url in urls)
    await off_loop(_note, store, source, ended, fresh)
    return {url: (sync, fresh[url]) for url, sync in ended.items()}


def is_whole(found: Found, source: Source) -> bool:
    """Whether all of a thread was found that is wanted of it."""
    return not found.coverage.unsure and not _limit(found, source)


def _limit(found: Found, source: Source) -> str:
    """Say what kept a thread from being found whole, but for the depth that was asked for."""
    is_meant = found.budget_hit is None or found.budget_hit == f"depth {source.depth}"
    return "" if is_meant else f"stopped after {found.budget_hit}"


def _note(
    store: SqlStore, source: Source, ended: Mapping[str, Sync], fresh: Mapping[str, int]
) -> None:
    for url, sync in ended.items():
        store.sources.note(source.name, url, sync)
        store.sources.got(source.name, url, None, events=fresh[url])


def _ended(found: Found, source: Source, now: int) -> dict[str, Sync]:
    """How a fetch ended at each relay that was asked about the thread."""
    hit = _limit(found, source)
    ended = {}
    for relay in found.coverage.relays:
        finish, reason = relay.finish or Finish.COMPLETE, relay.reason
        if hit and finish is Finish.COMPLETE:
            finish, reason = Finish.LIMITED, hit
        if relay.choice is None or relay.choice.reads:
            ended[relay.url] = Sync(Method.CRAWL, finish, reason, now)
    return ended
