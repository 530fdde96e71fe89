"""NIP-77 with rust-nostr at the other end: our client at its relay, and its client at ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.negentropy import Items
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import thread
from tests.net.peers import kept
from tests.peers.rust import SECONDS, Shelf, local_relay, rust_client, sdk
from tests.relayd.peers import NOW, stocked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified

NOTES = Filter(kinds=(1,))
THREAD = thread(400, seed=78)
SIDES = [
    (THREAD[:300], THREAD[100:]),
    (THREAD, ()),
    ((), THREAD),
    (THREAD, THREAD),
    (THREAD[::2], THREAD[1::2]),
    ((), ()),
]
NAMES = ["both", "we have none", "it has none", "the same", "nothing shared", "none"]


def foreign(events: Sequence[Verified]) -> list[Any]:
    return [sdk.Event.from_json(event.to_json()) for event in events]


async def fill(url: str, events: Sequence[Verified]) -> None:
    async with rust_client(url) as client, asyncio.timeout(3 * SECONDS):
        sent = await asyncio.gather(*(client.send_event(event) for event in foreign(events)))
        assert all(len(each.success) == 1 for each in sent)


@pytest.mark.parametrize(("theirs", "ours"), SIDES, ids=NAMES)
async def test_our_client_finds_what_its_relay_and_we_do_not_share(
    theirs: Sequence[Verified], ours: Sequence[Verified]
) -> None:
    async with local_relay() as (_, url):
        await fill(url, theirs)
        async with kept(url.rstrip("/")) as relay:
            items = Items((event.created_at, event.id) for event in ours)
            found = await relay.reconcile(NOTES, items)
    assert (found.finish, found.reason) == (Finish.COMPLETE, "")
    held, wanted = {event.id for event in ours}, {event.id for event in theirs}
    assert {each.hex() for each in found.have} == held - wanted
    assert {each.hex() for each in found.need} == wanted - held


@pytest.mark.parametrize(("theirs", "ours"), SIDES, ids=NAMES)
async def test_its_client_and_our_relay_end_up_with_the_same_events(
    theirs: Sequence[Verified], ours: Sequence[Verified]
) -> None:
    store, shelf = stocked(ours), Shelf(foreign(theirs))
    async with RelayServer(store) as relay, rust_client(relay.url, database=shelf) as client:
        async with asyncio.timeout(2 * SECONDS):
            both = sdk.SyncOptions().direction(sdk.SyncDirection.BOTH)
            done = await client.sync(sdk.Filter().kind(sdk.Kind(1)), opts=both)
    assert done.failed == {}
    union = {event.id for event in (*ours, *theirs)}
    assert shelf.events.keys() == union
    assert {event.id for event in store.query([NOTES], now=NOW)} == union
