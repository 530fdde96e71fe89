"""A bot that runs against relays: what it hears, what it answers, and that it does so once."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.app import tailing
from nostr_threads.app.bots import outcomes, turns
from nostr_threads.app.bots import running as runner
from nostr_threads.app.bots.botfile import BotFile
from nostr_threads.app.bots.news import Deed
from nostr_threads.app.bots.running import Running
from nostr_threads.core import kinds, nip19
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.budgets import Budgets
from nostr_threads.core.bots.hex_runs import MOST
from nostr_threads.core.bots.quiet import Quiet
from nostr_threads.core.bots.saying import Says
from nostr_threads.core.bots.specs import TextOf
from nostr_threads.core.bots.when import Match, Rule, When
from nostr_threads.core.messages import Publish
from nostr_threads.core.pow import difficulty
from nostr_threads.errors import BunkerError, InvalidInput, InvalidText, NoSigner
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import secret_from_hex
from nostr_threads.store.bots import State, Taken
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.bots.stage import (
    BOT,
    FILE,
    LIMITS,
    WAIT,
    Echo,
    answer_to,
    answers,
    at_work,
    question,
    running,
    send,
)
from tests.app.worlds import BOB, CAROL, config, opened, signer_of
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.store.bots import RecordedBot

pytestmark = pytest.mark.usefixtures("quickly")

LONG_AGO = 1_700_000_000
NSEC = "nsec1" + "q" * 58


def begun(nostr: nt.Nostr, *, ago: int, file: BotFile = FILE) -> None:
    """Put the bot on record as one that was started so many seconds ago."""
    nostr.store.bots.enter(BOT.pubkey, file.name, now=int(time.time()) - ago)


class Fails:
    """Cannot answer, some times."""

    def __init__(self, times: int, error: BaseException) -> None:
        self.tries = 0
        self._times = times
        self._error = error

    async def answer(self, ask: Ask) -> Answer | None:
        self.tries += 1
        if self.tries <= self._times:
            raise self._error
        return Answer(f"at last: {ask.text}")


class Hangs:
    """Never comes to an answer."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def answer(self, ask: Ask) -> Answer | None:
        self.begun.set()
        await asyncio.sleep(60)  # cancelled before
        return Answer(ask.text)


class Waits:
    """Answers once it may."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def answer(self, ask: Ask) -> Answer | None:
        self.begun.set()
        await self.may_end.wait()
        return Answer(ask.text)


class Fixed:
    """Always the same, or nothing."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    async def answer(self, _: Ask) -> Answer | None:
        return None if self._text is None else Answer(self._text)


