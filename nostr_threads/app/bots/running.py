"""A bot that runs: it listens, reads what came, takes one ask after the other, and ends in order.

Knows what goes on at once and what waits for what. How one ask is worked on is `working`'s.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nostr_threads.app.blocking import off_loop, to_its_end
from nostr_threads.app.bots.hearing import Hearing
from nostr_threads.app.bots.listening import look_back, sources
from nostr_threads.app.bots.news import Deed, News
from nostr_threads.app.bots.outcomes import PAUSES
from nostr_threads.app.bots.owners import is_gone, new_owner
from nostr_threads.app.bots.turns import Turns
from nostr_threads.app.bots.working import LEASE, Desk, Work
from nostr_threads.app.grouping import ungrouped
from nostr_threads.core import nip19
from nostr_threads.core.bots.budgets import spend, spent_of
from nostr_threads.core.bots.cases import Skip, Wait
from nostr_threads.core.coverage import Finish
from nostr_threads.errors import InvalidInput, NoSigner
from nostr_threads.store.bots import Entry, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.bots.news import Tell
    from nostr_threads.app.client import Nostr
    from nostr_threads.app.mirror import Progress
    from nostr_threads.core.bots.budgets import Answered
    from nostr_threads.core.event import Event
    from nostr_threads.core.sources import Source
    from nostr_threads.store.bots import RecordedBot, Taken
    from nostr_threads.store.sources import Sync

__all__ = ["Running"]

_BECAME = {State.DELIVERED: Deed.DELIVERED, State.SEEN: Deed.WAITS}

# Answers on their way to relays, beside those that are being made.
_UNDER_WAY = 32
_EVERYTHING = 2**31
# Events that are read in one transaction: others want to write, too.
_BATCH = 200
# Seconds until what other processes have stored is read.
_NEXT_READ = 5.0
# Seconds until it is looked again whether anything is due.
_NEXT_LOOK = 30.0
# Seconds until what is stuck is sent again, and that the bot lives is noted.
_NEXT_PULSE = 15.0
# Seconds that relays have at the beginning to say what came while nobody listened: the oldest
# note is to be answered first.
_CATCHING_UP = 15.0
# Seconds that answers which are signed have to arrive at the end; what has not is in the outbox.
_AT_THE_END = 30.0


class Running:
    """Runs the bot of `file`, signing as `nostr` does.

    `bots` are those that answer for each rule of the file, by its name. `tell` hears of all that
    happens, `pulse` is called every few seconds and at the end. `clock` gives unix seconds. In a
    dry run (`is_dry`) nothing is signed. Raises `NoSigner` where there is no key.
    """

    def __init__(
        self,
        nostr: Nostr,
        file: BotFile,
        bots: Mapping[str, Bot],
        *,
        clock: Callable[[], float],
        tell: Tell = lambda _: None,
        pulse: Callable[[RecordedBot], None] = lambda _: None,
        is_dry: bool = False,
    ) -> None:
        if nostr.signer is None:
            raise NoSigner("a bot has a key to sign with")
        self._nostr = nostr
        self._file = file
        self._bot = bot = nostr.signer.public_key
        self._tell = tell
        self._pulse = pulse
        self._clock: Callable[[], int] = lambda: int(clock())
        self._record = nostr.store.bots
        self._turns = turns = Turns(file, self._clock)
        self._owner = owner = new_owner()
        self._desk = Desk(nostr, file, bot, bots, owner, tell, self._clock, turns, is_dry)
        self._slots = asyncio.Semaphore(file.at_once)
        self._under_way = asyncio.Semaphore(file.at_once + _UNDER_WAY)
        self._works: dict[asyncio.Task[None], Work] = {}
        self._complaint = ""
        self._loop = asyncio.get_running_loop()
        self._came, self._due = asyncio.Event(), asyncio.Event()
        self._caught_up, self._is_read = asyncio.Event(), asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then finish what is signed. Raises `StoreError`."""
        now = self._clock()
        recorded = await off_loop(self._record.enter, self._bot, self._file.name, now=now)
        await off_loop(self._take_back, recorded)
        since = look_back(recorded, now, self._file.limits.catch_up)
        followed = await sources(self._nostr, self._file, self._bot, since=since)
        with ungrouped():
            async with asyncio.TaskGroup() as tasks:
                loops = (
                    self._listen(followed),
                    self._read(recorded),
                    self._send_again(recorded),
                    self._live(recorded),
                    self._work(recorded, tasks),
                )
                busy = [tasks.create_task(each) for each in loops]
                await stop.wait()
                for each in busy:
                    each.cancel()
                await asyncio.wait(busy)
                await self._finish()
        await self._settle(recorded)
        await self._beat(recorded)

    def _take_back(self, recorded: RecordedBot) -> None:
        """Do not wait for those who have died on this machine."""
        for owner in self._record.owners(recorded):
            if is_gone(owner, self._owner):
                self._record.take_back(recorded, owner)

    # Listening and reading

    async def _listen(self, followed: Sequence[Source]) -> None:
        relays = dict.fromkeys(url for source in followed for url in source.relays)
        self._say(
            Deed.LISTENING,
            why=f"as {nip19.encode(nip19.PublicKey(self._bot))} at {', '.join(relays)}",
        )
        waiting = {(source.name, url) for source in followed for url in source.relays}
        failing: set[str] = set()
        loop = asyncio.get_running_loop()

        def progress(told: Progress) -> None:
            if told.sync is not None:
                waiting.discard((told.source.name, told.relay))
                if not waiting:
                    # Before the reader is told to look: then it finds everything.
                    loop.call_soon_threadsafe(self._caught_up.set)
                self._tell_of(told.relay, told.sync, failing)
            loop.call_soon_threadsafe(self._came.set)

        await self._nostr.mirror.follow(followed, progress=progress)

    def _tell_of(self, relay: str, sync: Sync, failing: set[str]) -> None:
        """Tell of a relay that begins to fail, or does not any more."""
        is_failing = sync.finish not in (Finish.COMPLETE, Finish.LIMITED)
        if is_failing and relay not in failing:
            failing.add(relay)
            reason = sync.reason or ("" if sync.finish is None else sync.finish.value)
            self._say(Deed.TROUBLE, why=f"{relay}: {reason}")
        elif not is_failing and relay in failing:
            failing.remove(relay)
            self._say(Deed.LISTENING, why=f"{relay} answers again")

    async def _read(self, recorded: RecordedBot) -> None:
        hearing = Hearing(self._file, self._bot, self._clock)
        kinds, since = self._file.listening.kinds, recorded.began_at
        while True:
            has_everything = self._caught_up.is_set()
            self._came.clear()
            read = partial(self._record.read, recorded, kinds, since, hearing, most=_BATCH)
            while (fresh := await to_its_end(off_loop(read, now=self._clock()))) is not None:
                for event, taken in fresh:
                    self._took(event, taken)
                if fresh:
                    self._due.set()
            if has_everything:
                self._is_read.set()
            await _first(self._came, _NEXT_READ)

    def _took(self, event: Event, taken: Taken) -> None:
        if taken.guard:
            self._say(Deed.SKIPPED, event=event, guard=taken.guard, why=taken.why)
        else:
            self._turns.heard(event.id)
            self._say(Deed.HEARD, event=event, rule=taken.rule)

    # Working

    async def _work(self, recorded: RecordedBot, tasks: asyncio.TaskGroup) -> None:
        await _first(self._is_read, _CATCHING_UP)
        told = ""
        while True:
            await self._turns.opened(self._say_wait)
            await self._under_way.acquire()
            await self._slots.acquire()
            self._due.clear()
            claimed = await self._claim(recorded)
            if isinstance(claimed, Entry):
                told = ""
                tasks.create_task(self._carry(claimed, recorded, tasks))
                continue
            self._slots.release()
            self._under_way.release()
            if claimed is not None and claimed.why != told:
                told = claimed.why
                self._say_wait(claimed)
            await self._until_due(recorded, claimed)

    async def _until_due(self, recorded: RecordedBot, wait: Wait | None) -> None:
        """Wait until something may be answered again, or something new was heard."""
        until = await off_loop(self._record.next_due, recorded) if wait is None else wait.until
        seconds = _NEXT_LOOK if until is None else until - self._clock()
        await _first(self._due, min(max(0.1, seconds), _NEXT_LOOK))

    async def _claim(self, recorded: RecordedBot) -> Entry | Wait | None:
        now, owner = self._clock(), self._owner
        counts_all = self._file.budgets.total is not None
        claim = partial(self._record.claim, recorded, owner, self._decide, counts_all=counts_all)
        claiming = off_loop(claim, now=now, until=now + LEASE)
        try:
            return await to_its_end(claiming)
        except asyncio.CancelledError:
            if isinstance(entry := claiming.result(), Entry):
                # Somebody else need not wait until we are taken for dead.
                await to_its_end(off_loop(self._record.leave, entry, owner, now=now))
            raise

    def _decide(self, entry: Entry, given: Sequence[Answered], total: int) -> Skip | Wait | None:
        now = self._clock()
        if entry.state is State.ANSWERING and (verdict := _after_death(entry.tries, now)):
            return verdict
        spent = spent_of(given, author=entry.author, thread=entry.root, now=now)
        verdict = spend(replace(spent, total=total), self._file.budgets, now)
        if isinstance(verdict, Skip):
            guard, why = verdict.guard, verdict.why
            self._soon(Deed.SKIPPED, event_id=entry.event_id, guard=guard, why=why)
        return verdict

    async def _carry(self, entry: Entry, recorded: RecordedBot, tasks: asyncio.TaskGroup) -> None:
        """Work on an ask; there is room for another one once its answer is in the outbox."""
        work = Work(entry, self._desk)
        running = tasks.create_task(work.run())
        self._works[running] = work
        queued = asyncio.ensure_future(work.queued.wait())
        try:
            await asyncio.wait((running, queued), return_when=asyncio.FIRST_COMPLETED)
        finally:
            queued.cancel()
            self._slots.release()
            self._due.set()
        await asyncio.wait([running])
        del self._works[running]
        self._under_way.release()
        self._turns.over(entry.event_id)
        await self._settle(recorded)

    async def _finish(self) -> None:
        """Let what is signed arrive; what is not is given back, to be answered another time."""
        for running, work in list(self._works.items()):
            if not work.queued.is_set():
                running.cancel()
        if self._works:
            _, late = await asyncio.wait(list(self._works), timeout=_AT_THE_END)
            for running in late:
                running.cancel()

    # What becomes of answers

    async def _send_again(self, recorded: RecordedBot) -> None:
        """Send what is stuck, the longest first."""
        while True:
            queued = await off_loop(
                self._record.entries,
                pubkey=self._bot,
                name=recorded.name,
                states=[State.QUEUED],
                most=_EVERYTHING,
            )
            stuck = {each.posting for each in queued if each.posting and not each.owner}
            if stuck:
                await self._nostr.outbox.resume(everything=False, only=stuck)
                await self._settle(recorded)
            await asyncio.sleep(_NEXT_PULSE)  # relays are asked again after minutes

    async def _live(self, recorded: RecordedBot) -> None:
        """Note that the bot lives, and what has become of answers that nobody is sending."""
        while True:
            await self._settle(recorded)
            await off_loop(self._record.listened, recorded, now=self._clock())
            await self._beat(recorded)
            await asyncio.sleep(_NEXT_PULSE)  # as often as anybody reads figures

    async def _beat(self, recorded: RecordedBot) -> None:
        try:
            await off_loop(self._pulse, recorded)
        except InvalidInput as error:
            # Whoever watches must not end what is watched.
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._say(Deed.TROUBLE, why=self._complaint)

    async def _settle(self, recorded: RecordedBot) -> None:
        for entry in await off_loop(self._record.settle, recorded, now=self._clock()):
            deed = _BECAME.get(entry.state, Deed.FAILED)
            self._say(deed, event_id=entry.event_id, rule=entry.answerer, why=entry.why)

    def _say(self, deed: Deed, **what: Any) -> None:
        if (event := what.get("event")) is not None:
            what["event_id"] = event.id
        self._tell(News(deed, self._file.name, self._clock(), **what))

    def _say_wait(self, wait: Wait) -> None:
        self._say(Deed.WAITS, guard=wait.guard, why=wait.why)

    def _soon(self, deed: Deed, **what: Any) -> None:
        """Tell from another thread."""
        self._loop.call_soon_threadsafe(partial(self._say, deed, **what))


def _after_death(tries: int, now: int) -> Skip | Wait | None:
    """Say whether an ask is taken up at once whose last owner died at it."""
    if tries > len(PAUSES):
        return Skip("died", f"whoever was at it has died, {tries} times")
    # Once may be a chance: somebody has pulled the plug.
    if tries > 1:
        return Wait(now + PAUSES[tries - 2], "died", "whoever was at it has died")
    return None


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
