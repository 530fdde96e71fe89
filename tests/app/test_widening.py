"""A fetch goes on to where people write and read, and to nobody whom only a stranger names."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response

import nostr_threads as nt
from nostr_threads.core.crawl import Budget
from nostr_threads.core.kinds import RELAY_LIST
from nostr_threads.core.messages import Request
from nostr_threads.core.routing import Reason, Record
from nostr_threads.relayd import RelayServer
from nostr_threads.relayd.door import answer_http
from nostr_threads.testing import Faults, FaultyRelay, ManualClock, thread
from tests.app.worlds import ALICE, BOB, CAROL, NOW, opened, relay_list
from tests.net.resolvers import leading_to
from tests.peers.rust import local_relay, sdk, send_all
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from websockets.http11 import Request as HttpRequest

    from nostr_threads.core.event import Verified

HOUR, DAY = 3_600, 86_400
ROOT = ALICE.note("the question", NOW)
ANSWER = BOB.reply(ROOT, "an answer")
THANKS = ALICE.reply(ANSWER, "thanks, at home")
OBJECTION = CAROL.reply(ANSWER, "I object")
NOTES = thread(30)


def ids(found: nt.Found) -> set[str]:
    return {event.id for event in found.thread.events}


def reasons(found: nt.Found) -> dict[str, tuple[Reason, str]]:
    """Why each relay was asked about the thread, and whose list or hint that was."""
    chosen = [relay.choice for relay in found.coverage.relays if relay.choice is not None]
    assert len(chosen) == len(found.coverage.relays)
    return {choice.relay: (choice.reason, choice.of) for choice in chosen if choice.reads}


def questions(relay: FaultyRelay) -> list[Request]:
    return [message for message in relay.received if isinstance(message, Request)]


@dataclass(frozen=True)
class Indexed:
    """A `Nostr`, its usual relay, which has the question and an answer, and its index relay."""

    nostr: nt.Nostr
    usual: FaultyRelay
    index: FaultyRelay


@asynccontextmanager
async def indexed(listed: Verified, leads_to: str) -> AsyncIterator[Indexed]:
    """Open one whose index knows a single list, which leads to a relay that may be dialled."""
    async with (
        FaultyRelay(stocked([listed])) as index,
        FaultyRelay(stocked([ROOT, ANSWER])) as usual,
        opened(":memory:", usual.url, index=[index.url], known=[leads_to]) as nostr,
    ):
        yield Indexed(nostr, usual, index)


async def test_a_reply_that_is_only_where_its_author_writes_is_found() -> None:
    async with (
        RelayServer(stocked([ROOT, THANKS])) as home,
        indexed(relay_list(ALICE, write=[home.url]), home.url) as net,
    ):
        found = await net.nostr.fetch(ANSWER.id)
        shown = await net.nostr.show(ROOT.id)
        asked_of_index = {
            kind for each in questions(net.index) for kind in each.filters[0].kinds or ()
        }
    assert ids(found) == ids(shown) == {ROOT.id, ANSWER.id, THANKS.id}
    assert reasons(found) == {
        net.usual.url: (Reason.CONFIGURED, ""),
        home.url: (Reason.WRITES, ALICE.pubkey),
    }
    assert RELAY_LIST in asked_of_index
    assert 1 not in asked_of_index


async def test_a_reply_that_is_only_where_the_one_who_was_answered_reads_is_found() -> None:
    async with (
        RelayServer(stocked([OBJECTION])) as inbox,
        indexed(relay_list(BOB, read=[inbox.url]), inbox.url) as net,
    ):
        found = await net.nostr.fetch(ROOT.id)
    assert ids(found) == {ROOT.id, ANSWER.id, OBJECTION.id}
    assert reasons(found)[inbox.url] == (Reason.READS, BOB.pubkey)
    assert found.whole


async def test_relays_and_index_of_nostr_sdk_are_followed_as_ours_are(tmp_path: Path) -> None:
    async with (
        local_relay() as (_, usual),
        local_relay() as (_, index),
        local_relay() as (_, home),
    ):
        listed = relay_list(ALICE, write=[home])
        for url, events in ((usual, [ROOT, ANSWER]), (index, [listed]), (home, [THANKS])):
            await send_all(url, [sdk.Event.from_json(each.to_json()) for each in events])
        async with opened(tmp_path / "a.db", usual, index=[index], known=[home]) as nostr:
            found = await nostr.fetch(ROOT.id)
    assert ids(found) == {ROOT.id, ANSWER.id, THANKS.id}
    assert reasons(found)[home] == (Reason.WRITES, ALICE.pubkey)


async def test_the_index_is_asked_about_somebody_once_a_day(tmp_path: Path) -> None:
    """In between the store knows their lists: the search widens all the same."""
    clock = ManualClock()
    async with FaultyRelay(stocked()) as home, AsyncExitStack() as stack:
        lists = stocked([relay_list(ALICE, write=[home.url])])
        index = await stack.enter_async_context(FaultyRelay(lists))
        usual = await stack.enter_async_context(FaultyRelay(stocked([ROOT, ANSWER])))
        asked = []
        for wait in (0, HOUR, DAY - HOUR - 1, 1):
            clock.advance(wait)
            already = len(questions(index)), len(questions(home))
            async with opened(
                *(tmp_path / "a.db", usual.url), index=[index.url], known=[home.url], clock=clock
            ) as nostr:
                found = await nostr.fetch(ROOT.id)
            assert reasons(found)[home.url] == (Reason.WRITES, ALICE.pubkey)
            asked.append(len(questions(index)) > already[0])
            assert len(questions(home)) > already[1]
    assert asked == [True, False, False, True]


async def test_who_is_new_in_a_thread_is_asked_about_at_once(tmp_path: Path) -> None:
    clock = ManualClock()
    async with FaultyRelay(stocked()) as index, RelayServer(stocked([ROOT])) as usual:
        async with opened(tmp_path / "a.db", usual.url, index=[index.url], clock=clock) as nostr:
            await nostr.fetch(ROOT.id)
            already = len(questions(index))
            nostr.store.add([ANSWER], relay=None, now=NOW)
            await nostr.fetch(ROOT.id)
        later = questions(index)[already:]
    assert {each.filters[0].authors for each in later} == {(BOB.pubkey,)}


async def test_an_index_that_gave_no_whole_answer_is_asked_again(tmp_path: Path) -> None:
    async with RelayServer(stocked([THANKS])) as home, AsyncExitStack() as stack:
        lists = stocked([relay_list(ALICE, write=[home.url])])
        index = await stack.enter_async_context(FaultyRelay(lists))
        usual = await stack.enter_async_context(RelayServer(stocked([ROOT, ANSWER])))
        found = []
        for faults in (Faults(refuse_connections=True), Faults()):
            index.faults = faults
            async with opened(
                tmp_path / "a.db", usual.url, index=[index.url], known=[home.url]
            ) as nostr:
                found.append(THANKS.id in ids(await nostr.fetch(ROOT.id)))
    assert found == [False, True]


async def test_relays_that_were_named_for_once_do_not_stand_in_for_the_index() -> None:
    async with (
        RelayServer(stocked([THANKS])) as home,
        indexed(relay_list(ALICE, write=[home.url]), home.url) as net,
    ):
        narrow = await net.nostr.fetch(ROOT.id, relays=[net.usual.url])
        wide = await net.nostr.fetch(ROOT.id)
    assert [THANKS.id in ids(each) for each in (narrow, wide)] == [False, True]


async def test_a_relay_of_this_machine_that_a_list_or_a_hint_names_gets_no_connection() -> None:
    async with FaultyRelay(stocked([ROOT, THANKS])) as hidden, AsyncExitStack() as stack:
        lists = [relay_list(each, write=[hidden.url], read=[hidden.url]) for each in (ALICE, BOB)]
        hinted = BOB.reply(ROOT, "it is there", relay=hidden.url)
        index = await stack.enter_async_context(RelayServer(stocked(lists)))
        usual = await stack.enter_async_context(RelayServer(stocked([ROOT, ANSWER, hinted])))
        nostr = await stack.enter_async_context(opened(":memory:", usual.url, index=[index.url]))
        nostr.store.add([ROOT], relay=hidden.url, now=NOW)
        found = await nostr.fetch(ROOT.id)
        assert (hidden.accepted_connections, hidden.received) == (0, [])
    assert ids(found) == {ROOT.id, ANSWER.id, hinted.id}
    assert list(reasons(found)) == [usual.url]


async def test_a_name_that_leads_into_this_network_gets_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever owns a name says where it leads: neither its relay nor its document is looked at."""
    leading_to(monkeypatch, "127.0.0.1")
    async with FaultyRelay(stocked([ROOT, THANKS])) as hidden:
        name = hidden.url.replace("127.0.0.1", "relay.example")
        hinted = BOB.reply(ROOT, "it is there", relay=name)
        async with (
            RelayServer(stocked([ROOT, ANSWER, hinted])) as usual,
            opened(":memory:", usual.url) as nostr,
        ):
            found = await nostr.fetch(ROOT.id)
        assert hidden.accepted_connections == 0
    assert ids(found) == {ROOT.id, ANSWER.id, hinted.id}
    told = {each.url: (each.finish, each.reason) for each in found.coverage.relays}
    assert told[name] == (nt.Finish.UNREACHABLE, "its name leads into a private network")


