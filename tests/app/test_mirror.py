"""Sources brought up to date: everything is got, from every relay, and what is not is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.app.gathering import Gathering
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Request
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.core.windows import Span
from nostr_threads.errors import InvalidInput
from nostr_threads.relayd import RelayServer
from nostr_threads.store.policy import Policy
from nostr_threads.store.sources import Method
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW, opened, relay_list
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nostr_threads.app.mirror import Progress
    from nostr_threads.store.sql import SqlStore

TAG = ("t", "nostr")
NOSTR = Source(SourceKind.HASHTAG, "nostr")
DAY = 86_400

NOTES = [
    (ALICE if number % 2 else BOB).event(1, f"note {number}", NOW - number * DAY // 3, (TAG,))
    for number in range(60)
]
OTHER = ALICE.event(1, "without the tag", NOW)


def ids(store: SqlStore, condition: Filter | None = None) -> set[str]:
    return {event.id for event in store.query([condition or Filter()], now=int(NOW))}


def asked(relay: FaultyRelay) -> list[Filter]:
    return [
        condition
        for message in relay.received
        if isinstance(message, Request)
        for condition in message.filters
        if condition.tags.get("t")
    ]


def clock() -> float:
    return NOW


async def test_a_source_is_got_whole_from_every_relay() -> None:
    async with (
        RelayServer(stocked([*NOTES[:40], OTHER])) as one,
        RelayServer(stocked(NOTES[20:])) as two,
        opened(":memory:", one.url, two.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        (result,) = await nostr.mirror.run(nostr.store.sources.all())
        assert result.whole
        assert {url: sync.finish for url, sync in result.syncs.items()} == {
            one.url: Finish.COMPLETE,
            two.url: Finish.COMPLETE,
        }
        assert ids(nostr.store) == {note.id for note in NOTES}
        syncs = nostr.store.sources.syncs(NOSTR.name)
        assert sum(sync.events for sync in syncs.values()) == result.fresh == len(NOTES)
        seen = nostr.store.sightings([NOTES[0].id, NOTES[59].id])
        assert list(seen.values()) == [(one.url,), (two.url,)]


async def test_the_next_run_asks_for_what_is_new_and_reaches_back_an_hour(tmp_path: Path) -> None:
    moment = NOW
    later = ALICE.event(1, "later", NOW + 100, (TAG,))
    async with FaultyRelay(stocked(NOTES), Faults(no_negentropy=True)) as relay:
        async with opened(tmp_path / "a.db", relay.url, clock=lambda: moment) as nostr:
            nostr.store.sources.put(NOSTR, now=int(NOW))
            await nostr.mirror.run([NOSTR])
        before = len(asked(relay))
        relay.store.add([later], relay=None, now=int(NOW))
        moment = NOW + 1_000
        async with opened(tmp_path / "a.db", relay.url, clock=lambda: moment) as nostr:
            (result,) = await nostr.mirror.run([NOSTR])
            assert (result.whole, result.fresh) == (True, 1)
            assert result.syncs[relay.url].method is Method.PAGES
            assert later.id in ids(nostr.store)
    again = asked(relay)[before:]
    assert {condition.since for condition in again} == {int(NOW) + 1 - 3_600}


async def test_everything_is_asked_for_again_on_demand() -> None:
    late = BOB.event(1, "came late to its relay", NOW - 50 * DAY, (TAG,))
    async with (
        FaultyRelay(stocked(NOTES), Faults(no_negentropy=True)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        await nostr.mirror.run([NOSTR])
        relay.store.add([late], relay=None, now=int(NOW))
        await nostr.mirror.run([NOSTR])
        assert late.id not in ids(nostr.store)
        (result,) = await nostr.mirror.run([NOSTR], anew=True)
        assert (result.fresh, late.id in ids(nostr.store)) == (1, True)


async def test_a_relay_that_hangs_up_or_is_down_holds_no_other_up() -> None:
    dropping = Faults(no_negentropy=True, drop_connection_after=15, drop_first=2)
    async with (
        FaultyRelay(stocked(NOTES[:30]), dropping) as one,
        RelayServer(stocked(NOTES[30:])) as two,
        opened(":memory:", one.url, two.url, "ws://127.0.0.1:9", clock=clock) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        (result,) = await nostr.mirror.run([NOSTR])
        assert not result.whole
        finishes = [sync.finish for sync in result.syncs.values()]
        assert finishes == [Finish.COMPLETE, Finish.COMPLETE, Finish.UNREACHABLE]
        assert nostr.store.sources.syncs(NOSTR.name)["ws://127.0.0.1:9"].reason
        assert ids(nostr.store) == {note.id for note in NOTES}


async def test_what_came_before_it_was_cut_off_is_not_asked_for_again(tmp_path: Path) -> None:
    async with FaultyRelay(stocked(NOTES), Faults(no_negentropy=True)) as relay:
        async with opened(tmp_path / "a.db", relay.url, clock=clock) as nostr:
            nostr.store.sources.put(NOSTR, now=int(NOW))
            enough = asyncio.Event()

            def progress(told: Progress) -> None:
                if told.fresh >= 3:
                    enough.set()

            running = asyncio.create_task(nostr.mirror.run([NOSTR], progress=progress))
            await enough.wait()
            running.cancel()
            await asyncio.wait([running])
            sync = nostr.store.sources.syncs(NOSTR.name)[relay.url]
            assert sync.finish is None
            assert sync.spans.spans[0].last == int(NOW)
        before = len(asked(relay))
        async with opened(tmp_path / "a.db", relay.url, clock=clock) as nostr:
            (result,) = await nostr.mirror.run([NOSTR])
            assert result.whole
            assert ids(nostr.store) == {note.id for note in NOTES}
            assert nostr.store.sources.syncs(NOSTR.name)[relay.url].events == len(NOTES)
    assert max(condition.until or 0 for condition in asked(relay)[before:]) < int(NOW)


async def test_a_forging_relay_is_not_complete_and_nothing_forged_is_kept() -> None:
    forging = Faults(no_negentropy=True, forge="content", forge_where="instead")
    async with (
        FaultyRelay(stocked(NOTES[:5]), forging) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        (result,) = await nostr.mirror.run([NOSTR])
        assert not result.whole
        assert result.syncs[relay.url].finish is Finish.LIMITED
        assert ids(nostr.store) == set()
        # Some seconds had nothing in them; those of the notes do not count as got.
        spans = nostr.store.sources.syncs(NOSTR.name)[relay.url].spans
        assert not any(spans.covers(Span(n.created_at, n.created_at)) for n in NOTES[:5])


# Where a relay tells what is missing


async def test_where_a_relay_tells_what_is_missing_only_that_is_asked_for() -> None:
    late = BOB.event(1, "came late to its relay", NOW - 50 * DAY, (TAG,))
    async with (
        FaultyRelay(stocked(NOTES)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        (first,) = await nostr.mirror.run([NOSTR])
        assert (first.whole, first.fresh) == (True, len(NOTES))
        before = len(relay.received)
        relay.store.add([late], relay=None, now=int(NOW))
        (second,) = await nostr.mirror.run([NOSTR])
        assert (second.whole, second.fresh) == (True, 1)
        assert second.syncs[relay.url].method is Method.NEGENTROPY
        requests = [each for each in relay.received[before:] if isinstance(each, Request)]
        assert [each.filters[0].ids for each in requests] == [(late.id,)]
        spans = nostr.store.sources.syncs(NOSTR.name)[relay.url].spans
        assert [(span.first, span.last) for span in spans.spans] == [(0, int(NOW))]


async def test_what_is_hidden_here_is_not_missing() -> None:
    """Superseded, deleted and expired events are here all the same."""
    old, new = (ALICE.event(0, text, NOW - age) for text, age in (("old", 9), ("new", 5)))
    gone = ALICE.event(1, "gone", NOW - 50)
    request = ALICE.event(5, "", NOW - 3, (("e", gone.id),))
    over = ALICE.event(1, "over", NOW - 900, (("expiration", str(int(NOW) - 800)),))
    everything = Source.parse(SourceKind.FILTER, "{}")
    async with (
        FaultyRelay(stocked()) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.add([old, new, gone, request, over], relay=relay.url, now=int(NOW))
        relay.store.add([old, gone, over], relay=None, now=int(NOW) - 850)
        nostr.store.sources.put(everything, now=int(NOW))
        (result,) = await nostr.mirror.run([everything])
        assert (result.whole, result.fresh) == (True, 0)
        assert not any(isinstance(each, Request) for each in relay.received)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(negentropy_error="blocked: this query is too big"),
        Faults(no_negentropy=True),
        Faults(silent_negentropy=True),
        Faults(negentropy_answer="61"),
        Faults(negentropy_answer="nonsense"),
    ],
)
async def test_one_that_cannot_compare_is_asked_for_everything(faults: Faults) -> None:
    async with (
        FaultyRelay(stocked(NOTES), faults) as relay,
        opened(":memory:", relay.url, clock=clock, quick=1.0) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        (result,) = await nostr.mirror.run([NOSTR])
        if faults.negentropy_answer != "61":  # which says that nothing is missing
            assert (result.whole, result.fresh) == (True, len(NOTES))
            assert result.syncs[relay.url].method is Method.PAGES


async def test_ids_of_events_that_are_not_there_are_told() -> None:
    async with (
        FaultyRelay(stocked(NOTES), Faults(invented_ids=3)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        await nostr.mirror.add(NOSTR)
        (result,) = await nostr.mirror.run()
        sync = result.syncs[relay.url]
        assert (sync.finish, "it names 3 events" in sync.reason) == (Finish.LIMITED, True)
        assert ids(nostr.store) == {note.id for note in NOTES}
        assert nostr.store.sources.syncs(NOSTR.name)[relay.url].spans.spans == ()


async def test_what_nobody_asked_for_is_not_kept() -> None:
    kept: list[nt.Verified] = []

    async def keep(events: Sequence[nt.Verified]) -> None:
        kept.extend(events)

    async with (
        RelayServer(stocked([*NOTES[:3], OTHER])) as relay,
        opened(":memory:", relay.url) as nostr,
    ):
        wanted = Filter(tags={"t": ("nostr",)})
        gathering = Gathering(wanted, nostr.pool.relay(relay.url), nostr.store, keep)
        named = [bytes.fromhex(event.id) for event in (*NOTES[:3], OTHER)]
        finish, reason = await gathering.run(named)
    assert (finish, "1 events" in reason) == (Finish.LIMITED, True)
    assert {event.id for event in kept} == {note.id for note in NOTES[:3]}


async def test_what_was_purged_is_not_asked_for_again() -> None:
    gone = ALICE.event(1, "gone", NOW - 50, (TAG,))
    async with (
        FaultyRelay(stocked([*NOTES, gone])) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        await nostr.mirror.add(NOSTR)
        await nostr.mirror.run()
        request = ALICE.event(5, "", NOW, (("e", gone.id),))
        nostr.store.add([request], relay=None, now=int(NOW))
        nostr.store.adopt(Policy.PURGE)
        await nostr.mirror.run()
        before = len(relay.received)
        (result,) = await nostr.mirror.run()
        assert (result.whole, result.fresh) == (True, 0)
        assert not any(isinstance(each, Request) for each in relay.received[before:])
        assert gone.id not in {
            event_id.hex() for _, event_id in nostr.store.items([Filter()], now=None)
        }


async def test_what_is_still_to_come_does_not_count_as_got() -> None:
    until = int(NOW) + 10_000
    some = Source.parse(SourceKind.FILTER, f'{{"#t":["nostr"],"until":{until}}}')
    async with (
        RelayServer(stocked(NOTES)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        await nostr.mirror.add(some)
        await nostr.mirror.run()
        assert nostr.store.sources.syncs(some.name)[relay.url].spans.spans[-1].last == NOW


@pytest.mark.parametrize(("skew", "counted"), [(-7_000.0, -7_000), (-30.0, 0), (7_000.0, 0)])
async def test_only_where_our_clock_is_ahead_the_relays_time_counts(
    monkeypatch: pytest.MonkeyPatch, skew: float, counted: int
) -> None:
    async with (
        RelayServer(stocked(NOTES)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        monkeypatch.setattr(nostr.pool, "clock_skews", lambda: {relay.url: skew})
        await nostr.mirror.add(NOSTR)
        await nostr.mirror.run()
        got = nostr.store.sources.syncs(NOSTR.name)[relay.url].spans.spans[-1].last
        assert got == int(NOW) + counted


async def test_what_a_relay_names_and_does_not_send_is_told() -> None:
    forging = Faults(forge="content", forge_where="instead")
    async with (
        FaultyRelay(stocked(NOTES[:5]), forging) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(NOSTR, now=int(NOW))
        (result,) = await nostr.mirror.run([NOSTR])
        sync = result.syncs[relay.url]
        assert sync.finish is Finish.LIMITED
        assert ids(nostr.store) == set()


async def test_a_depth_that_was_asked_for_is_all_that_is_wanted() -> None:
    root = ALICE.note("root", NOW - 50)
    answer = BOB.reply(root, "answer", NOW - 40)
    deep = BOB.event(1, "deep", NOW - 30, (("e", answer.id, "", "reply"),))
    async with RelayServer(stocked([root, answer, deep])) as relay, opened(":memory:") as nostr:
        shallow = Source.parse(SourceKind.THREAD, root.id, relays=(relay.url,), depth=1)
        await nostr.mirror.add(shallow)
        (result,) = await nostr.mirror.run()
        assert (result.whole, ids(nostr.store)) == (True, {root.id, answer.id})


async def test_an_author_is_got_from_where_they_write() -> None:
    async with RelayServer(stocked(NOTES)) as theirs, RelayServer(stocked([OTHER])) as ours:
        people = stocked([relay_list(ALICE, write=[theirs.url])])
        async with (
            RelayServer(people) as index,
            opened(
                ":memory:", ours.url, index=[index.url], known=[theirs.url], clock=clock
            ) as nostr,
        ):
            alice = Source(SourceKind.AUTHOR, ALICE.pubkey)
            nostr.store.sources.put(alice, now=int(NOW))
            (result,) = await nostr.mirror.run([alice])
            assert set(result.syncs) == {ours.url, theirs.url}
            by_alice = {note.id for note in NOTES if note.pubkey == ALICE.pubkey} | {OTHER.id}
            assert ids(nostr.store, Filter(kinds=(1,))) == by_alice
            named = Source(SourceKind.AUTHOR, ALICE.pubkey, (ours.url,))
            (result,) = await nostr.mirror.run([named])
            assert set(result.syncs) == {ours.url}


async def test_a_thread_is_a_source_too() -> None:
    root = ALICE.note("root")
    answers = [BOB.reply(root, f"answer {number}") for number in range(3)]
    async with (
        RelayServer(stocked([root, *answers])) as relay,
        opened(":memory:", relay.url) as nostr,
    ):
        thread = Source.parse(SourceKind.THREAD, root.id)
        missing = Source.parse(SourceKind.THREAD, "ab" * 32, relays=(relay.url,))
        for source in (thread, missing):
            nostr.store.sources.put(source, now=int(NOW))
        found, nothing = await nostr.mirror.run([thread, missing])
        assert (found.whole, found.fresh) == (True, 4)
        assert nostr.store.sources.syncs(thread.name)[relay.url].events == 4
        assert (await nostr.mirror.run([thread]))[0].fresh == 0
        assert "the relay has no" in nothing.syncs[relay.url].reason


async def test_what_does_not_search_is_not_asked_to() -> None:
    """A relay that does not know NIP-50 gives everything."""
    words = Source(SourceKind.SEARCH, "note")
    async with (
        FaultyRelay(stocked(NOTES)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(words, now=int(NOW))
        (result,) = await nostr.mirror.run([words])
        assert result.syncs[relay.url].finish is Finish.REFUSED
        assert "NIP-50" in result.syncs[relay.url].reason
        assert ids(nostr.store) == set()


async def test_a_filter_is_got_between_its_times() -> None:
    since, until = int(NOW) - 10 * DAY, int(NOW) - 5 * DAY
    some = Source.parse(SourceKind.FILTER, f'{{"#t":["nostr"],"since":{since},"until":{until}}}')
    async with RelayServer(stocked(NOTES)) as relay, opened(":memory:", relay.url) as nostr:
        nostr.store.sources.put(some, now=int(NOW))
        (result,) = await nostr.mirror.run([some])
        assert result.whole
        assert ids(nostr.store) == {n.id for n in NOTES if since <= n.created_at <= until}


async def test_a_relay_is_asked_for_two_sources_at_once_at_most() -> None:
    """It may compare only a few at once, and everybody else wants something of it, too."""
    sources = [Source(SourceKind.HASHTAG, f"tag{number}") for number in range(6)]
    at_work: set[str] = set()
    most = 0

    def told(progress: Progress) -> None:
        nonlocal most
        if progress.sync is None:
            at_work.add(progress.source.name)
        else:
            at_work.remove(progress.source.name)
        most = max(most, len(at_work))

    async with (
        RelayServer(stocked(NOTES)) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        for source in sources:
            await nostr.mirror.add(source)
        results = await nostr.mirror.run(progress=told)
    assert all(result.whole for result in results)
    assert (most, at_work) == (2, set())


async def test_where_no_relay_is_known_that_is_said() -> None:
    async with opened(":memory:") as nostr:
        with pytest.raises(InvalidInput, match="no relay to read from"):
            await nostr.mirror.run([NOSTR])


def test_a_closed_store_is_told_as_it_is() -> None:
    async def run() -> None:
        async with opened(":memory:", "ws://127.0.0.1:9") as nostr:
            nostr.store.close()
            with pytest.raises(nt.errors.StoreError, match="closed"):
                await nostr.mirror.run([NOSTR])

    asyncio.run(run())