class TestAnAnswer:
    async def test_is_given_to_a_note_that_names_the_bot(self) -> None:
        async with at_work() as (relay, nostr, stage):
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)
            (answer,) = answers(relay, note)
            assert answer.content == "you say: what is a relay?"
            assert [tag[1] for tag in answer.tags if tag[0] == "p"] == [BOB.pubkey]
            (entry,) = nostr.store.bots.entries()
            assert (entry.state, entry.answerer) == (State.DELIVERED, "echo")
            assert [news.deed for news in stage.told if news.event_id == note.id] == [
                *(Deed.HEARD, Deed.ANSWERING, Deed.QUEUED, Deed.DELIVERED)
            ]

    async def test_is_given_after_a_pause_and_at_the_pace_of_the_bot(self) -> None:
        file = replace(FILE, pace=0.5, limits=replace(LIMITS, pause=1.01))
        async with at_work(file) as (relay, _, stage):
            loop = asyncio.get_running_loop()
            begin = loop.time()
            first, second = question("one?"), question("two?", by=CAROL)
            send(relay, first, second)
            await stage.told_of(Deed.QUEUED, first)
            assert loop.time() - begin >= 1.0
            await stage.told_of(Deed.QUEUED, second)
            assert loop.time() - begin >= 1.5

    async def test_is_given_to_an_answer_to_the_bot_and_to_none_that_is_for_another(self) -> None:
        async with at_work(replace(FILE, limits=replace(LIMITS, too_fast=0))) as (relay, _, stage):
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)
            (said,) = answers(relay, note)
            again = answer_to(said, "is it?", at=time.time() + 1)
            aside = CAROL.event(
                1,
                "no, it is not",
                int(time.time()) + 1,
                (("e", note.id, "", "root"), ("p", BOB.pubkey), ("p", BOT.pubkey)),
            )
            send(relay, aside, again)
            await stage.told_of(Deed.DELIVERED, again)
            assert stage.of(Deed.HEARD, aside) == []
            assert answers(relay, aside) == []

    async def test_waits_as_long_when_the_note_was_heard_in_an_earlier_life(self) -> None:
        file = replace(FILE, limits=replace(LIMITS, pause=4.0))
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            loop = asyncio.get_running_loop()
            async with running(nostr, file) as stage:
                await stage.told_of(Deed.LISTENING)
                begin = loop.time()
                send(relay, note := question())
                await stage.told_of(Deed.ANSWERING, note)
            async with running(nostr, file) as stage:
                await stage.told_of(Deed.DELIVERED, note)
                assert loop.time() - begin >= 3.9

    async def test_of_a_second_rule_waits_as_long(self) -> None:
        rules = (Rule("one", TextOf("")), Rule("two", TextOf("")))
        limits = replace(LIMITS, pause=2.5)
        file = replace(FILE, rules=rules, match=Match.ALL, limits=limits, at_once=1)
        bots = {"one": Fixed(None), "two": Fixed("the second")}
        async with at_work(file, bots) as (relay, _, stage):
            begin = asyncio.get_running_loop().time()
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)
            assert asyncio.get_running_loop().time() - begin >= 2.4

    async def test_may_be_long_and_goes_as_one_thread(self) -> None:
        text = "\n\n".join(f"Paragraph {number}. " + "word " * 120 for number in range(4))
        async with at_work(bots={"echo": Fixed(text)}) as (relay, _, stage):
            send(relay, note := question())
            news = await stage.told_of(Deed.QUEUED, note)
            await stage.told_of(Deed.DELIVERED, note)
            parts = relay.store.query([nt.Filter(ids=tuple(news.posting))], now=int(time.time()))
            assert len(parts) == len(news.posting) > 1


class TestOneAnswer:
    async def test_however_many_relays_bring_the_question(self) -> None:
        async with AsyncExitStack() as stack:
            relays = [await stack.enter_async_context(FaultyRelay(stocked())) for _ in range(5)]
            urls = [relay.url for relay in relays]
            nostr = await stack.enter_async_context(opened(":memory:", *urls, by=BOT))
            stage = await stack.enter_async_context(running(nostr))
            await stage.told_of(Deed.LISTENING)
            note = question()
            for relay in relays:
                send(relay, note)
            await stage.told_of(Deed.DELIVERED, note)
            ids = {answer.id for relay in relays for answer in answers(relay, note)}
            assert len(ids) == 1

    async def test_however_often_the_bot_is_started(self, tmp_path: Path) -> None:
        echo = Echo()
        async with FaultyRelay(stocked()) as relay:
            for text in ("one?", "two?"):
                async with (
                    opened(tmp_path / "a.db", relay.url, by=BOT) as nostr,
                    running(nostr, bots={"echo": echo}) as stage,
                ):
                    await stage.told_of(Deed.LISTENING)
                    send(relay, note := question(text))
                    await stage.told_of(Deed.DELIVERED, note)
        assert len(echo.asked) == len(set(echo.asked)) == 2

    async def test_however_many_processes_work_on_one_store(self, place: str) -> None:
        async with (
            FaultyRelay(stocked()) as relay,
            opened(place, relay.url, by=BOT) as one,
            opened(place, relay.url, by=BOT) as two,
            running(one) as first,
            running(two) as second,
        ):
            for stage in (first, second):
                await stage.told_of(Deed.LISTENING)
            notes = [question(f"{number}?", by=by) for number in range(3) for by in (BOB, CAROL)]
            send(relay, *notes)
            done = partial(one.store.bots.entries, states=[State.DELIVERED])
            # Each tells of what it has settled itself.
            first.goes_with(second)
            await first.until(lambda: len(done()) == len(notes))
            assert [len(answers(relay, note)) for note in notes] == [1] * len(notes)

    async def test_where_an_earlier_one_is_at_a_relay_and_not_in_the_store(self) -> None:
        note = question(at=time.time() - 60)
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            relay.store.add([note, answer_to(note, "before", by=BOT)], relay=None, now=1)
            begun(nostr, ago=100)
            async with running(nostr) as stage:
                news = await stage.told_of(Deed.DELIVERED, note)
                assert "was answered by" in news.why
                assert len(answers(relay, note)) == 1

    async def test_is_not_risked_while_no_relay_says_whether_there_is_one(self) -> None:
        note = question(at=time.time() - 60)
        async with (
            FaultyRelay(stocked([note])) as reads,
            FaultyRelay(stocked(), Faults(refuse_connections=True)) as writes,
        ):
            relays = (
                nt.RelaySettings(reads.url, write=False),
                nt.RelaySettings(writes.url, read=False),
            )
            settings = nt.Config(relays, config(quick=2.0).defaults, "the test's settings")
            async with nt.open(":memory:", settings, signer_of(BOT)) as nostr:
                begun(nostr, ago=100)
                async with running(nostr) as stage:
                    news = await stage.told_of(Deed.WAITS, note)
                    assert news.guard == "unsure"
                assert nostr.store.postings() == []
                (entry,) = nostr.store.bots.entries()
                assert (entry.state, entry.guard) == (State.SEEN, "unsure")
                assert entry.due > time.time()