async def test_a_name_of_this_network_that_was_named_by_hand_is_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leading_to(monkeypatch, "127.0.0.1")
    async with RelayServer(stocked([ROOT])) as own, opened(":memory:", "ws://127.0.0.1:9") as nostr:
        name = own.url.replace("127.0.0.1", "relay.example")
        assert not await nostr.pool.relay(name).reach()
        assert await nostr.relay(name).reach()
        assert ids(await nostr.fetch(ROOT.id, relays=[name])) == {ROOT.id}


async def test_a_hint_in_a_note_is_followed_to_a_relay_that_may_be_dialled() -> None:
    lost = CAROL.reply(ROOT, "only here")
    async with RelayServer(stocked([lost])) as hinted, AsyncExitStack() as stack:
        answer = BOB.reply(lost, "I saw it", relay=hinted.url)
        usual = await stack.enter_async_context(RelayServer(stocked([ROOT, answer])))
        nostr = await stack.enter_async_context(opened(":memory:", usual.url, known=[hinted.url]))
        found = await nostr.fetch(ROOT.id)
    assert ids(found) == {ROOT.id, lost.id, answer.id}
    assert found.thread.missing == ()
    assert reasons(found)[hinted.url] == (Reason.HINT, BOB.pubkey)


@pytest.mark.parametrize("widen", [False, True])
async def test_a_thread_is_looked_for_where_it_was_seen_before(*, widen: bool) -> None:
    async with (
        FaultyRelay(stocked([ROOT, THANKS])) as seen,
        RelayServer(stocked([ROOT, ANSWER])) as usual,
        opened(":memory:", usual.url, known=[seen.url]) as nostr,
    ):
        nostr.store.add([ROOT], relay=seen.url, now=NOW)
        found = await nostr.fetch(ROOT.id, widen=widen)
        assert (seen.accepted_connections > 0) is widen
    assert (THANKS.id in ids(found)) is widen
    assert reasons(found).get(seen.url) == ((Reason.SEEN, "") if widen else None)


