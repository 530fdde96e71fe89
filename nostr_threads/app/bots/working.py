"""One ask from the moment it is taken until its answer is in the outbox, or why there is none.

Knows the order, and that everything is looked at again before anything is said. What may be
answered, and with what, is known in `core.bots`; which ask is next, `running` knows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.bots.circumstances import look, look_again
from nostr_threads.app.bots.hearing import chosen, ways_of
from nostr_threads.app.bots.news import Deed, News
from nostr_threads.app.bots.outcomes import Before, Failed, WouldAnswer, complaint, noted
from nostr_threads.app.bots.own_key import holds_key_of
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.writing import Style
from nostr_threads.core.bots.cases import Skip, Wait
from nostr_threads.core.bots.guards import EARLY, LATE, judge
from nostr_threads.core.bots.saying import fit
from nostr_threads.core.bots.ways import needs_parent
from nostr_threads.core.compose import Extras
from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.errors import (
    AnswerFailed,
    InvalidText,
    LimitTooSmall,
    NostrThreadsError,
    SigningError,
    StoreError,
    TakenOver,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.bots.circumstances import Circumstances
    from nostr_threads.app.bots.news import Tell
    from nostr_threads.app.bots.outcomes import Outcome
    from nostr_threads.app.bots.turns import Turns
    from nostr_threads.app.client import Nostr
    from nostr_threads.core.bots.asks import Answer, Ask
    from nostr_threads.core.bots.cases import Case
    from nostr_threads.core.bots.when import Rule
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Posting
    from nostr_threads.store.bots import Entry

__all__ = ["LEASE", "Desk", "Work"]

LEASE = 30
"""Seconds after which an ask is taken over from somebody who is silent."""

# How often the living say that they are.
_RENEWAL = 10.0
# Seconds until relays, or a signer elsewhere, that could not be asked are asked again.
_AWAY = 60
_TAKEN_OVER = "another process has taken it over"
# Seconds that anybody's bot may take, whatever it allows itself.
_LONGEST = 3_600.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What all asks of a bot are worked on with.

    `bots` are those that answer for each rule of the file, by its name. `owner` is a name that no
    other process has; `clock` gives unix seconds. Nothing is signed when it `is_dry`.
    """

    nostr: Nostr
    file: BotFile
    bot: str
    bots: Mapping[str, Bot]
    owner: str
    tell: Tell
    clock: Callable[[], int]
    turns: Turns
    is_dry: bool = False