class TestWhatCameWhileNobodyListened:
    async def test_is_answered_oldest_first(self, tmp_path: Path) -> None:
        now = time.time()
        notes = [question(f"{ago}?", at=now - ago, by=by) for ago, by in ((30, BOB), (90, CAROL))]
        async with (
            FaultyRelay(stocked(notes)) as relay,
            opened(tmp_path / "a.db", relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=100)
            echo = Echo()
            async with running(nostr, replace(FILE, at_once=1), {"echo": echo}) as stage:
                for note in notes:
                    await stage.told_of(Deed.DELIVERED, note)
            assert echo.asked == [notes[1].id, notes[0].id]

    async def test_is_on_record_as_too_old_where_it_is(self) -> None:
        now = time.time()
        file = replace(FILE, limits=replace(LIMITS, catch_up=300))
        old, young = question("old?", at=now - 1_000), question("young?", at=now - 100)
        async with (
            FaultyRelay(stocked([old, young])) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=5_000)
            async with running(nostr, file) as stage:
                await stage.told_of(Deed.DELIVERED, young)
                assert (await stage.told_of(Deed.SKIPPED, old)).guard == "age"
            assert answers(relay, old) == []

    async def test_is_none_of_its_business_where_it_came_before_the_bot(self) -> None:
        before = question("before?", at=time.time() - 1_000)
        async with (
            FaultyRelay(stocked([before])) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
            running(nostr) as stage,
        ):
            await stage.told_of(Deed.LISTENING)
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)
            assert [entry.event_id for entry in nostr.store.bots.entries()] == [note.id]

    async def test_is_not_answered_by_being_asked_again_where_another_guard_objects(self) -> None:
        note = question("what? #nobot", at=time.time() - 60)
        async with (
            FaultyRelay(stocked([note])) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=100)
            async with running(nostr) as stage:
                await stage.told_of(Deed.SKIPPED, note)
            nostr.store.bots.retry(nostr.store.bots.entries(), now=int(time.time()))
            async with running(nostr) as stage:
                assert (await stage.told_of(Deed.SKIPPED, note)).guard == "nobot"

    async def test_is_asked_again_by_its_owner_however_old(self) -> None:
        file = replace(FILE, limits=replace(LIMITS, catch_up=300))
        old = question("old?", at=time.time() - 1_000)
        async with (
            FaultyRelay(stocked([old])) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=5_000)
            async with running(nostr, file) as stage:
                await stage.told_of(Deed.SKIPPED, old)
            nostr.store.bots.retry(nostr.store.bots.entries(), now=int(time.time()))
            async with running(nostr, file) as stage:
                await stage.told_of(Deed.DELIVERED, old)


