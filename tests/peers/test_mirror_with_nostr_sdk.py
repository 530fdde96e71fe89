"""The mirror with rust-nostr's relay and client at the other end: brought here and there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nostr_threads.core.filters import Filter
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.relayd import RelayServer
from nostr_threads.store.sources import Method
from nostr_threads.testing import START, Author
from tests.app.worlds import opened
from tests.peers.rust import SECONDS, Shelf, local_relay, read_all, rust_client, sdk
from tests.peers.test_reconciling_with_nostr_sdk import fill, foreign
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    import nostr_threads as nt

ALICE = Author(b"alice")
NOSTR = Source(SourceKind.HASHTAG, "nostr")
NOTES = [ALICE.event(1, f"note {n}", int(START) + n, (("t", "nostr"),)) for n in range(300)]
OTHER = ALICE.note("without the tag")


def ids(nostr: nt.Nostr) -> set[str]:
    return {event_id.hex() for _, event_id in nostr.store.items([Filter()], now=None)}


async def test_a_source_is_brought_here_from_its_relay_and_what_is_new_the_next_time() -> None:
    async with local_relay() as (_, url):
        await fill(url, [*NOTES[:250], OTHER])
        async with opened(":memory:", url) as nostr:
            await nostr.mirror.add(NOSTR)
            (first,) = await nostr.mirror.run()
            assert (first.whole, first.fresh) == (True, 250)
            assert {sync.method for sync in first.syncs.values()} == {Method.NEGENTROPY}
            await fill(url, NOTES[250:])
            (second,) = await nostr.mirror.run()
            assert (second.whole, second.fresh) == (True, 50)
            assert ids(nostr) == {note.id for note in NOTES}


async def test_what_its_relay_has_not_is_brought_there_and_its_client_reads_it() -> None:
    async with local_relay() as (_, url):
        await fill(url, NOTES[:100])
        async with opened(":memory:") as nostr:
            nostr.store.add(NOTES, relay=None, now=int(START))
            pushed = await nostr.mirror.push(NOSTR, url)
            assert (pushed.there, pushed.taken, pushed.whole) == (100, 200, True)
        found = await read_all(url, sdk.Filter().hashtag("nostr"))
        assert {event.id().to_hex() for event in found} == {note.id for note in NOTES}
        assert all(event.verify() for event in found)


async def test_its_client_syncs_a_mirrored_source_from_our_relay() -> None:
    async with local_relay() as (_, url), opened(":memory:", url) as nostr:
        await fill(url, NOTES[:120])
        await nostr.mirror.add(NOSTR)
        await nostr.mirror.run()
        events = nostr.store.query([Filter()], now=int(START) + 1_000)
    shelf = Shelf(foreign(NOTES[:20]))
    async with (
        RelayServer(stocked(events)) as relay,
        rust_client(relay.url, database=shelf) as client,
        asyncio.timeout(2 * SECONDS),
    ):
        await client.sync(sdk.Filter().hashtag("nostr"))
    assert set(shelf.events) == {note.id for note in NOTES[:120]}
