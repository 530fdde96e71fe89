"""Whatever happens, and whenever a process dies: one answer, no question lost, budgets kept."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from nostr_threads.app.bots.running import Running
from nostr_threads.core import kinds
from nostr_threads.core.bots.budgets import Budgets
from nostr_threads.store.bots import State
from nostr_threads.store.sqlite import SqliteStore
from tests.app.bots.mortal import Crash, JumpingLoop, Life, World, answers_to, at_once
from tests.app.bots.stage import BOT, FILE, LIMITS, Echo, question
from tests.app.worlds import BOB, CAROL, DAVE, NOW

if TYPE_CHECKING:
    import nostr_threads as nt
    from nostr_threads.core.bots.asks import Answer, Ask
    from nostr_threads.store.bots import Entry
    from nostr_threads.testing import Author

RELAYS = 3
CATCH_UP = 3_000
BUDGETS = Budgets(per_author_hour=3, per_thread=2, per_hour=5, per_day=8)
BOT_FILE = replace(
    FILE, at_once=2, budgets=BUDGETS, limits=replace(LIMITS, pause=2.0, catch_up=CATCH_UP), pace=1.0
)


class Moody(Echo):
    """Answers when it is in the mood."""

    fails = False

    async def answer(self, ask: Ask) -> Answer | None:
        await asyncio.sleep(0.5)  # of the world's time
        if self.fails:
            raise RuntimeError("not now")
        return await super().answer(ask)


class Bots(RuleBasedStateMachine):
    """Questions, relays and processes that come and go."""

    notes = Bundle("notes")

    @initialize()
    def begin(self) -> None:
        self.patch = pytest.MonkeyPatch()
        at_once(self.patch)
        self.world = World(SqliteStore(":memory:"), RELAYS)
        self.world.store.bots.enter(BOT.pubkey, BOT_FILE.name, now=self.world.now())
        self.world.elapsed = 1.0
        self.bot = Moody()
        self.asked: list[nt.Verified] = []
        self.deleted: set[str] = set()
        self.was_moody = False

    def teardown(self) -> None:
        """At last everything works, for longer than anything is waited for."""
        if not hasattr(self, "world"):
            return
        try:
            self.bot.fails = False
            for relay in self.world.relays:
                relay.is_up, relay.loses_oks = True, False
            for _ in range(3):
                self._live([None], 200)
                # What waits for a budget, or to be tried again, is due by then.
                self.world.elapsed += 86_400
            for note in self.asked:
                entries = self.world.store.bots.entries(event_id=note.id)
                if not entries:
                    # Gone before it was read: there was nothing to answer.
                    assert note.id in self.deleted, "a question was lost"
                    continue
                (entry,) = entries
                assert entry.state in (State.DELIVERED, State.SKIPPED, State.FAILED)
                said = answers_to(self.world, note, BOT.pubkey)
                assert len(said) == (entry.state is State.DELIVERED), entry
                assert said or self._is_excused(note, entry), entry
        finally:
            self.world.store.close()
            self.patch.undo()

    def _is_excused(self, note: nt.Verified, entry: Entry) -> bool:
        """Whether there is a good reason that a question has no answer."""
        match entry.guard:
            case "age":
                return entry.changed_at - note.created_at > CATCH_UP
            case "deleted":
                return note.id in self.deleted
            case "per_author_hour":
                return len(self.asked) > BUDGETS.per_author_hour
            case "failed":
                return "not now" in entry.why and self.was_moody
            case "died":
                return entry.tries > 4
        return False

    @rule(
        target=notes,
        people=st.lists(st.sampled_from([BOB, CAROL, DAVE]), min_size=1, max_size=4),
        places=st.sets(st.integers(0, RELAYS - 1), min_size=1),
    )
    def ask(self, people: list[Author], places: set[int]) -> MultipleResults[nt.Verified]:
        notes = [
            question(f"{number}?", by=by, at=self.world.now())
            for number, by in enumerate(people, len(self.asked))
        ]
        for place in places:
            self.world.relays[place].events.update((note.id, note) for note in notes)
        self.asked += notes
        return multiple(*notes)

    @rule(note=notes, place=st.integers(0, RELAYS - 1))
    def repeat(self, note: nt.Verified, place: int) -> None:
        self.world.relays[place].events[note.id] = note

    @rule(note=notes, place=st.integers(0, RELAYS - 1))
    def delete(self, note: nt.Verified, place: int) -> None:
        author = next(each for each in (BOB, CAROL, DAVE) if each.pubkey == note.pubkey)
        gone = author.event(kinds.DELETION, "", self.world.now(), (("e", note.id),))
        self.world.relays[place].events[gone.id] = gone
        self.deleted.add(note.id)

    @rule(place=st.integers(0, RELAYS - 1), up=st.booleans(), loses=st.booleans())
    def weather(self, place: int, up: bool, loses: bool) -> None:
        self.world.relays[place].is_up = up
        self.world.relays[place].loses_oks = loses

    @rule(fails=st.booleans())
    def mood(self, fails: bool) -> None:
        self.bot.fails = fails
        self.was_moody |= fails

    @rule(seconds=st.sampled_from([1, 30, 600, 2_000, 4_000]))
    def sleep(self, seconds: int) -> None:
        self.world.elapsed += seconds

    @rule(seconds=st.sampled_from([1, 5, 20, 200]), steps=st.none() | st.integers(0, 120))
    def live(self, seconds: int, steps: int | None) -> None:
        self._live([steps], seconds)

    @rule(
        seconds=st.sampled_from([5, 20, 200]),
        steps=st.tuples(*[st.none() | st.integers(0, 120)] * 2),
    )
    def live_twice(self, seconds: int, steps: tuple[int | None, int | None]) -> None:
        self._live(list(steps), seconds)

    @invariant()
    def nothing_is_said_twice(self) -> None:
        for note in getattr(self, "asked", ()):
            assert len(answers_to(self.world, note, BOT.pubkey)) <= 1

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        if not hasattr(self, "world"):
            return
        # By the answers themselves, and not by what is on record of them.
        asked = {note.id: note.pubkey for note in self.asked}
        said = sorted(
            (event.created_at, asked[event.tag_values("e")[0]])
            for posting in self.world.store.postings()
            for event in posting.events
        )
        for at, author in said:
            hour = [each for each in said if at - 3_600 < each[0] <= at]
            day = [each for each in said if at - 86_400 < each[0] <= at]
            assert len(hour) <= BUDGETS.per_hour
            assert len(day) <= BUDGETS.per_day
            assert sum(each[1] == author for each in hour) <= BUDGETS.per_author_hour

    def _live(self, lives: list[int | None], seconds: float) -> None:
        """Let bots run at once, each until it dies, and the others until they are stopped."""
        loop = JumpingLoop()
        begin = self.world.elapsed

        def elapsed() -> float:
            self.world.elapsed = begin + loop.time()
            return NOW + self.world.elapsed

        async def one(steps: int | None) -> None:
            life, stop = Life(self.world, BOT, steps), asyncio.Event()
            bot = Running(life, BOT_FILE, {"echo": self.bot}, clock=elapsed)  # type: ignore[arg-type]
            loop.call_later(seconds, stop.set)
            with suppress(Crash):
                await bot.run(stop)

        async def all_of_them() -> None:
            await asyncio.gather(*(one(steps) for steps in lives))

        try:
            loop.run_until_complete(all_of_them())
        finally:
            elapsed()
            loop.close()


TestBots = Bots.TestCase
TestBots.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