class TestNothingIsSaid:
    async def skipped(
        self, *stored: nt.Verified, note: nt.Verified, file: BotFile = FILE, bots: object = None
    ) -> str:
        """The guard that keeps the bot from answering a note."""
        answering = {rule.name: bots or Echo() for rule in file.rules}
        async with (
            FaultyRelay(stocked(stored)) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=100)
            async with running(nostr, file, answering) as stage:  # type: ignore[arg-type]
                send(relay, note)
                news = await stage.told_of(Deed.SKIPPED, note)
            assert answers(relay, note) == []
            assert nostr.store.postings() == []
            (entry,) = nostr.store.bots.entries(event_id=note.id)
            assert (entry.state, entry.guard) == (State.SKIPPED, news.guard)
            return news.guard

    async def test_to_a_bot(self) -> None:
        said = json.dumps({"name": "other", "bot": True})
        bot = BOB.event(kinds.PROFILE, said, LONG_AGO)
        assert await self.skipped(bot, note=question()) == "bots"

    async def test_to_who_wants_no_bots(self) -> None:
        said = BOB.event(kinds.PROFILE, json.dumps({"about": "tea #nobot"}), LONG_AGO)
        assert await self.skipped(said, note=question()) == "nobot"
        assert await self.skipped(note=question("hello? #nobot")) == "nobot"

    async def test_to_who_is_muted(self) -> None:
        muted = BOT.event(kinds.MUTE_LIST, "", LONG_AGO, (("p", BOB.pubkey),))
        assert await self.skipped(muted, note=question()) == "muted"

    async def test_to_what_was_deleted_meanwhile(self) -> None:
        note = question()
        gone = BOB.event(kinds.DELETION, "", note.created_at, (("e", note.id),))
        async with (
            FaultyRelay(stocked([note])) as late,
            FaultyRelay(stocked([gone])) as relay,
            opened(":memory:", late.url, relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=100)
            async with running(nostr) as stage:
                assert (await stage.told_of(Deed.SKIPPED, note)).guard == "deleted"
            assert nostr.store.postings() == []

    async def test_where_no_rule_fits(self) -> None:
        file = replace(FILE, rules=(Rule("help", TextOf("x"), When(words=("help",))),))
        assert await self.skipped(note=question(), file=file) == "rules"

    async def test_where_no_rule_has_anything_to_say(self) -> None:
        assert await self.skipped(note=question(), bots=Fixed(None)) == "silent"

    async def test_that_may_not_be_said(self) -> None:
        file = replace(FILE, says=Says(most_characters=10))
        assert await self.skipped(note=question(), file=file) == "says"
        assert await self.skipped(note=question(), bots=Fixed(f"it is {NSEC}")) == "says"
        own = f"it is {BOT.secret_hex().upper()}"
        assert await self.skipped(note=question(), bots=Fixed(own)) == "says"
        many = " ".join(f"{number:064x}" for number in range(MOST))
        assert await self.skipped(note=question(), bots=Fixed(many)) == "says"

    async def test_but_ids_that_are_no_key_of_the_bot_s(self) -> None:
        said = f"see {'00' * 32} and {BOB.secret_hex()}"
        async with at_work(bots={"echo": Fixed(said)}) as (relay, _, stage):
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)

    async def test_where_the_thread_is_not_known_well_enough(self) -> None:
        lost = "ab" * 32
        note = BOB.event(
            1,
            f"nostr:{nip19.encode(nip19.PublicKey(BOT.pubkey))} what?",
            int(time.time()),
            (("e", lost, "", "root"), ("p", BOT.pubkey)),
        )
        file = replace(FILE, limits=replace(LIMITS, catch_up=30))
        assert await self.skipped(note=note, file=file) == "known"

    async def test_while_what_it_answers_may_still_be_found(self) -> None:
        """It may be an answer to the bot: then it is one when that is known."""
        lost = answer_to(question(at=time.time() - 50), "before", by=BOT, at=time.time() - 40)
        note = answer_to(lost, "and then?", at=time.time() - 9)
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            begun(nostr, ago=100)
            async with running(nostr) as stage:
                send(relay, note)
                news = await stage.told_of(Deed.WAITS, note)
                assert news.guard == "known"
            (entry,) = nostr.store.bots.entries()
            assert (entry.state, entry.guard) == (State.SEEN, "known")

    async def test_in_a_dry_run(self) -> None:
        async with at_work(is_dry=True) as (relay, nostr, stage):
            send(relay, note := question())
            news = await stage.told_of(Deed.WOULD_ANSWER, note)
            assert news.answer is not None
            assert news.answer.text == "you say: what is a relay?"
            assert nostr.store.bots.entries()[0].state is State.SKIPPED
            assert not [each for each in relay.received if isinstance(each, Publish)]

    async def test_while_the_kill_file_is_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turns, "_NEXT_LOOK", 0.05)
        kill = tmp_path / "kill"
        kill.touch()
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
            running(nostr, replace(FILE, kill_file=str(kill))) as stage,
        ):
            await stage.told_of(Deed.WAITS)
            send(relay, note := question())
            await stage.told_of(Deed.HEARD, note)
            assert stage.of(Deed.ANSWERING) == []
            kill.unlink()
            await stage.told_of(Deed.DELIVERED, note)
            assert len(stage.of(Deed.WAITS)) == 1

    async def test_in_hours_of_quiet(self) -> None:
        minute = int(time.time()) // 60 % 1_440
        quiet = Quiet((minute - 5) % 1_440, (minute + 5) % 1_440)
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
            running(nostr, replace(FILE, limits=replace(LIMITS, quiet=(quiet,)))) as stage,
        ):
            assert "quiet" in (await stage.told_of(Deed.WAITS)).why
            send(relay, note := question())
            await stage.told_of(Deed.HEARD, note)
            assert stage.of(Deed.ANSWERING) == []


