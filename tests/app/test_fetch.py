"""Fetching against relays on real ports, good and bad: what is found, and how sure it is."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.core.coverage import RelayCoverage
from nostr_threads.core.crawl import Budget
from nostr_threads.core.messages import Auth
from nostr_threads.errors import InvalidCode, InvalidInput, NoRelayReachable, NotFound, StoreError
from nostr_threads.relayd import RelayServer
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import GARBAGE, Faults, FaultyRelay, thread
from tests.app.worlds import ALICE, BOB, NOW, opened, shape
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from nostr_threads.app.fetch import Progress

NOTES = thread(30, authors=4)
ROOT, LAST = NOTES[0], NOTES[-1]
TRUTH = shape(nt.Thread.build(NOTES))
DEAD = "ws://127.0.0.1:9"
COMPLETE, LIMITED = nt.Finish.COMPLETE, nt.Finish.LIMITED


def figures(found: nt.Found) -> list[tuple[str, nt.Finish | None, int, int]]:
    """What each relay gave: its URL, how it ended, its notes, those that only it had."""
    return [(r.url, r.finish, r.events, r.only_here) for r in found.coverage.relays]


async def test_each_relay_is_told_apart_and_the_union_is_the_thread(tmp_path: Path) -> None:
    async with (
        RelayServer(stocked(NOTES[:20])) as first,
        RelayServer(stocked(NOTES[10:])) as second,
        opened(tmp_path / "a.db", first.url, second.url) as nostr,
    ):
        found = await nostr.fetch(LAST.id)
    assert shape(found.thread) == TRUTH
    assert figures(found) == [(first.url, COMPLETE, 20, 10), (second.url, COMPLETE, 20, 10)]
    assert (found.whole, found.budget_hit, found.coverage.unsure) == (True, None, ())


async def test_relays_that_fail_are_unsure_and_take_nothing_away(tmp_path: Path) -> None:
    async with (
        RelayServer(stocked(NOTES)) as good,
        FaultyRelay(stocked(NOTES), Faults(drop_connection_after=3)) as cut,
        FaultyRelay(stocked(NOTES), Faults(auth_required=True)) as closed,
        FaultyRelay(stocked(NOTES), Faults(silent_eose=True)) as silent,
        FaultyRelay(stocked(NOTES), Faults(wrong_subscription=True)) as confused,
        FaultyRelay(stocked(NOTES), Faults(garbage=GARBAGE, duplicates=2)) as noisy,
        opened(
            tmp_path / "a.db",
            *(good.url, cut.url, closed.url, silent.url, confused.url, noisy.url, DEAD),
            quick=0.5,
        ) as nostr,
    ):
        found = await nostr.fetch(ROOT.id)
    assert shape(found.thread) == TRUTH
    finishes = {relay.url: relay.finish for relay in found.coverage.relays}
    assert finishes == {
        good.url: COMPLETE,
        cut.url: nt.Finish.LOST,
        closed.url: nt.Finish.REFUSED,
        silent.url: nt.Finish.TIMEOUT,
        confused.url: LIMITED,  # it counts what it never sent
        noisy.url: nt.Finish.LIMITED,
        DEAD: nt.Finish.UNREACHABLE,
    }
    assert set(found.coverage.unsure) == {relay for relay in finishes if relay != good.url}
    assert not found.whole
    events = {relay.url: relay.events for relay in found.coverage.relays}
    assert [events[good.url], events[noisy.url], events[confused.url]] == [30, 30, 0]


@pytest.mark.parametrize("how", ["content", "signature", "id"])
@pytest.mark.parametrize("where", ["before", "between", "after", "instead"])
@pytest.mark.parametrize("forger_first", [True, False])
async def test_forged_copies_from_another_relay_never_change_the_result(
    how: Any, where: Any, *, forger_first: bool
) -> None:
    forger = FaultyRelay(stocked(NOTES), Faults(forge=how, forge_where=where))
    async with RelayServer(stocked(NOTES)) as honest, forger:
        urls = (forger.url, honest.url) if forger_first else (honest.url, forger.url)
        async with opened(":memory:", *urls) as nostr:
            found = await nostr.fetch(ROOT.id)
            assert nostr.store.thread(ROOT.id)
            for note in NOTES:
                assert nostr.store.event(note.id) == note
    assert found.thread.events == nt.Thread.build(NOTES).events
    by_url = {relay.url: relay for relay in found.coverage.relays}
    assert by_url[honest.url].events == len(NOTES)
    assert by_url[forger.url].refused > 0
    assert by_url[forger.url].events == (0 if where == "instead" else len(NOTES))


async def test_events_that_nobody_asked_for_do_not_join_the_thread() -> None:
    stranger = BOB.note("buy this", NOW)
    false_child = BOB.note("me too", NOW, (("e", stranger.id, "", "root"), ("e", ROOT.id)))
    faults = Faults(extra_events=(stranger, false_child))
    async with (
        FaultyRelay(stocked(NOTES), faults) as relay,
        opened(":memory:", relay.url) as nostr,
    ):
        found = await nostr.fetch(ROOT.id)
    assert shape(found.thread) == TRUTH


LOCAL = ("127.0.0.1", "localhost", "127.1", "2130706433", "0.0.0.0")  # noqa: S104 - not bound to
LOCAL_6 = ("[::1]", "[::ffff:127.0.0.1]")


async def test_hints_in_the_code_to_this_machine_are_never_dialled() -> None:
    async with RelayServer(stocked(NOTES)) as good, FaultyRelay(stocked(NOTES)) as hidden:
        port = hidden.url.rpartition(":")[2]
        hints = tuple(f"ws://{host}:{port}" for host in (*LOCAL, *LOCAL_6))
        code = nip19.encode(nip19.EventPointer(ROOT.id, hints))
        async with opened(":memory:", good.url) as nostr:
            found = await nostr.fetch(code)
        assert (hidden.accepted_connections, hidden.received) == (0, [])
    assert [relay.url for relay in found.coverage.relays] == [good.url]


async def test_hints_in_the_events_to_this_machine_are_never_dialled() -> None:
    async with FaultyRelay(stocked()) as hidden:
        root = ALICE.note("root", NOW)
        reply = BOB.reply(root, "x", relay=hidden.url, tags=(("p", ALICE.pubkey, hidden.url),))
        async with (
            RelayServer(stocked([reply])) as good,
            opened(":memory:", good.url) as nostr,
        ):
            found = await nostr.fetch(reply.id)
        assert hidden.accepted_connections == 0
    (missing,) = found.thread.missing
    assert (missing.id, missing.hints) == (root.id, (hidden.url,))


async def test_relays_named_by_hand_are_asked_instead_of_those_in_the_file() -> None:
    async with (
        FaultyRelay(stocked()) as listed,
        RelayServer(stocked(NOTES)) as named,
        opened(":memory:", listed.url) as nostr,
    ):
        found = await nostr.fetch(ROOT.id, relays=[named.url.upper().replace("WS:", "ws:") + "/"])
    assert (found.thread.found, listed.accepted_connections) == (30, 0)


async def test_what_nobody_has_is_not_found_and_says_how_sure_that_is() -> None:
    async with RelayServer(stocked(NOTES)) as relay, opened(":memory:", relay.url) as nostr:
        with pytest.raises(NotFound, match=r"the relay has no (ab){32}\Z"):
            await nostr.fetch("ab" * 32)
        with pytest.raises(NotFound, match=r"none of 2 .* \(1 did not answer completely\)"):
            await nostr.fetch("ab" * 32, relays=[relay.url, DEAD])


async def test_what_takes_a_note_back_is_no_note() -> None:
    deletion = ALICE.event(5, "", NOW, (("e", ROOT.id),))
    async with RelayServer(stocked([deletion])) as relay, opened(":memory:", relay.url) as nostr:
        with pytest.raises(NotFound, match=r"is no note, but asks for"):
            await nostr.fetch(deletion.id)


async def test_no_relay_reachable_is_its_own_error() -> None:
    async with (
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as closed,
        opened(":memory:", DEAD, closed.url) as nostr,
    ):
        with pytest.raises(NoRelayReachable, match="none of 2 relays"):
            await nostr.fetch(ROOT.id)


async def test_a_relay_of_this_machine_that_a_code_names_is_told_of_and_not_asked() -> None:
    own = "ws://127.0.0.1:7/"
    code = nt.encode(nip19.EventPointer(ROOT.id, (own,)))
    told = rf"; the code also names {own.rstrip('/')}.* asked only when named as a relay"
    async with RelayServer(stocked()) as relay, opened(":memory:", relay.url, DEAD) as nostr:
        with pytest.raises(NotFound, match=told):
            await nostr.fetch(code)
        with pytest.raises(NoRelayReachable, match=told):
            await nostr.fetch(code, relays=[DEAD])


async def test_without_any_relay_to_ask_the_settings_are_named() -> None:
    async with opened(":memory:") as nostr:
        with pytest.raises(InvalidInput, match="the test's settings names none"):
            await nostr.fetch(ROOT.id)


async def test_a_code_that_names_no_event_asks_nobody() -> None:
    async with FaultyRelay(stocked(NOTES)) as relay, opened(":memory:", relay.url) as nostr:
        for code in ("zzz", nip19.encode(nip19.PublicKey(ALICE.pubkey))):
            with pytest.raises(InvalidCode):
                await nostr.fetch(code)
        with pytest.raises(InvalidInput, match="https://x"):
            await nostr.fetch(ROOT.id, relays=["https://x.example"])
    assert relay.accepted_connections == 0


async def test_when_the_seconds_are_up_what_was_found_is_given_and_the_rest_is_unsure() -> None:
    async with (
        RelayServer(stocked(NOTES)) as quick,
        FaultyRelay(stocked(NOTES), Faults(silent_eose=True)) as silent,
        opened(":memory:", quick.url, silent.url, quick=30.0) as nostr,
    ):
        found = await nostr.fetch(ROOT.id, seconds=0.5)
    assert found.budget_hit == "0.5 seconds"
    assert not found.whole
    assert ROOT.id in shape(found.thread)
    assert silent.url in found.coverage.unsure
    finishes = {relay.url: relay.finish for relay in found.coverage.relays}
    assert finishes[silent.url] is nt.Finish.TIMEOUT


async def test_when_the_seconds_are_up_before_anything_came_that_is_said() -> None:
    async with (
        FaultyRelay(stocked(), Faults(silent_eose=True)) as silent,
        opened(":memory:", silent.url, quick=30.0) as nostr,
    ):
        with pytest.raises(NotFound, match=r"stopped after 0\.2 seconds, before anything of"):
            await nostr.fetch(ROOT.id, seconds=0.2)


async def test_a_budget_of_events_or_questions_ends_the_search_and_is_reported() -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        async with opened(":memory:", relay.url) as nostr:
            few = await nostr.fetch(ROOT.id, budget=Budget(events=5))
        async with opened(":memory:", relay.url) as nostr:
            short = await nostr.fetch(ROOT.id, budget=Budget(questions=1))
    assert (few.budget_hit, few.whole) == ("5 events", False)
    assert (short.budget_hit, short.whole) == ("1 questions", False)


async def test_what_the_store_holds_and_what_the_relays_have_make_one_thread(
    tmp_path: Path,
) -> None:
    with SqliteStore(tmp_path / "a.db") as store:
        store.add(NOTES[:29], relay="wss://earlier.example", now=NOW)
    async with (
        RelayServer(stocked(NOTES[20:])) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        found = await nostr.fetch(NOTES[5].id, widen=False)
    assert shape(found.thread) == TRUTH
    assert figures(found) == [(relay.url, COMPLETE, 10, 10)]


async def test_show_gives_the_same_thread_offline_with_the_sightings(tmp_path: Path) -> None:
    async with (
        RelayServer(stocked(NOTES[:20])) as first,
        RelayServer(stocked(NOTES[10:])) as second,
        opened(tmp_path / "a.db", first.url, second.url) as nostr,
    ):
        found = await nostr.fetch(ROOT.id)
    async with opened(tmp_path / "a.db", DEAD) as offline:
        for code in (ROOT.id, NOTES[7].id, LAST.id):
            shown = await offline.show(code)
            assert shown.thread.events == found.thread.events
            assert set(shown.coverage.relays) == {
                RelayCoverage(first.url, None, 20, 10),
                RelayCoverage(second.url, None, 20, 10),
            }
            assert (shown.coverage.unsure, shown.whole) == ((), True)
        with pytest.raises(NotFound, match="fetch it first"):
            await offline.show("ab" * 32)


async def test_an_interrupted_fetch_keeps_what_came(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.events > 2:
            raise Enough

    async with RelayServer(stocked(NOTES)) as relay:
        with pytest.raises(Enough):
            async with opened(tmp_path / "a.db", relay.url) as nostr:
                await nostr.fetch(ROOT.id, progress=stop)
    async with opened(tmp_path / "a.db") as offline:
        assert (await offline.show(ROOT.id)).thread.found > 1


async def test_the_progress_counts_answers_and_events() -> None:
    told: list[Progress] = []
    async with RelayServer(stocked(NOTES)) as relay, opened(":memory:", relay.url) as nostr:
        await nostr.fetch(ROOT.id, progress=told.append)
    counts = [each.answers for each in told]
    assert counts == sorted(counts)
    assert (counts[0], told[0].relays) == (0, 1)
    assert told[-1].events == len(NOTES)


async def test_an_article_is_found_by_its_address_with_its_comments(tmp_path: Path) -> None:
    article = ALICE.article("long", "the text", NOW)
    newer = ALICE.article("long", "the text, corrected", NOW + 50)
    comment = BOB.comment(article, "well said", NOW + 60)
    answer = ALICE.comment(comment, "thanks", NOW + 70)
    address = nip19.encode(nip19.Address(30023, ALICE.pubkey, "long"))
    async with (
        RelayServer(stocked([article, newer, comment, answer])) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        found = await nostr.fetch(address)
        from_below = await nostr.fetch(answer.id)
    assert found.thread.events == from_below.thread.events
    assert [event.content for event in found.thread.events] == [
        "the text, corrected",
        "well said",
        "thanks",
    ]
    async with opened(tmp_path / "a.db") as offline:
        assert (await offline.show(address)).thread.events == found.thread.events


async def test_a_file_that_is_no_store_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 500)
    with pytest.raises(StoreError, match=r"a\.db: this is not a database"):
        async with opened(tmp_path / "a.db"):
            pass


async def test_after_open_no_connection_and_no_file_is_left_open(tmp_path: Path) -> None:
    async with FaultyRelay(stocked(NOTES)) as relay:
        async with opened(tmp_path / "a.db", relay.url) as nostr:
            await nostr.fetch(ROOT.id)
        async with asyncio.timeout(5):
            while relay.connections:  # noqa: ASYNC110 - the relay has no event to wait for
                await asyncio.sleep(0.01)
        with pytest.raises(StoreError, match="closed"):
            nostr.store.event(ROOT.id)


async def test_a_thread_without_its_root_is_shown_by_the_code_that_fetched_it(
    tmp_path: Path,
) -> None:
    lost = ALICE.note("lost")
    reply = BOB.reply(lost, "still here")
    async with (
        RelayServer(stocked([reply])) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        found = await nostr.fetch(lost.id)
        shown = await nostr.show(lost.id)
    assert found.thread.events == shown.thread.events == (reply,)
    assert [node.id for node in shown.thread.missing] == [lost.id]


async def test_a_relay_of_which_only_forgeries_came_is_not_sure(tmp_path: Path) -> None:
    """What it refuses to send honestly may be anything."""
    async with (
        FaultyRelay(stocked(NOTES), Faults(forge="content", forge_where="instead")) as forger,
        RelayServer(stocked(NOTES)) as good,
        opened(tmp_path / "a.db", forger.url, good.url) as nostr,
    ):
        found = await nostr.fetch(ROOT.id)
    assert shape(found.thread) == TRUTH
    assert found.coverage.unsure == (forger.url,)
    (forged, _) = found.coverage.relays
    assert (forged.finish, forged.events) == (LIMITED, 0)
    assert forged.refused > 0


async def test_a_stranger_relay_does_not_learn_who_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint in a code is no reason to say who we are (NIP-42)."""
    monkeypatch.setattr("nostr_threads.app.routes.is_local", lambda _: False)
    monkeypatch.setattr("nostr_threads.net.public.is_local", lambda _: False)
    async with (
        FaultyRelay(stocked(NOTES), Faults(auth_required=True)) as spy,
        RelayServer(stocked(NOTES)) as mine,
        opened(tmp_path / "a.db", mine.url, by=ALICE) as nostr,
    ):
        code = nip19.encode(nip19.EventPointer(ROOT.id, (spy.url,)))
        found = await nostr.fetch(code)
        assert spy.accepted_connections > 0
        assert not any(isinstance(each, Auth) for each in spy.received)
    assert found.coverage.unsure == (spy.url,)


async def test_host_names_that_hang_do_not_keep_the_store_waiting(tmp_path: Path) -> None:
    """They are looked up in the loop's own threads, of which there are few."""
    released = threading.Event()
    async with (
        RelayServer(stocked(NOTES)) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        await nostr.fetch(ROOT.id)
        loop = asyncio.get_running_loop()
        hanging = [loop.run_in_executor(None, released.wait) for _ in range(100)]
        try:
            async with asyncio.timeout(5):
                shown = await nostr.show(ROOT.id)
        finally:
            released.set()
            await asyncio.gather(*hanging)
    assert shown.thread.found == len(NOTES)
