"""Where an answer goes: to its author's relays, to those tagged, to where its parent was seen."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds
from nostr_threads.core.messages import Publish, Request
from nostr_threads.core.routing import Choice, Reason
from nostr_threads.errors import InvalidInput
from nostr_threads.store.policy import Policy
from nostr_threads.testing import Faults, FaultyRelay, ManualClock
from tests.app.worlds import ALICE, BOB, CAROL, LIMIT, LONG, NOW, opened, relay_list
from tests.peers.rust import local_relay, read_all, sdk, send_all
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from nostr_threads.app.writing import Plan

QUESTION = BOB.note("why?", NOW, (("p", CAROL.pubkey),))
EVERY = ("usual", "index", "own", "bobs", "carols", "seen")


class Net:
    """Relays by name. The index knows where ALICE writes, and where BOB and CAROL read."""

    def __init__(self) -> None:
        self.relays = {name: FaultyRelay(stocked()) for name in EVERY}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Net:
        for relay in self.relays.values():
            await self._stack.enter_async_context(relay)
        lists = [
            relay_list(ALICE, write=[self.url("own")], read=["wss://not-written.example"]),
            relay_list(BOB, read=[self.url("bobs")], write=["wss://not-read.example"]),
            relay_list(CAROL, read=[self.url("carols")]),
        ]
        self.relays["index"].store.add(lists, relay=None, now=NOW)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def url(self, name: str) -> str:
        return self.relays[name].url

    def known(self) -> list[str]:
        return [self.url(name) for name in ("own", "bobs", "carols", "seen")]

    def opened(
        self, store: Path, *, clock: Callable[[], float] = time.time
    ) -> AbstractAsyncContextManager[nt.Nostr]:
        """Open what ALICE uses to publish: all of these may be dialled."""
        usual, index = self.url("usual"), self.url("index")
        return opened(store, usual, by=ALICE, index=[index], known=self.known(), clock=clock)

    def sent_to(self) -> set[str]:
        """The names of the relays that were sent anything to keep."""
        return {
            name
            for name, relay in self.relays.items()
            if any(isinstance(message, Publish) for message in relay.received)
        }


async def test_each_relay_of_an_answer_is_chosen_for_a_reason_that_is_told(tmp_path: Path) -> None:
    told: list[Plan] = []
    async with Net() as net:
        async with net.opened(tmp_path / "a.db") as nostr:
            nostr.store.add([QUESTION], relay=net.url("seen"), now=NOW)
            report = await nostr.publish(
                LONG, reply_to=QUESTION.id, limit=LIMIT, planned=told.append
            )
        assert net.sent_to() == {"usual", "own", "bobs", "carols", "seen"}
        choices = told[0].choices
        assert {choice.relay: choice for choice in choices} == {
            net.url(name): Choice(net.url(name), reason, of)
            for name, reason, of in (
                ("own", Reason.WRITES, ""),
                ("usual", Reason.CONFIGURED, ""),
                ("bobs", Reason.READS, BOB.pubkey),
                ("carols", Reason.READS, CAROL.pubkey),
                ("seen", Reason.SEEN, ""),
            )
        }
    assert report.complete
    assert report.posting.relays == told[0].relays
    words = {choice.words for choice in choices if not choice.is_by_hand}
    assert "own write relay" in words
    assert "seen there before" in words
    assert sum(each.startswith("read relay of npub1") for each in words) == 2


async def test_relays_of_others_are_a_courtesy_that_no_quorum_counts(tmp_path: Path) -> None:
    async with Net() as net:
        for name in ("bobs", "carols", "seen"):
            net.relays[name].faults = Faults(reject_with="blocked: strangers")
        async with net.opened(tmp_path / "a.db") as nostr:
            nostr.store.add([QUESTION], relay=net.url("seen"), now=NOW)
            report = await nostr.publish("short", reply_to=QUESTION.id, quorum=2)
            with pytest.raises(InvalidInput, match="there are 2 relays to write to"):
                await nostr.publish("shorter", reply_to=QUESTION.id, quorum=3)
        assert report.posting.courtesy == {net.url(name) for name in ("bobs", "carols", "seen")}
    assert (report.accepted, report.complete) == (True, True)


async def test_what_is_deleted_is_asked_for_wherever_it_was_seen(tmp_path: Path) -> None:
    own = ALICE.note("seen in many places", NOW)
    async with Net() as net:
        async with net.opened(tmp_path / "a.db") as nostr:
            for name in ("seen", "bobs"):
                nostr.store.add([own], relay=net.url(name), now=NOW)
            nostr.store.add([own], relay="ws://127.0.0.1:9", now=NOW)
            report = await nostr.delete(own.id)
        assert net.sent_to() == {"usual", "own", "seen", "bobs"}
        assert report.posting.courtesy == {net.url("seen"), net.url("bobs")}


async def test_with_relays_named_by_hand_it_goes_there_and_nowhere_else(tmp_path: Path) -> None:
    told: list[Plan] = []
    async with Net() as net:
        async with net.opened(tmp_path / "a.db") as nostr:
            nostr.store.add([QUESTION], relay=net.url("seen"), now=NOW)
            named = [net.url("carols")]
            await nostr.publish("short", reply_to=QUESTION, relays=named, planned=told.append)
        assert net.sent_to() == {"carols"}
        assert net.relays["index"].accepted_connections == 0
        assert told[0].choices == (Choice(net.url("carols"), Reason.NAMED),)
        assert told[0].courtesy == frozenset()


async def test_a_note_that_answers_nobody_goes_to_its_authors_relays_alone(tmp_path: Path) -> None:
    async with Net() as net:
        async with net.opened(tmp_path / "a.db") as nostr:
            report = await nostr.publish("to whom it may concern")
        assert net.sent_to() == {"usual", "own"}
    assert report.complete


async def test_a_relay_of_this_machine_that_only_a_list_or_a_sighting_names_gets_no_answer(
    tmp_path: Path,
) -> None:
    async with Net() as net:
        async with opened(
            tmp_path / "a.db", net.url("usual"), by=ALICE, index=[net.url("index")]
        ) as nostr:
            nostr.store.add([QUESTION], relay=net.url("seen"), now=NOW)
            await nostr.publish("short", reply_to=QUESTION.id)
        assert net.sent_to() == {"usual"}
        strangers = [net.relays[name] for name in ("own", "bobs", "carols", "seen")]
        assert {relay.accepted_connections for relay in strangers} == {0}


async def test_the_index_is_asked_where_people_read_once_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    asked = []
    async with Net() as net:
        for wait in (0, 3_600, 86_400):
            clock.advance(wait)
            already = len(net.relays["index"].received)
            async with net.opened(tmp_path / "a.db", clock=clock) as nostr:
                nostr.store.add([QUESTION], relay=None, now=NOW)
                report = await nostr.publish(f"at {clock()}", reply_to=QUESTION.id)
            assert set(report.posting.relays) >= {net.url("own"), net.url("bobs")}
            fresh = net.relays["index"].received[already:]
            asked.append(any(isinstance(message, Request) for message in fresh))
    assert asked == [True, False, True]


async def test_lists_that_only_the_store_knows_are_followed_too(tmp_path: Path) -> None:
    async with Net() as net:
        async with opened(
            tmp_path / "a.db", net.url("usual"), by=ALICE, known=net.known()
        ) as nostr:
            lists = [relay_list(BOB, read=[net.url("bobs")]), QUESTION]
            nostr.store.add(lists, relay=None, now=NOW)
            await nostr.publish("short", reply_to=QUESTION.id)
        assert net.sent_to() == {"usual", "bobs"}


async def test_a_list_that_was_taken_back_is_not_followed_even_where_it_is_kept(
    tmp_path: Path,
) -> None:
    async with Net() as net:
        async with opened(
            tmp_path / "a.db", net.url("usual"), by=ALICE, known=net.known()
        ) as nostr:
            nostr.store.adopt(Policy.KEEP)
            listed = relay_list(BOB, read=[net.url("bobs")])
            regret = BOB.event(kinds.DELETION, "", NOW + 1, (("e", listed.id),))
            nostr.store.add([listed, regret, QUESTION], relay=None, now=NOW)
            await nostr.publish("short", reply_to=QUESTION.id)
        assert net.sent_to() == {"usual"}


async def test_an_answer_reaches_the_inbox_at_a_relay_of_nostr_sdk(tmp_path: Path) -> None:
    async with Net() as net, local_relay() as (_, index), local_relay() as (_, inbox):
        listed = relay_list(BOB, read=[inbox])
        await send_all(index, [sdk.Event.from_json(listed.to_json())])
        async with opened(
            tmp_path / "a.db", net.url("usual"), by=ALICE, index=[index], known=[inbox]
        ) as nostr:
            report = await nostr.publish(LONG, reply_to=QUESTION, limit=LIMIT)
        mine = sdk.Filter().author(sdk.PublicKey.parse(ALICE.pubkey))
        arrived = {event.id().to_hex() for event in await read_all(inbox, mine)}
    assert arrived == {event.id for event in report.posting.events}
    assert {delivery.status for delivery in report.deliveries} == {nt.Status.STORED}


async def test_what_the_store_knew_already_is_not_said_to_have_come_from_an_index(
    tmp_path: Path,
) -> None:
    """Within a day nobody is asked again: the store answers in the place of each index relay."""
    listed = relay_list(ALICE)
    async with (
        FaultyRelay(stocked([listed])) as one,
        FaultyRelay(stocked()) as other,
        FaultyRelay(stocked()) as usual,
        opened(tmp_path / "a.db", usual.url, by=ALICE, index=[one.url, other.url]) as nostr,
    ):
        for _ in range(2):
            await nostr.publish("to whom it may concern")
        seen = nostr.store.sightings([listed.id])[listed.id]
    assert one.url in seen
    assert other.url not in seen