class TestTrouble:
    async def test_with_a_relay_is_told_once_and_when_it_is_over(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tailing, "_PAUSES", (0.05,))
        monkeypatch.setattr(tailing, "_UNTIL_LISTENING", 0.2)
        async with (
            FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
            running(nostr) as stage,
        ):
            news = await stage.told_of(Deed.TROUBLE)
            assert news.why.startswith(f"{relay.url}: ")
            relay.faults = Faults()
            await stage.until(lambda: len(stage.of(Deed.LISTENING)) == 2)
            assert stage.of(Deed.LISTENING)[1].why == f"{relay.url} answers again"
            assert len(stage.of(Deed.TROUBLE)) == 1
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)

    async def test_with_whoever_watches_does_not_end_what_is_watched(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "_NEXT_PULSE", 0.05)
        loop, beats, goes_on = asyncio.get_running_loop(), [], asyncio.Event()

        def pulse(_: RecordedBot) -> None:
            beats.append(1)
            if len(beats) > 1:
                loop.call_soon_threadsafe(goes_on.set)
            raise InvalidInput("cannot write there")

        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
            running(nostr, pulse=pulse) as stage,
        ):
            assert (await stage.told_of(Deed.TROUBLE)).why == "cannot write there"
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)
            await asyncio.wait_for(goes_on.wait(), WAIT)
            assert len(stage.of(Deed.TROUBLE)) == 1


@pytest.mark.parametrize(
    ("deaths", "state", "guard"),
    [(1, State.DELIVERED, ""), (2, State.SEEN, "died"), (5, State.SKIPPED, "died")],
)
async def test_a_question_at_which_its_process_dies_is_given_up_in_the_end(
    deaths: int, state: State, guard: str
) -> None:
    async with (
        FaultyRelay(stocked()) as relay,
        opened(":memory:", relay.url, by=BOT) as nostr,
    ):
        begun(nostr, ago=100)
        now, record = int(time.time()), nostr.store.bots
        nostr.store.add([note := question(at=now - 50)], relay=relay.url, now=now)
        recorded = record.enter(BOT.pubkey, FILE.name, now=now)
        record.read(recorded, (1,), 0, lambda *_: [Taken()], now=now, most=9)
        for _ in range(deaths):
            record.claim(recorded, "dead", lambda *_: None, now=now, until=now)
        async with running(nostr) as stage:
            other = question("and this?", by=CAROL)
            send(relay, other)
            # The older one is decided on before the other is begun, and overtaken while both are
            # worked on.
            for asked in (other, note) if state is State.DELIVERED else (other,):
                await stage.told_of(Deed.DELIVERED, asked)
        (entry,) = record.entries(event_id=note.id)
        assert (entry.state, entry.guard) == (state, guard)
        was_begun = bool(stage.of(Deed.ANSWERING, note))
        assert was_begun == bool(answers(relay, note)) == (state is State.DELIVERED)