@pytest.mark.parametrize("widen", [None, False, True])
@pytest.mark.parametrize("by_name", [False, True])
async def test_a_search_widens_when_it_is_told_to_or_nobody_named_the_relays(
    widen: bool | None,
    by_name: bool,
) -> None:
    async with (
        FaultyRelay(stocked([THANKS])) as home,
        indexed(relay_list(ALICE, write=[home.url]), home.url) as net,
    ):
        named = [net.usual.url] if by_name else []
        found = await net.nostr.fetch(ROOT.id, relays=named, widen=widen)
        connected = [relay.accepted_connections > 0 for relay in (net.index, home)]
    widened = not by_name if widen is None else widen
    assert connected == [widened, widened]
    assert (THANKS.id in ids(found)) is widened


async def test_each_relay_is_remembered_for_what_it_delivered(tmp_path: Path) -> None:
    async with (
        RelayServer(stocked([ROOT, ANSWER])) as full,
        RelayServer(stocked()) as empty,
        opened(tmp_path / "a.db", full.url, empty.url) as nostr,
    ):
        await nostr.fetch(ROOT.id)
        assert nostr.store.relay_records() == {
            full.url: Record(hits=1.0, misses=0.0),
            empty.url: Record(hits=0.0, misses=1.0),
        }
        await nostr.fetch(ROOT.id)
        assert nostr.store.relay_records()[full.url].hits > 1


