"""One ask from the moment it is taken until its answer is in the outbox, or why there is none.

Knows the order, and that whatever fails is put on record and tried again. What may be answered, and
with what, is known in `core.bots`; which ask is next, `running` knows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.bots.circumstances import look
from nostr_threads.app.bots.hearing import chosen, ways_of
from nostr_threads.app.bots.news import Deed, News
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.writing import Style
from nostr_threads.core.bots.cases import Skip, Wait
from nostr_threads.core.bots.guards import LATE, judge
from nostr_threads.core.bots.saying import fit
from nostr_threads.core.compose import Extras
from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.errors import (
    InvalidText,
    LimitTooSmall,
    NostrThreadsError,
    StoreError,
    TakenOver,
)
from nostr_threads.store.bots import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.bots.circumstances import Circumstances
    from nostr_threads.app.bots.news import Tell
    from nostr_threads.app.bots.turns import Turns
    from nostr_threads.app.client import Nostr
    from nostr_threads.core.bots.asks import Answer
    from nostr_threads.core.bots.cases import Limits
    from nostr_threads.core.bots.when import Rule
    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Posting
    from nostr_threads.store.bots import Entry

__all__ = ["LEASE", "Desk", "Work"]

LEASE = 30
"""Seconds after which an ask is taken over from somebody who is silent."""

# How often the living say that they are.
_RENEWAL = 10.0
# Seconds until what failed is tried again; after the last try it has failed for good.
_PAUSES = (30, 120, 600, 3_600)
# Seconds until relays that could not be asked are asked again.
_UNREACHABLE = 60


@dataclass(frozen=True, slots=True)
class Desk:
    """What all asks of a bot are worked on with.

    `bots` are those that answer for each rule of the file, by its name. `owner` is a name
    that no other process has; `clock` gives unix seconds. Nothing is signed when it `is_dry`.
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
        """Do it to the end. Raises `StoreError`; everything else is put on record."""
        try:
            with ungrouped():
                async with asyncio.TaskGroup() as tasks:
                    renewing = tasks.create_task(self._renew())
                    await self._do()
                    renewing.cancel()
        except TakenOver as error:
            self._tell(Deed.FAILED, why=str(error))
        except asyncio.CancelledError:
            # Where the answer is in the outbox this changes nothing.
            await to_its_end(off_loop(self._give_back))
            raise

    async def _do(self) -> None:
        desk = self._desk
        event = await off_loop(desk.nostr.store.event, self._entry.event_id)
        if event is None:
            await self._skip(Skip("gone", "it is not in the store any more"))
            return
        self._tell(Deed.ANSWERING, event=event)
        try:
            await self._answer(event)
        except StoreError:
            raise
        except NostrThreadsError as error:
            hopeless = isinstance(error, InvalidText | LimitTooSmall)
            await self._failed(str(error), later=not hopeless)
        except Exception as error:  # noqa: BLE001 - anybody's code answers, and must not end others
            await self._failed(f"{type(error).__name__}: {error}", later=True)

    async def _answer(self, event: Verified) -> None:
        desk = self._desk
        found = await self._look(event)
        verdict = judge(found.case, self._limits(), LATE)
        if not found.case.ways:
            verdict = Skip("ways", "it speaks to somebody else")
        if verdict is None and not found.is_sure and found.earlier is None:
            verdict = Wait(
                desk.clock() + _UNREACHABLE, "unsure", "no relay says whether it was answered"
            )
        if verdict is not None:
            await self._judged(verdict)
        elif found.earlier is not None:
            await self._settled(State.DELIVERED, why=f"it was answered by {found.earlier}")
        else:
            await self._say(event, found)

    async def _look(self, event: Verified) -> Circumstances:
        desk, seen_at = self._desk, self._entry.seen_at
        found = await look(
            desk.nostr,
            event,
            bot=desk.bot,
            relays=desk.file.relays,
            now=desk.clock(),
            heard_at=seen_at,
        )
        came = ways_of(desk.file, desk.bot, event, found.case.parent)
        return replace(
            found, case=replace(found.case, ways=came, is_stopped=desk.turns.is_stopped())
        )

    async def _say(self, event: Verified, found: Circumstances) -> None:
        desk = self._desk
        said = await self._said(event, found)
        if said is None:
            await self._skip(Skip("silent", "no rule has anything to say"))
            return
        rule, answer = said
        try:
            answer = fit(answer, desk.file.says)
        except InvalidText as error:
            await self._skip(Skip("says", str(error)))
            return
        await desk.turns.wait(event.id, self._entry.seen_at)
        if desk.is_dry:
            await self._settled(State.SKIPPED, guard="dry_run", why="it was a dry run")
            self._tell(Deed.WOULD_ANSWER, event=event, rule=rule.name, answer=answer)
        else:
            await self._publish(event, rule, answer)

    async def _said(self, event: Verified, found: Circumstances) -> tuple[Rule, Answer] | None:
        """Return what the first rule says that fits and is not silent."""
        desk, wanted = self._desk, self._entry.rule
        choice = chosen(desk.file, desk.bot, event, found.case.ways)
        for rule in choice.rules:
            if wanted in ("", rule.name):
                self._rule = rule.name
                answer = await desk.bots[rule.name].answer(found.ask)
                if answer is not None:
                    return rule, _shaped(answer, rule)
        return None

    async def _publish(self, event: Verified, rule: Rule, answer: Answer) -> None:
        desk, loop = self._desk, asyncio.get_running_loop()

        def enqueue(posting: Posting) -> None:
            now = desk.clock()
            self._record.queue(self._entry, desk.owner, posting, rule.name, now=now)
            loop.call_soon_threadsafe(self._is_queued, event, rule, answer, posting)

        extras = Extras(content_warning=answer.content_warning, calls_all=False)
        await desk.nostr.publish(
            answer.text,
            reply_to=event,
            relays=desk.file.relays,
            style=Style(form=answer.form, title=answer.title, extras=extras),
            enqueue=enqueue,
        )

    def _is_queued(self, event: Verified, rule: Rule, answer: Answer, posting: Posting) -> None:
        self.queued.set()
        ids = [part.id for part in posting.events]
        self._tell(Deed.QUEUED, event=event, rule=rule.name, answer=answer, posting=ids)

    # What becomes of it

    async def _judged(self, verdict: Skip | Wait) -> None:
        if isinstance(verdict, Skip):
            await self._skip(verdict)
            return
        due = max(verdict.until, self._desk.clock() + 1)
        await self._settled(State.SEEN, guard=verdict.guard, why=verdict.why, due=due)
        self._tell(Deed.WAITS, guard=verdict.guard, why=verdict.why)

    async def _skip(self, verdict: Skip) -> None:
        await self._settled(State.SKIPPED, guard=verdict.guard, why=verdict.why)
        self._tell(Deed.SKIPPED, guard=verdict.guard, why=verdict.why)

    async def _failed(self, why: str, *, later: bool) -> None:
        if self.queued.is_set():
            # It is in the outbox, and what became of it is found there.
            return
        tries = self._entry.tries
        if later and tries < len(_PAUSES):
            due = self._desk.clock() + _PAUSES[tries]
            await self._settled(State.SEEN, guard="failed", why=why, due=due, failed=True)
            again = f"{why}; it is tried again in {_PAUSES[tries]} s"
            self._tell(Deed.FAILED, rule=self._rule, why=again)
        else:
            await self._settled(State.FAILED, guard="failed", why=why, failed=True)
            self._tell(Deed.FAILED, rule=self._rule, why=why)

    async def _settled(
        self, state: State, *, guard: str = "", why: str = "", due: int = 0, failed: bool = False
    ) -> None:
        await to_its_end(
            off_loop(
                self._record.release,
                self._entry,
                self._desk.owner,
                state,
                guard=guard,
                why=why,
                due=due,
                failed=failed,
                now=self._desk.clock(),
            )
        )
        if state is State.DELIVERED:
            self._tell(Deed.DELIVERED, why=why)

    def _give_back(self) -> None:
        """Let anybody take it at once: where it was queued nothing happens."""
        self._record.release(self._entry, self._desk.owner, State.SEEN, now=self._desk.clock())

    def _limits(self) -> Limits:
        limits = self._desk.file.limits
        return replace(limits, catch_up=MAX_CREATED_AT) if self._entry.pardoned else limits

    def _tell(self, deed: Deed, **what: Any) -> None:
        desk = self._desk
        desk.tell(News(deed, desk.file.name, desk.clock(), self._entry.event_id, **what))

    async def _renew(self) -> None:
        while not self.queued.is_set():
            await asyncio.sleep(_RENEWAL)  # well before it runs out
            until = self._desk.clock() + LEASE
            renewing = off_loop(self._record.renew, self._entry, self._desk.owner, until=until)
            if not await to_its_end(renewing) and not self.queued.is_set():
                raise TakenOver("another process has taken the ask over")


def _shaped(answer: Answer, rule: Rule) -> Answer:
    """Call an answer what its rule says, unless it says that itself."""
    warning = rule.content_warning if answer.content_warning is None else answer.content_warning
    return replace(answer, title=answer.title or rule.title, content_warning=warning)