class TestBudgets:
    async def test_are_kept(self) -> None:
        file = replace(FILE, budgets=Budgets(per_author_hour=2))
        notes = [question(f"{number}?") for number in range(4)]
        async with at_work(file) as (relay, _, stage):
            send(relay, *notes)
            await stage.until(lambda: len(stage.of(Deed.SKIPPED)) == 2)
            await stage.until(lambda: len(stage.of(Deed.DELIVERED)) == 2)
            assert {news.guard for news in stage.of(Deed.SKIPPED)} == {"per_author_hour"}
            assert sum(len(answers(relay, note)) for note in notes) == 2

    async def test_of_the_bot_are_waited_for(self) -> None:
        file = replace(FILE, budgets=Budgets(per_hour=1))
        async with at_work(file) as (relay, nostr, stage):
            send(relay, question("one?"), question("two?", by=CAROL))
            await stage.told_of(Deed.DELIVERED)
            news = await stage.told_of(Deed.WAITS)
            assert (news.guard, news.event_id) == ("per_hour", "")
            await stage.told_of(Deed.DELIVERED)
            assert len(nostr.store.bots.entries(states=[State.SEEN])) == 1
            assert len(stage.of(Deed.WAITS)) == 1

    async def test_end_what_two_bots_say_to_each_other(self) -> None:
        """Both answer bots, at once, and each hears the other: the budget ends it."""
        limits = replace(LIMITS, allow_bots=True, too_fast=0)
        file = replace(FILE, limits=limits, budgets=Budgets(per_author_thread=3))
        other = BotFile("other", rules=FILE.rules, limits=limits, budgets=file.budgets, pace=0.0)
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as ours,
            opened(":memory:", relay.url, by=CAROL) as theirs,
            running(ours, file) as one,
            running(theirs, other) as two,
        ):
            for stage in (one, two):
                await stage.told_of(Deed.LISTENING)
            send(relay, question("hello?", by=CAROL))
            await one.told_of(Deed.SKIPPED)
            assert len(one.of(Deed.QUEUED)) == 3
            assert len(two.of(Deed.QUEUED)) in (2, 3)


