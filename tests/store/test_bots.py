"""The record of bots: what they read, who is at which ask, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.budgets import Answered
from nostr_threads.core.bots.cases import Skip, Wait
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.errors import StoreError
from nostr_threads.store.base import Posting
from nostr_threads.store.bots import Entry, State, Taken
from nostr_threads.store.opening import open_store
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import ALICE, BOB, CAROL, NOW, THEN, deletion, made, reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.store.bots import RecordedBot
    from nostr_threads.store.sql import SqlStore

RELAY = "wss://one.example"
QUESTION = made(content="what is a relay?", author=ALICE, at=THEN)
OTHER = made(content="and a note?", author=BOB, at=THEN + 1)
ANSWER = reply(QUESTION.id, QUESTION.id, author=CAROL, at=THEN + 9, text="a server")
ANOTHER = reply(QUESTION.id, QUESTION.id, author=CAROL, at=THEN + 10, text="a server!")


def hears(event: Verified, _: Verified | None) -> list[Taken]:
    return [Taken()] if "?" in event.content else []


def goes(*_: object) -> None:
    """There is room for every answer."""


def entered(store: SqlStore, *events: Verified) -> RecordedBot:
    """A bot that has read `events`."""
    bot = store.bots.enter(CAROL, "faq", now=THEN)
    store.add(events, relay=RELAY, now=THEN)
    while read(store, bot) is not None:
        pass
    return bot


def read(store: SqlStore, bot: RecordedBot, **options: int) -> int | None:
    settings = {"since": 0, "most": 100, **options}
    found = store.bots.read(bot, (1,), settings["since"], hears, now=NOW, most=settings["most"])
    return None if found is None else len(found)


def claimed(store: SqlStore, bot: RecordedBot, owner: str = "one", *, now: int = NOW) -> Entry:
    entry = store.bots.claim(bot, owner, goes, now=now, until=now + 60)
    assert isinstance(entry, Entry)
    return entry


def posting(*events: Verified) -> Posting:
    return Posting(events, (RELAY,), 1, NOW)


class TestABot:
    def test_is_on_record_once_by_its_key_and_its_name(self, store: SqlStore) -> None:
        first = store.bots.enter(CAROL, "faq", now=5)
        assert (first.began_at, first.heard_at) == (5, 5)
        assert store.bots.enter(CAROL, "faq", now=9) == first
        others = [store.bots.enter(CAROL, "echo", now=9), store.bots.enter(BOB, "faq", now=9)]
        assert len({first.row, *(each.row for each in others)}) == 3

    def test_has_listened_up_to_the_latest_time_that_was_noted(self, store: SqlStore) -> None:
        bot = store.bots.enter(CAROL, "faq", now=5)
        for now in (20, 10):
            store.bots.listened(bot, now=now)
        assert store.bots.enter(CAROL, "faq", now=30).heard_at == 20

    def test_is_asked_once_whether_its_profile_says_so(self, store: SqlStore) -> None:
        bot = store.bots.enter(CAROL, "faq", now=5)
        assert bot.marks is None
        for marks in (False, True):
            store.bots.mark(bot, marks=marks)
            assert store.bots.enter(CAROL, "faq", now=9).marks is marks


class TestReading:
    def test_begins_with_what_is_stored_after_the_bot_came(self, store: SqlStore) -> None:
        store.add([QUESTION], relay=RELAY, now=NOW)
        bot = entered(store, OTHER)
        assert [entry.event_id for entry in store.bots.entries()] == [OTHER.id]
        assert read(store, bot) is None

    def test_puts_on_record_who_asks_where_and_when(self, store: SqlStore) -> None:
        below = reply(QUESTION.id, QUESTION.id, author=BOB, at=THEN + 3, text="really?")
        entered(store, QUESTION, below)
        (entry,) = store.bots.entries(event_id=below.id)
        assert (entry.bot, entry.author, entry.root) == ("faq", BOB, QUESTION.id)
        assert (entry.asked_at, entry.seen_at, entry.due) == (THEN + 3, NOW, NOW)
        assert (entry.state, entry.tries, entry.posting) == (State.SEEN, 0, None)
        assert (entry.answered_at, entry.pardoned) == (None, False)

    def test_tells_the_bot_what_a_note_answers(self, store: SqlStore) -> None:
        below = reply(QUESTION.id, QUESTION.id, author=BOB, text="really?")
        lost = reply("a" * 64, "a" * 64, author=BOB, text="lost?")
        bot = store.bots.enter(CAROL, "faq", now=1)
        store.add([QUESTION, below, lost], relay=RELAY, now=NOW)
        told = {}

        def note(event: Verified, parent: Verified | None) -> list[Taken]:
            told[event] = parent
            return []

        assert store.bots.read(bot, (1,), 0, note, now=NOW, most=9) == []
        assert told == {QUESTION: None, below: QUESTION, lost: None}
        assert store.bots.entries() == []

    def test_passes_over_other_kinds_what_is_too_old_and_what_is_gone(
        self, store: SqlStore
    ) -> None:
        bot = store.bots.enter(CAROL, "faq", now=1)
        gone = made(content="never mind?", author=ALICE)
        article = made(30023, ("d", "a"), content="is this one?")
        store.add([article, gone, deletion(("e", gone.id))], relay=RELAY, now=NOW)
        store.add([QUESTION, OTHER], relay=RELAY, now=NOW)
        assert read(store, bot, since=OTHER.created_at) == 1
        assert [entry.event_id for entry in store.bots.entries()] == [OTHER.id]

    def test_goes_on_where_it_was_and_each_bot_by_itself(self, place: str) -> None:
        with open_store(place) as store:
            faq = store.bots.enter(CAROL, "faq", now=1)
            echo = store.bots.enter(CAROL, "echo", now=1)
            store.add([QUESTION, OTHER], relay=RELAY, now=NOW)
            assert read(store, faq, most=1) == 1
        with open_store(place) as store:
            assert [read(store, faq, most=1), read(store, faq, most=1)] == [1, None]
            assert read(store, echo) == 2
            assert len(store.bots.entries(name="faq")) == 2

    def test_leaves_what_is_on_record_as_it_is(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        claimed(store, bot)
        with store._database.writing() as connection:
            connection.execute("UPDATE bots SET upto = 0")
        assert read(store, bot) == 0
        assert [entry.state for entry in store.bots.entries()] == [State.ANSWERING]

    def test_may_ask_several_rules_or_none_with_a_reason(self, store: SqlStore) -> None:
        bot = store.bots.enter(CAROL, "faq", now=1)
        store.add([QUESTION], relay=RELAY, now=NOW)
        several = [Taken("a"), Taken("b", "deny", "its author is on the list")]
        found = store.bots.read(bot, (1,), 0, lambda *_: several, now=NOW, most=9)
        assert found == [(QUESTION, each) for each in several]
        one, other = sorted(store.bots.entries(), key=lambda entry: entry.rule)
        assert (one.rule, one.state, one.guard) == ("a", State.SEEN, "")
        assert (other.rule, other.state) == ("b", State.SKIPPED)
        assert (other.guard, other.why) == ("deny", "its author is on the list")

    def test_is_undone_when_the_bot_fails(self, store: SqlStore) -> None:
        bot = store.bots.enter(CAROL, "faq", now=1)
        store.add([QUESTION, OTHER], relay=RELAY, now=NOW)

        def fails(event: Verified, _: Verified | None) -> list[Taken]:
            if event == OTHER:
                raise RuntimeError
            return [Taken()]

        with pytest.raises(RuntimeError):
            store.bots.read(bot, (1,), 0, fails, now=NOW, most=9)
        assert store.bots.entries() == []
        assert read(store, bot) == 2

    def test_by_two_processes_at_once_is_done_once(self, place: str) -> None:
        with open_store(place) as one, open_store(place) as two:
            bot = one.bots.enter(CAROL, "faq", now=1)
            one.add([QUESTION], relay=RELAY, now=NOW)

            def meanwhile(event: Verified, parent: Verified | None) -> list[Taken]:
                assert read(two, bot) == 1
                return hears(event, parent)

            assert one.bots.read(bot, (1,), 0, meanwhile, now=NOW, most=9) == []
            assert len(one.bots.entries()) == 1

    def test_leaves_out_what_was_purged_meanwhile(self, store: SqlStore) -> None:
        bot = store.bots.enter(CAROL, "faq", now=1)
        store.add([QUESTION], relay=RELAY, now=NOW)

        def purges(event: Verified, parent: Verified | None) -> list[Taken]:
            store.add([deletion(("e", QUESTION.id))], relay=RELAY, now=NOW)
            store.upkeep.purge(now=NOW)
            return hears(event, parent)

        assert store.bots.read(bot, (1,), 0, purges, now=NOW, most=9) == []
        assert store.bots.entries() == []


class TestClaiming:
    def test_takes_the_oldest_ask_and_no_ask_twice(self, store: SqlStore) -> None:
        bot = entered(store, OTHER, QUESTION)
        first, second = claimed(store, bot), claimed(store, bot, "two")
        assert (first.event_id, second.event_id) == (QUESTION.id, OTHER.id)
        assert (first.state, first.answered_at) == (State.ANSWERING, NOW)
        assert store.bots.claim(bot, "three", goes, now=NOW, until=NOW + 60) is None

    def test_is_for_the_bot_s_own_asks(self, store: SqlStore) -> None:
        entered(store, QUESTION)
        other = store.bots.enter(CAROL, "echo", now=1)
        assert store.bots.claim(other, "one", goes, now=NOW, until=NOW + 60) is None

    def test_takes_over_what_somebody_left(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        assert store.bots.claim(bot, "two", goes, now=NOW + 59, until=NOW + 99) is None
        assert store.bots.next_due(bot) == NOW + 60
        again = claimed(store, bot, "two", now=NOW + 60)
        assert again.row == entry.row
        assert not store.bots.renew(entry, "one", until=NOW + 999)
        assert not store.bots.release(entry, "one", State.SKIPPED, now=NOW + 61)
        with pytest.raises(StoreError, match="another process"):
            store.bots.queue(entry, "one", posting(ANSWER), "help", now=NOW + 61)
        assert store.postings() == []

    def test_is_held_longer_by_who_renews(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        assert store.bots.renew(claimed(store, bot), "one", until=NOW + 120)
        assert store.bots.claim(bot, "two", goes, now=NOW + 119, until=NOW + 200) is None
        claimed(store, bot, "two", now=NOW + 120)

    def test_tells_the_decision_what_was_answered_in_the_last_day(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        first = claimed(store, bot)
        told: list[tuple[Sequence[Answered], int]] = []

        def decide(_: Entry, given: Sequence[Answered], total: int) -> Wait:
            told.append((given, total))
            return Wait(NOW + 86_400, "hour", "later")

        assert store.bots.renew(first, "one", until=NOW + 99_999)
        for now, counts_all in ((NOW + 86_399, True), (NOW + 86_400, True), (NOW + 86_400, False)):
            store.bots.claim(bot, "one", decide, now=now, until=now, counts_all=counts_all)
        assert told == [([Answered(NOW, ALICE, QUESTION.id)], 1), ([], 1), ([], 0)]

    def test_that_takes_an_ask_over_does_not_count_it_twice(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        claimed(store, bot)
        told: list[tuple[Sequence[Answered], int]] = []

        def note(_: Entry, given: Sequence[Answered], total: int) -> None:
            told.append((given, total))

        store.bots.claim(bot, "two", note, now=NOW + 60, until=NOW + 99, counts_all=True)
        assert told == [([], 0)]

    def test_skips_what_the_decision_leaves_no_room_for(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        said: dict[str, Skip | Wait] = {QUESTION.id: Skip("budget", "enough")}
        entry = store.bots.claim(
            bot, "one", lambda entry, *_: said.get(entry.event_id), now=NOW, until=NOW + 60
        )
        assert isinstance(entry, Entry)
        assert entry.event_id == OTHER.id
        (skipped,) = store.bots.entries(states=[State.SKIPPED])
        assert (skipped.event_id, skipped.guard, skipped.why) == (QUESTION.id, "budget", "enough")
        assert skipped.answered_at is None

    def test_stops_where_there_is_room_for_nobody(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        looks = []

        def waits(entry: Entry, *_: object) -> Wait:
            looks.append(entry.row)
            return Wait(NOW + 50, "hour", "later")

        found = store.bots.claim(bot, "one", waits, now=NOW, until=NOW + 60)
        assert found == Wait(NOW + 50, "hour", "later")
        assert len(looks) == 1
        assert {each.state for each in store.bots.entries()} == {State.SEEN}

    def test_counts_a_death_as_a_try_and_lets_it_wait(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        first = claimed(store, bot)
        assert claimed(store, bot, "two", now=NOW + 60).tries == 1
        said: list[tuple[State, int]] = []

        def waits(entry: Entry, *_: object) -> Wait | None:
            said.append((entry.state, entry.tries))
            dead = entry.state is State.ANSWERING
            return Wait(NOW + 500, "died", "once more") if dead else None

        entry = store.bots.claim(bot, "three", waits, now=NOW + 120, until=NOW + 180)
        assert isinstance(entry, Entry)
        assert entry.event_id == OTHER.id
        assert said == [(State.ANSWERING, 2), (State.SEEN, 0)]
        (waiting,) = store.bots.entries(states=[State.SEEN])
        assert (waiting.row, waiting.tries, waiting.due) == (first.row, 2, NOW + 500)
        assert (waiting.guard, waiting.answered_at) == ("died", None)

    def test_counts_for_the_thread_in_which_the_ask_stands_by_now(self, store: SqlStore) -> None:
        """A note above it may come later."""
        parent = reply(QUESTION.id, QUESTION.id, author=BOB, at=THEN + 1, text="so.")
        ask = made(1, ("e", parent.id, "", "root"), author=ALICE, at=THEN + 2, content="so?")
        bot = entered(store, ask)
        store.add([QUESTION, parent], relay=RELAY, now=NOW)
        assert store.bots.entries()[0].root == parent.id
        assert claimed(store, bot).root == QUESTION.id
        assert store.bots.entries()[0].root == QUESTION.id

    def test_does_not_wait_for_one_who_is_known_to_have_died(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        claimed(store, bot, "dead")
        claimed(store, bot, "alive")
        assert store.bots.owners(bot) == {"dead", "alive"}
        assert store.bots.take_back(bot, "dead") == 1
        assert store.bots.take_back(bot, "nobody") == 0
        again = claimed(store, bot, now=NOW + 1)
        assert (again.event_id, again.tries) == (QUESTION.id, 1)


class TestReleasing:
    @pytest.mark.parametrize(("failed", "tries"), [(True, 1), (False, 0)])
    def test_for_later_counts_a_try_if_it_was_one(
        self, store: SqlStore, *, failed: bool, tries: int
    ) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        assert store.bots.release(
            entry, "one", State.SEEN, why="no", due=NOW + 30, failed=failed, now=NOW + 1
        )
        (entry,) = store.bots.entries()
        assert (entry.state, entry.why, entry.due) == (State.SEEN, "no", NOW + 30)
        assert (entry.tries, entry.answered_at, entry.changed_at) == (tries, None, NOW + 1)
        assert store.bots.claim(bot, "two", goes, now=NOW + 29, until=NOW + 99) is None
        claimed(store, bot, "two", now=NOW + 30)

    def test_leaves_no_room_taken_but_by_what_is_answered(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        store.bots.release(claimed(store, bot), "one", State.SKIPPED, guard="self", now=NOW)
        store.bots.release(claimed(store, bot), "one", State.DELIVERED, why="before", now=NOW)
        told: list[int] = []
        store.add([third := made(content="third?", at=THEN + 5)], relay=RELAY, now=NOW)
        read(store, bot)

        def note(_: Entry, given: Sequence[Answered], total: int) -> None:
            told.extend((len(given), total))

        store.bots.claim(bot, "one", note, now=NOW, until=1, counts_all=True)
        assert told == [1, 1]
        assert {(each.state, each.event_id) for each in store.bots.entries()} == {
            (State.SKIPPED, QUESTION.id),
            (State.DELIVERED, OTHER.id),
            (State.ANSWERING, third.id),
        }
        assert store.bots.counts(bot) == {
            (State.SKIPPED, "self"): 1,
            (State.DELIVERED, ""): 1,
            (State.ANSWERING, ""): 1,
        }

    def test_without_an_outcome_leaves_it_to_anybody_at_once(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        store.bots.leave(entry, "two", now=NOW + 1)
        assert store.bots.claim(bot, "two", goes, now=NOW + 1, until=NOW + 9) is None
        store.bots.leave(entry, "one", now=NOW + 1)
        (left,) = store.bots.entries()
        assert (left.state, left.owner, left.due, left.tries) == (State.SEEN, "", NOW + 1, 0)
        assert (left.answered_at, left.changed_at) == (None, NOW + 1)
        again = claimed(store, bot, "two", now=NOW + 1)
        assert again.tries == 0

    def test_is_for_what_is_being_answered_alone(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        store.bots.queue(entry, "one", posting(ANSWER), "help", now=NOW)
        assert not store.bots.release(entry, "one", State.SEEN, now=NOW)
        assert store.bots.entries()[0].state is State.QUEUED


class TestAnAnswer:
    def test_is_queued_with_its_ask(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        store.bots.queue(claimed(store, bot), "one", posting(ANSWER), "help", now=NOW + 3)
        (entry,) = store.bots.entries()
        assert (entry.state, entry.answerer, entry.posting) == (State.QUEUED, "help", ANSWER.id)
        # For budgets it is said now, and not when it was begun.
        assert entry.answered_at == NOW + 3
        assert [each.id for each in store.postings()] == [ANSWER.id]
        assert store.bots.postings(QUESTION.id) == {ANSWER.id}
        assert store.bots.postings(OTHER.id) == frozenset()
        assert store.bots.settle(bot, now=NOW + 4) == []
        assert store.bots.next_due(bot) is None

    def test_is_left_to_who_is_sending_it(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        store.bots.queue(entry, "one", posting(ANSWER), "help", now=NOW)
        store.record(ANSWER.id, Delivery(1, RELAY, Status.ACCEPTED), now=NOW)
        assert store.bots.renew(entry, "one", until=NOW + 90)
        assert store.bots.settle(bot, now=NOW + 89) == []
        store.bots.leave(entry, "two", now=NOW)
        assert store.bots.settle(bot, now=NOW + 89) == []
        store.bots.leave(entry, "one", now=NOW)
        assert [each.state for each in store.bots.settle(bot, now=NOW + 89)] == [State.DELIVERED]

    def test_that_is_left_behind_is_anybody_s(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        store.bots.queue(claimed(store, bot), "one", posting(ANSWER), "help", now=NOW)
        assert store.bots.entries()[0].owner == "one"
        assert store.bots.owners(bot) == {"one"}
        assert store.bots.settle(bot, now=NOW + 60) == []
        assert store.bots.entries()[0].owner == ""
        assert store.bots.owners(bot) == frozenset()

    def test_that_somebody_took_back_and_died_is_made_anew(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        store.bots.queue(claimed(store, bot), "one", posting(ANSWER), "help", now=NOW)
        store.cancel(ANSWER.id, now=NOW)
        assert [each.state for each in store.bots.settle(bot, now=NOW + 60)] == [State.SEEN]
        again = claimed(store, bot, now=NOW + 60)
        assert (again.posting, again.tries) == (None, 0)

    def test_that_cannot_be_queued_leaves_the_ask_as_it_was(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        store.enqueue(posting(ANSWER))
        with pytest.raises(StoreError, match="other parts"):
            store.bots.queue(claimed(store, bot), "one", posting(ANSWER, ANOTHER), "help", now=NOW)
        assert store.bots.entries()[0].state is State.ANSWERING

    def test_takes_the_place_of_one_that_was_cancelled(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        store.bots.queue(entry, "one", posting(ANSWER), "help", now=NOW)
        store.cancel(ANSWER.id, now=NOW)
        store.bots.queue(entry, "one", posting(ANOTHER), "help", now=NOW)
        assert store.bots.entries()[0].posting == ANOTHER.id

    def test_is_delivered_once_the_quorum_has_it(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        store.bots.queue(claimed(store, bot), "one", posting(ANSWER), "help", now=NOW + 7)
        store.record(ANSWER.id, Delivery(1, RELAY, Status.ACCEPTED), now=NOW)
        (entry,) = store.bots.settle(bot, now=NOW + 60 + 7)
        assert (entry.state, entry.changed_at) == (State.DELIVERED, NOW + 60 + 7)
        assert store.bots.settle(bot, now=NOW + 60 + 7) == []
        assert store.bots.latencies(bot) == (7, 1)

    @pytest.mark.parametrize("may_have_arrived", [True, False])
    def test_has_failed_once_every_relay_refused_it_and_is_retried(
        self, store: SqlStore, *, may_have_arrived: bool
    ) -> None:
        """Where a relay may have it, it is that answer or none."""
        bot = entered(store, QUESTION)
        store.bots.queue(claimed(store, bot), "one", posting(ANSWER), "help", now=NOW)
        if may_have_arrived:
            store.record(ANSWER.id, Delivery(1, RELAY, Status.NO_ANSWER), now=NOW)
        store.record(ANSWER.id, Delivery(1, RELAY, Status.GIVEN_UP, "too often"), now=NOW)
        (entry,) = store.bots.settle(bot, now=NOW + 60)
        assert (entry.state, entry.why) == (State.FAILED, "too often")
        assert store.bots.retry([entry], now=NOW + 60) == 1
        (entry,) = store.bots.entries()
        if may_have_arrived:
            assert (entry.state, entry.posting) == (State.QUEUED, ANSWER.id)
            found = store.posting(ANSWER.id)
            assert found is not None
            assert found.deliveries[0].status is Status.QUEUED
        else:
            assert (entry.state, entry.posting, entry.pardoned) == (State.SEEN, None, True)
            store.bots.queue(
                claimed(store, bot, now=NOW + 60), "one", posting(ANOTHER), "help", now=NOW + 60
            )
            assert [each.id for each in store.postings(open_only=True)] == [ANOTHER.id]

    def test_that_was_taken_back_by_hand_has_failed(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        store.bots.queue(entry, "one", posting(ANSWER), "help", now=NOW)
        store.bots.leave(entry, "one", now=NOW)
        store.cancel(ANSWER.id, now=NOW)
        (entry,) = store.bots.settle(bot, now=NOW)
        assert (entry.state, entry.why) == (State.FAILED, "the answer was taken back")


class TestRetryingAndForgetting:
    def test_what_was_skipped_is_asked_again_however_old(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        entry = claimed(store, bot)
        store.bots.release(entry, "one", State.SKIPPED, guard="age", why="old", now=NOW)
        assert store.bots.retry(store.bots.entries(), now=NOW + 5) == 1
        (entry,) = store.bots.entries()
        assert (entry.state, entry.guard, entry.why) == (State.SEEN, "", "")
        assert (entry.pardoned, entry.tries, entry.due) == (True, 0, NOW + 5)

    def test_what_is_being_answered_or_was_is_not_asked_again(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        store.bots.queue(claimed(store, bot), "one", posting(ANSWER), "help", now=NOW)
        claimed(store, bot)
        assert store.bots.retry(store.bots.entries(), now=NOW) == 0

    def test_what_was_put_off_is_asked_again_at_once(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION)
        store.bots.release(claimed(store, bot), "one", State.SEEN, due=NOW + 999, now=NOW)
        assert store.bots.retry(store.bots.entries(), now=NOW + 1) == 1
        assert claimed(store, bot, now=NOW + 1).pardoned

    def test_what_is_forgotten_is_gone_and_what_somebody_is_at_is_not(
        self, store: SqlStore
    ) -> None:
        bot = entered(store, QUESTION, OTHER)
        claimed(store, bot)
        assert store.bots.forget(store.bots.entries()) == 1
        assert [entry.event_id for entry in store.bots.entries()] == [QUESTION.id]
        assert read(store, bot) is None

    def test_asks_are_found_by_what_is_known_of_them(self, store: SqlStore) -> None:
        bot = entered(store, QUESTION, OTHER)
        claimed(store, bot, now=NOW + 1)
        found = store.bots.entries(pubkey=CAROL, name="faq")
        assert [entry.event_id for entry in found] == [QUESTION.id, OTHER.id]
        assert store.bots.entries(pubkey=BOB) == []
        assert store.bots.entries(name="echo") == []
        assert len(store.bots.entries(most=1)) == 1
        assert [each.event_id for each in store.bots.entries(states=[State.SEEN])] == [OTHER.id]


@given(
    st.lists(
        st.tuples(st.sampled_from(["claim", "release", "renew", "queue"]), st.integers(0, 2)),
        max_size=30,
    )
)
def test_whoever_works_at_once_never_has_the_same_ask(
    steps: list[tuple[str, int]],
) -> None:
    """Three owners, leases of ten seconds, a second for each step."""
    questions = [made(content=f"{each}?", at=THEN + each) for each in range(3)]
    answers = [made(content=f"a{each}", author=CAROL, at=NOW + each) for each in range(99)]
    with SqliteStore(":memory:") as store:
        bot = entered(store, *questions)
        held: dict[int, tuple[Entry, int]] = {}
        queued: list[str] = []
        for now, (step, owner) in enumerate(steps, NOW):
            name, mine = str(owner), held.get(owner)
            is_mine = mine is not None and not any(
                other != owner and entry.row == mine[0].row for other, (entry, _) in held.items()
            )
            if step == "claim":
                entry = store.bots.claim(bot, name, goes, now=now, until=now + 10)
                if isinstance(entry, Entry):
                    assert entry.event_id not in queued
                    for other, (theirs, end) in list(held.items()):
                        if theirs.row == entry.row:
                            assert end <= now
                            del held[other]
                    held[owner] = (entry, now + 10)
            elif mine is not None and step == "release":
                assert store.bots.release(mine[0], name, State.SEEN, now=now) is is_mine
                del held[owner]
            elif mine is not None and step == "renew":
                assert store.bots.renew(mine[0], name, until=now + 10)
                held[owner] = (mine[0], now + 10)
            elif mine is not None:
                store.bots.queue(mine[0], name, posting(answers[now - NOW]), "", now=now)
                queued.append(mine[0].event_id)
                del held[owner]
        assert len(store.postings()) == len(queued) == len(set(queued))
