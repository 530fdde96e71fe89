"""The threads under an author's notes: which of them are fetched anew, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.store.policy import Policy
from nostr_threads.testing import FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW, opened
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from nostr_threads.store.sql import SqlStore

DAY = 86_400
AUTHOR = Source(SourceKind.AUTHOR, ALICE.pubkey, replies=True)


def ids(store: SqlStore) -> set[str]:
    return {event.id for event in store.query([Filter()], now=int(NOW))}


def clock() -> float:
    return NOW


async def test_the_threads_under_an_authors_notes_are_kept_whole() -> None:
    note, quiet = ALICE.note("note", NOW - 100), ALICE.note("nobody answers", NOW - 90)
    answer = BOB.reply(note, "answer", NOW - 80)
    deep = BOB.reply(answer, "deep", NOW - 70)
    root = BOB.note("another's thread", NOW - 200)
    hers = ALICE.reply(root, "her answer", NOW - 60)
    beside = BOB.reply(root, "beside it", NOW - 50)
    alice = Source(SourceKind.AUTHOR, ALICE.pubkey, replies=True)
    async with (
        FaultyRelay(stocked([note, quiet, answer, deep, root, hers, beside])) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        nostr.store.sources.put(alice, now=int(NOW))
        (result,) = await nostr.mirror.run([alice])
        everything = {each.id for each in (note, quiet, answer, deep, root, hers, beside)}
        assert ids(nostr.store) == everything
        assert (result.whole, result.fresh) == (True, 7)
        assert set(result.branches) == {note.id, quiet.id, root.id}
        before = len(relay.received)
        (again,) = await nostr.mirror.run([alice])
        assert (again.whole, again.fresh) == (True, 0)
        # Nothing has moved: no thread is fetched again.
        assert len(relay.received) - before < 10
        later = BOB.reply(quiet, "at last", NOW - 10)
        relay.store.add([later], relay=None, now=int(NOW))
        (third,) = await nostr.mirror.run([alice])
        assert (third.fresh, ids(nostr.store)) == (1, everything | {later.id})


async def test_threads_that_are_not_whole_are_fetched_again_and_purged_ones_too() -> None:
    note = ALICE.note("note", NOW - 100)
    answer, gone = BOB.reply(note, "answer", NOW - 80), BOB.reply(note, "gone", NOW - 70)
    deep = BOB.reply(answer, "deep", NOW - 60)
    async with FaultyRelay(stocked([note, answer, gone])) as relay:
        named = (relay.url, "ws://127.0.0.1:9")
        alice = Source(SourceKind.AUTHOR, ALICE.pubkey, named, replies=True)
        async with opened(":memory:", clock=clock) as nostr:
            await nostr.mirror.add(alice)
            (result,) = await nostr.mirror.run()
            assert not result.whole
            assert [branch.whole for branch in result.branches.values()] == [False]
            alone = Source(SourceKind.AUTHOR, ALICE.pubkey, (relay.url,), replies=True)
            await nostr.mirror.add(alone)
            (result,) = await nostr.mirror.run()
            assert result.whole
            request = BOB.event(5, "", NOW, (("e", gone.id),))
            nostr.store.add([request], relay=None, now=int(NOW))
            nostr.store.adopt(Policy.PURGE)
            await nostr.mirror.run()
            # One went and one came: the count is as before, or less.
            relay.store.add([deep], relay=None, now=int(NOW))
            (result,) = await nostr.mirror.run()
            assert (result.whole, deep.id in ids(nostr.store)) == (True, True)


async def test_answers_that_came_late_to_a_relay_come_with_the_next_or_by_a_run_anew() -> None:
    """Questions reach back a day into what was fetched; `anew` they ask for everything."""
    note = ALICE.note("note", NOW - 10 * DAY)
    late, later = (BOB.reply(note, text, NOW - 2 * DAY) for text in ("late", "later"))
    soon = BOB.reply(note, "soon", NOW - DAY // 2)
    async with (
        FaultyRelay(stocked([note])) as relay,
        opened(":memory:", relay.url, clock=clock) as nostr,
    ):
        await nostr.mirror.add(AUTHOR)
        await nostr.mirror.run()
        relay.store.add([late], relay=None, now=int(NOW))
        await nostr.mirror.run()
        assert ids(nostr.store) == {note.id}
        relay.store.add([soon], relay=None, now=int(NOW))
        await nostr.mirror.run()
        # The thread has moved: it is fetched whole, and with it what came late.
        assert ids(nostr.store) == {note.id, soon.id, late.id}
        relay.store.add([later], relay=None, now=int(NOW))
        (result,) = await nostr.mirror.run(anew=True)
        assert ids(nostr.store) == {note.id, soon.id, late.id, later.id}
        assert result.branches[note.id].events == 4


@pytest.mark.parametrize("answers", [True, False])
async def test_what_did_not_move_counts_as_fetched_only_where_everybody_answered(
    answers: bool,
) -> None:
    note, moment = ALICE.note("note", NOW - 50), NOW
    async with (
        FaultyRelay(stocked([note])) as relay,
        opened(":memory:", clock=lambda: moment) as nostr,
    ):
        source = Source(AUTHOR.kind, AUTHOR.value, (relay.url,), replies=True)
        await nostr.mirror.add(source)
        (first,) = await nostr.mirror.run()
        moment = NOW + 100
        if not answers:
            named = (relay.url, "ws://127.0.0.1:9")
            await nostr.mirror.add(Source(AUTHOR.kind, AUTHOR.value, named, replies=True))
        (second,) = await nostr.mirror.run()
        dates = [each.branches[note.id].fetched_at for each in (first, second)]
        assert dates == [NOW, NOW + 100 if answers else NOW]