class Work:
    """The work on one ask. `queued` is set once the answer is in the outbox: then it arrives."""

    def __init__(self, entry: Entry, desk: Desk) -> None:
        self.queued = asyncio.Event()
        self.event_id = entry.event_id
        self._entry = entry
        self._desk = desk
        self._record = desk.nostr.store.bots
        self._rule = ""

    async def run(self) -> None:
        """Do it to the end, and put on record how that went. Raises `StoreError`."""
        outcome = None
        try:
            with ungrouped():
                async with asyncio.TaskGroup() as tasks:
                    renewing = tasks.create_task(self._renew())
                    outcome = await self._outcome()
                    renewing.cancel()
        except TakenOver as error:
            self._tell(Deed.WAITS, why=str(error))
        finally:
            if outcome is None:
                # It is in the outbox, or was cut off: then it is nobody's.
                leave, owner = self._record.leave, self._desk.owner
                await to_its_end(off_loop(leave, self._entry, owner, now=self._desk.clock()))
        if outcome is not None:
            await self._note(outcome)

    async def _outcome(self) -> Outcome | None:
        """Answer it; None once the answer is in the outbox."""
        desk = self._desk
        event = await off_loop(desk.nostr.store.event, self.event_id)
        if event is None:
            return Skip("gone", "it is not in the store any more")
        self._tell(Deed.ANSWERING, event=event)
        try:
            return await self._answer(event)
        except StoreError:
            raise
        except SigningError as error:
            # A signer elsewhere may be away for hours, which is no fault of the question; but the
            # answer is made anew each time: so more and more rarely.
            now = desk.clock()
            pause = max(_AWAY, now - self._entry.seen_at)
            outcome: Outcome = Wait(now + pause, "signing", str(error))
        except (InvalidText, LimitTooSmall) as error:
            outcome = Failed(str(error), hopeless=True)
        except NostrThreadsError as error:
            outcome = Failed(str(error))
        # What became of an answer in the outbox is found there.
        return None if self.queued.is_set() else outcome

    async def _answer(self, event: Verified) -> Outcome | None:
        desk = self._desk
        found = await look(
            desk.nostr,
            event,
            bot=desk.bot,
            relays=desk.file.relays,
            now=desk.clock(),
            heard_at=self._entry.seen_at,
        )
        case = self._seen(found.case)
        if (verdict := self._judge(case)) is not None:
            return verdict
        if found.earlier is not None:
            return Before(found.earlier)
        return await self._say(replace(found, case=case))

    def _seen(self, case: Case) -> Case:
        """Say of a case how it came to the bot, now that what it answers is known."""
        desk = self._desk
        came = ways_of(desk.file, desk.bot, case.event, case.parent)
        may_be = case.parent is None and needs_parent(
            case.event, bot=desk.bot, listening=desk.file.listening
        )
        is_stopped = desk.turns.is_stopped()
        return replace(case, ways=came, may_be_reply=may_be, is_stopped=is_stopped)

    def _judge(self, case: Case) -> Skip | Wait | None:
        limits = self._desk.file.limits
        if self._entry.pardoned:
            limits = replace(limits, catch_up=MAX_CREATED_AT)
        return judge(case, limits, (*EARLY, *LATE))

    async def _say(self, found: Circumstances) -> Outcome | None:
        desk, event = self._desk, found.ask.event
        said = await self._said(found)
        if said is None:
            return Skip("silent", "no rule has anything to say")
        rule, answer = said
        try:
            answer = fit(answer, desk.file.says)
        except InvalidText as error:
            return Skip("says", str(error))
        if await off_loop(holds_key_of, desk.bot, answer.text):
            return Skip("says", "the answer holds, or may hold, the bot's own secret key")
        await desk.turns.wait(event.id, self._entry.seen_at)
        # To answer may have taken minutes, and the turn to come more.
        case = await look_again(desk.nostr, self._seen(found.case), now=desk.clock())
        if (verdict := self._judge(case)) is not None:
            return verdict
        if desk.is_dry:
            return WouldAnswer(answer)
        await self._publish(event, rule, answer)
        return None

    async def _said(self, found: Circumstances) -> tuple[Rule, Answer] | None:
        """Return what the first rule says that fits and is not silent."""
        desk, case, wanted = self._desk, found.case, self._entry.rule
        choice = await off_loop(chosen, desk.file, desk.bot, case.event, case.ways)
        for rule in choice.rules:
            if wanted in ("", rule.name):
                self._rule = rule.name
                answer = await _asked(desk.bots[rule.name], found.ask)
                if answer is not None:
                    return rule, _shaped(answer, rule)
        return None

    async def _publish(self, event: Verified, rule: Rule, answer: Answer) -> None:
        desk, loop = self._desk, asyncio.get_running_loop()

        def enqueue(posting: Posting) -> None:
            now = desk.clock()
            self._record.queue(self._entry, desk.owner, posting, rule.name, now=now)
            loop.call_soon_threadsafe(self._is_queued, event, answer, posting)

        extras = Extras(content_warning=answer.content_warning, calls_all=False)
        await desk.nostr.publish(
            answer.text,
            reply_to=event,
            relays=desk.file.relays,
            style=Style(form=answer.form, title=answer.title, extras=extras),
            enqueue=enqueue,
        )

    def _is_queued(self, event: Verified, answer: Answer, posting: Posting) -> None:
        self.queued.set()
        ids = [part.id for part in posting.events]
        self._tell(Deed.QUEUED, event=event, rule=self._rule, answer=answer, posting=ids)

    # The record

    async def _note(self, outcome: Outcome) -> None:
        what = noted(outcome, tries=self._entry.tries, now=self._desk.clock())
        release = off_loop(
            self._record.release,
            self._entry,
            self._desk.owner,
            what.state,
            guard=what.guard,
            why=what.why,
            due=what.due,
            failed=what.is_failure,
            now=self._desk.clock(),
        )
        if not await to_its_end(release):
            self._tell(Deed.WAITS, why=_TAKEN_OVER)
            return
        answer = outcome.answer if isinstance(outcome, WouldAnswer) else None
        why, rule = what.told or what.why, self._rule
        self._tell(what.deed, guard=what.guard, why=why, rule=rule, answer=answer)

    def _tell(self, deed: Deed, **what: Any) -> None:
        desk = self._desk
        desk.tell(News(deed, desk.file.name, desk.clock(), self.event_id, **what))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEWAL)  # well before it runs out
            until = self._desk.clock() + LEASE
            renewing = off_loop(self._record.renew, self._entry, self._desk.owner, until=until)
            if not await to_its_end(renewing):
                raise TakenOver(_TAKEN_OVER)


async def _asked(bot: Bot, ask: Ask) -> Answer | None:
    """Ask anybody's bot. Raises `AnswerFailed` for whatever it raises: it must not end others."""
    try:
        async with asyncio.timeout(_LONGEST):
            return await bot.answer(ask)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise AnswerFailed("it was cancelled, and not by us") from None
    except (AnswerFailed, InvalidText):
        raise
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        raise AnswerFailed(complaint(error)) from error


def _shaped(answer: Answer, rule: Rule) -> Answer:
    """Call an answer what its rule says, unless it says that itself."""
    warning = rule.content_warning if answer.content_warning is None else answer.content_warning
    return replace(answer, title=answer.title or rule.title, content_warning=warning)