class TestWhatFails:
    async def test_is_tried_again_and_then_answered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outcomes, "PAUSES", (1, 1))
        bot = Fails(2, RuntimeError("no model"))
        async with at_work(bots={"echo": bot}) as (relay, _, stage):
            send(relay, note := question())
            await stage.told_of(Deed.DELIVERED, note)
            assert [news.why for news in stage.of(Deed.FAILED)] == [
                "RuntimeError: no model; it is tried again in 1 s"
            ] * 2
            assert bot.tries == 3
            (answer,) = answers(relay, note)
            assert answer.content == "at last: what is a relay?"

    async def test_always_is_put_on_record_and_never_answered(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outcomes, "PAUSES", (1,))
        bot = Fails(9, ValueError("broken"))
        async with at_work(bots={"echo": bot}) as (relay, nostr, stage):
            send(relay, note := question())
            await stage.until(lambda: len(stage.of(Deed.FAILED)) == 2)
            (entry,) = nostr.store.bots.entries()
            assert (entry.state, entry.why, entry.tries) == (State.FAILED, "ValueError: broken", 2)
            assert bot.tries == 2
            assert answers(relay, note) == []

    async def test_for_good_is_not_tried_again(self) -> None:
        bot = Fails(9, InvalidText("there is no text"))
        async with at_work(bots={"echo": bot}) as (relay, nostr, stage):
            send(relay, note := question())
            await stage.told_of(Deed.FAILED, note)
            assert nostr.store.bots.entries()[0].state is State.FAILED
            assert bot.tries == 1

    async def test_at_every_relay_has_failed_with_its_reason(self) -> None:
        async with at_work(faults=Faults(reject_with="blocked: no bots")) as (relay, _, stage):
            send(relay, note := question())
            news = await stage.told_of(Deed.FAILED, note)
            assert "no bots" in news.why

    async def test_is_the_bot_that_has_no_key(self) -> None:
        async with opened(":memory:", "ws://127.0.0.1:1") as nostr:
            with pytest.raises(NoSigner):
                Running(nostr, FILE, {}, clock=time.time)

    async def test_by_being_cancelled_from_within_is_a_failure_like_any(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody wanted it: to ask again at once would go on for ever."""
        monkeypatch.setattr(outcomes, "PAUSES", ())
        for error in (asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(3)):
            bot = Fails(9, error)
            async with at_work(bots={"echo": bot}) as (relay, nostr, stage):
                send(relay, note := question())
                await stage.told_of(Deed.FAILED, note)
                assert nostr.store.bots.entries()[0].state is State.FAILED
                assert bot.tries == 1

    async def test_with_words_that_nobody_can_keep_is_on_record_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise ValueError

        monkeypatch.setattr(outcomes, "PAUSES", ())
        secret = "nsec1" + "q" * 58
        for error in (ValueError(f"half \ud800 {secret}\x1b[2J"), Mute()):
            async with at_work(bots={"echo": Fails(9, error)}) as (relay, nostr, stage):
                send(relay, note := question())
                news = await stage.told_of(Deed.FAILED, note)
                why = nostr.store.bots.entries()[0].why
                for text in (why, news.why):
                    assert secret not in text
                    assert "\x1b" not in text
                    assert text.startswith(type(error).__name__)

    async def test_at_a_signer_that_is_away_is_no_try(self) -> None:
        class Away(nt.KeySigner):
            async def sign(self, _: nt.Draft) -> nt.Verified:
                raise BunkerError("nobody answers")

        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url) as nobody,
        ):
            nostr = nobody.signing_as(Away(secret_from_hex(BOT.secret_hex())))
            async with running(nostr) as stage:
                await stage.told_of(Deed.LISTENING)
                send(relay, note := question())
                assert (await stage.told_of(Deed.WAITS, note)).guard == "signing"
            (entry,) = nostr.store.bots.entries()
            assert (entry.state, entry.tries, entry.why) == (State.SEEN, 0, "nobody answers")


class TestWhileItIsAnswered:
    """To answer may take minutes: everything is looked at again before anything is said."""

    async def after(self, change: Callable[[nt.Nostr, nt.Verified], None], file: BotFile) -> str:
        """What keeps back an answer when something changes while it is made."""
        bot = Waits()
        async with at_work(file, {"echo": bot}) as (relay, nostr, stage):
            send(relay, note := question())
            await asyncio.wait_for(bot.begun.wait(), WAIT)
            change(nostr, note)
            bot.may_end.set()
            await stage.until(lambda: stage.of(Deed.SKIPPED, note) or stage.of(Deed.WAITS, note))
            assert answers(relay, note) == []
            return nostr.store.bots.entries()[0].guard

    async def test_the_kill_file_appears(self, tmp_path: Path) -> None:
        kill = tmp_path / "kill"
        guard = await self.after(lambda *_: kill.touch(), replace(FILE, kill_file=str(kill)))
        assert guard == "kill"

    async def test_the_question_is_deleted(self) -> None:
        def delete(nostr: nt.Nostr, note: nt.Verified) -> None:
            gone = BOB.event(kinds.DELETION, "", note.created_at, (("e", note.id),))
            nostr.store.add([gone], relay=None, now=note.created_at)

        assert await self.after(delete, FILE) == "deleted"


async def test_where_a_relay_wants_work_the_answer_is_written_anew_and_arrives() -> None:
    def wants_work(event: nt.Event) -> str | None:
        if event.kind != kinds.NOTE or difficulty(event.id) >= 8:
            return None
        return "pow: 8 bits are needed"

    store = stocked()
    async with (
        RelayServer(store, accept=wants_work) as relay,
        opened(":memory:", relay.url, by=BOT) as nostr,
        running(nostr) as stage,
    ):
        await stage.told_of(Deed.LISTENING)
        note = question()
        store.add([note], relay=None, now=note.created_at)
        relay.broadcast(note)
        await stage.told_of(Deed.DELIVERED, note)
        assert len(stage.of(Deed.QUEUED, note)) == 2
        wanted = nt.Filter(authors=(BOT.pubkey,), tags={"e": (note.id,)})
        assert len(store.query([wanted], now=note.created_at)) == 1


class TestTheEnd:
    async def test_gives_back_what_is_not_signed(self) -> None:
        bot = Hangs()
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            async with running(nostr, bots={"echo": bot}) as stage:
                await stage.told_of(Deed.LISTENING)
                send(relay, note := question())
                await asyncio.wait_for(bot.begun.wait(), WAIT)
            (entry,) = nostr.store.bots.entries()
            assert (entry.state, entry.tries) == (State.SEEN, 0)
            async with running(nostr) as stage:
                await stage.told_of(Deed.DELIVERED, note)

    async def test_lets_what_is_signed_arrive(self) -> None:
        async with (
            FaultyRelay(stocked()) as relay,
            opened(":memory:", relay.url, by=BOT) as nostr,
        ):
            async with running(nostr) as stage:
                await stage.told_of(Deed.LISTENING)
                relay.faults = Faults(slow=0.05)
                send(relay, note := question())
                await stage.told_of(Deed.QUEUED, note)
            assert len(answers(relay, note)) == 1
            assert nostr.store.bots.entries()[0].state is State.DELIVERED

    async def test_that_comes_before_it_arrives_leaves_the_same_bytes_to_the_next(
        self, tmp_path: Path
    ) -> None:
        async with FaultyRelay(stocked()) as relay:
            async with opened(tmp_path / "a.db", relay.url, by=BOT, quick=1.0) as nostr:
                async with running(nostr) as stage:
                    await stage.told_of(Deed.LISTENING)
                    send(relay, note := question())
                    await stage.told_of(Deed.ANSWERING, note)
                    relay.faults = Faults(no_ok=True, ok_but_not_stored=True)
                    news = await stage.told_of(Deed.QUEUED, note)
                assert nostr.store.bots.entries()[0].state is State.QUEUED
            relay.faults = Faults()
            async with opened(tmp_path / "a.db", relay.url, by=BOT) as nostr:
                with nostr.store._database.writing() as connection:
                    connection.execute("UPDATE deliveries SET retry_at = 0")
                async with running(nostr) as stage:
                    await stage.told_of(Deed.DELIVERED, note)
            assert [answer.id for answer in answers(relay, note)] == list(news.posting)


class TestRules:
    async def test_one_that_is_silent_leaves_it_to_the_next(self) -> None:
        file = replace(FILE, rules=(Rule("bank", TextOf("")), Rule("echo", TextOf(""))))
        bots: dict[str, Bot] = {"bank": Fixed(None), "echo": Echo()}
        async with at_work(file, bots) as (relay, _, stage):
            send(relay, note := question())
            assert (await stage.told_of(Deed.QUEUED, note)).rule == "echo"
            await stage.told_of(Deed.DELIVERED, note)

    async def test_may_all_answer_once_each(self) -> None:
        rules = (Rule("one", TextOf("")), Rule("two", TextOf("")))
        file = replace(FILE, rules=rules, match=Match.ALL)
        bots = {"one": Fixed("the first"), "two": Fixed("the second")}
        async with at_work(file, bots) as (relay, nostr, stage):
            send(relay, note := question())
            await stage.until(lambda: len(stage.of(Deed.DELIVERED)) == 2)
            assert {answer.content for answer in answers(relay, note)} == {
                "the first",
                "the second",
            }
            assert {entry.rule for entry in nostr.store.bots.entries()} == {"one", "two"}