async def test_a_relays_document_is_fetched_once_a_day_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NIP-11, which also says whether the relay counts (NIP-45)."""
    documents = []

    def watched(request: HttpRequest, document: dict[str, object]) -> Response | None:
        answer = answer_http(request, document)
        documents.extend([] if answer is None else [answer.body])
        return answer

    monkeypatch.setattr("nostr_threads.relayd.server.answer_http", watched)
    clock = ManualClock()
    async with RelayServer(stocked(NOTES)) as relay:
        fetched = []
        for wait in (0, HOUR, DAY):
            clock.advance(wait)
            async with opened(tmp_path / "a.db", relay.url, clock=clock) as nostr:
                await nostr.fetch(NOTES[0].id)
                await nostr.fetch(NOTES[1].id)
                kept = nostr.store.relay_document(relay.url)
            assert kept is not None
            assert '"supported_nips"' in kept[0]
            fetched.append((len(documents), kept[1]))
    assert fetched == [(1, NOW), (1, NOW), (2, NOW + HOUR + DAY)]


async def test_a_relay_without_a_document_is_asked_for_one_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def silent(request: HttpRequest, _: dict[str, object]) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        asked.append(request.path)
        return Response(404, "Not Found", Headers(), b"")

    monkeypatch.setattr("nostr_threads.relayd.server.answer_http", silent)
    clock, counts = ManualClock(), []
    async with RelayServer(stocked(NOTES)) as relay:
        for wait in (0, 60, HOUR):
            clock.advance(wait)
            async with opened(tmp_path / "a.db", relay.url, clock=clock) as nostr:
                await nostr.fetch(NOTES[0].id)
            counts.append(len(asked))
    assert counts == [1, 1, 2]


async def test_where_the_environment_has_a_proxy_no_document_is_fetched_past_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy for one kind of traffic is none for another, and a document is worth no address."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    async with RelayServer(stocked(NOTES)) as relay, opened(":memory:", relay.url) as nostr:
        found = await nostr.fetch(NOTES[0].id)
        assert nostr.store.relay_document(relay.url) is None
    assert (found.thread.found, found.whole) == (len(NOTES), True)


async def test_a_relay_that_claims_to_be_done_too_early_is_asked_until_it_is_done() -> None:
    """It counts more (NIP-45) than it sent, and says that this was all (NIP-67)."""
    async with (
        FaultyRelay(stocked(NOTES), Faults(finish_after=5)) as relay,
        opened(":memory:", relay.url) as nostr,
    ):
        found = await nostr.fetch(NOTES[0].id)
    (covered,) = found.coverage.relays
    assert ids(found) == {note.id for note in NOTES}
    assert (covered.finish, covered.events) == (nt.Finish.COMPLETE, len(NOTES))
    assert covered.counted == len(NOTES) - 1
    assert found.whole


async def test_the_total_is_estimated_from_two_complete_relays_and_not_from_one() -> None:
    async with (
        RelayServer(stocked([*NOTES[:25], BOB.reaction(NOTES[0])])) as first,
        RelayServer(stocked([NOTES[0], *NOTES[5:]])) as second,
        FaultyRelay(stocked(NOTES), Faults(silent_eose=True)) as unsure,
    ):
        async with opened(":memory:", first.url, second.url) as nostr:
            both = (await nostr.fetch(NOTES[0].id)).coverage.estimate
        async with opened(":memory:", first.url, unsure.url, quick=0.3) as nostr:
            one = (await nostr.fetch(NOTES[0].id)).coverage.estimate
    assert one is None
    assert both is not None
    assert len(NOTES) <= both.low <= both.total <= both.high
    assert both.total == len(NOTES) + 1


CHAIN = [ROOT]
for _number in range(4):
    _above = (("e", CHAIN[-1].id, "", "reply"),)
    CHAIN.append(BOB.note(f"number {_number}", NOW + 1 + _number, _above))


@pytest.mark.parametrize(
    ("budget", "hit", "found"),
    [
        (Budget(depth=2), "depth 2", 3),
        (Budget(depth=5), None, 5),
        (Budget(events=3), "3 events", 3),
        (Budget(events=50, depth=50), None, 5),
    ],
)
async def test_a_budget_that_was_hit_is_reported_and_one_that_was_not_is_not(
    budget: Budget, hit: str | None, found: int
) -> None:
    async with RelayServer(stocked(CHAIN)) as relay, opened(":memory:", relay.url) as nostr:
        got = await nostr.fetch(ROOT.id, budget=budget)
    assert (got.budget_hit, got.thread.found) == (hit, found)
    assert got.whole is (hit is None)


async def test_relays_that_are_not_asked_for_want_of_room_are_reported() -> None:
    async with (
        FaultyRelay(stocked([THANKS])) as home,
        indexed(relay_list(ALICE, write=[home.url]), home.url) as net,
    ):
        found = await net.nostr.fetch(ROOT.id, budget=Budget(relays=1))
        assert home.accepted_connections == 0
    assert (found.budget_hit, found.whole) == ("1 relay", False)
