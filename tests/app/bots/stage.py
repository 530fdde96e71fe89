"""What the tests of running bots need: questions, a bot that repeats them, and a way to wait."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.app.bots.botfile import BotFile
from nostr_threads.app.bots.news import Deed
from nostr_threads.app.bots.running import Running
from nostr_threads.core import nip19
from nostr_threads.core.bots import cases
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.cases import Limits
from nostr_threads.core.bots.specs import TextOf
from nostr_threads.core.bots.when import Rule
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, opened
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.app.bots.news import News
    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.store.bots import RecordedBot
    from nostr_threads.testing import Author

BOT = ALICE
with pytest.MonkeyPatch.context() as patch:
    # No person would be answered so soon; see `conftest`.
    patch.setattr(cases, "_SHORTEST_PAUSE", 0.0)
    LIMITS = Limits(pause=0.05)
FILE = BotFile("echo", rules=(Rule("echo", TextOf("")),), limits=LIMITS, pace=0.0)
WAIT = 20.0


class Echo:
    """Says what it is asked, and counts how often it was."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, ask: Ask) -> Answer | None:
        self.asked.append(ask.event.id)
        return Answer(f"you say: {ask.text}")


def question(
    text: str = "what is a relay?", *, by: Author = BOB, at: float | None = None
) -> nt.Verified:
    """A note that names the bot."""
    code = nip19.encode(nip19.PublicKey(BOT.pubkey))
    when = int(time.time() if at is None else at)
    return by.event(1, f"nostr:{code} {text}", when, (("p", BOT.pubkey),))


def answer_to(
    note: nt.Verified, text: str, *, by: Author = BOB, at: float | None = None
) -> nt.Verified:
    """A direct answer to a root (NIP-10) that calls its author."""
    tags = (("e", note.id, "", "root"), ("p", note.pubkey))
    return by.event(1, text, int(time.time() if at is None else at), tags)


class Stage:
    """All that a running bot told."""

    def __init__(self) -> None:
        self.told: list[News] = []
        self._moved = asyncio.Event()

    def tell(self, news: News) -> None:
        self.told.append(news)
        self._moved.set()

    def goes_with(self, other: Stage) -> None:
        """Wait for what the other tells, too."""
        other._moved = self._moved

    def of(self, deed: Deed, note: nt.Verified | None = None) -> list[News]:
        """What it told of that, and of that note."""
        return [
            news
            for news in self.told
            if news.deed is deed and (note is None or news.event_id == note.id)
        ]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, looking again whenever something is told."""
        async with asyncio.timeout(WAIT):
            while not holds():
                self._moved.clear()
                await self._moved.wait()

    async def told_of(self, deed: Deed, note: nt.Verified | None = None) -> News:
        """Wait until it tells of that."""
        await self.until(lambda: self.of(deed, note))
        return self.of(deed, note)[-1]


@asynccontextmanager
async def running(
    nostr: nt.Nostr,
    file: BotFile = FILE,
    bots: Mapping[str, Bot] | None = None,
    *,
    clock: Callable[[], float] = time.time,
    pulse: Callable[[RecordedBot], None] = lambda _: None,
    is_dry: bool = False,
) -> AsyncIterator[Stage]:
    """Run a bot; it is stopped at the end, in order."""
    stage, stop = Stage(), asyncio.Event()
    answering = bots or {rule.name: Echo() for rule in file.rules}
    bot = Running(nostr, file, answering, clock=clock, tell=stage.tell, pulse=pulse, is_dry=is_dry)
    task = asyncio.create_task(bot.run(stop))
    try:
        yield stage
        assert not task.done(), task.exception()
        stop.set()
        async with asyncio.timeout(WAIT):
            await task
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def at_work(
    file: BotFile = FILE,
    bots: Mapping[str, Bot] | None = None,
    *,
    faults: Faults | None = None,
    is_dry: bool = False,
) -> AsyncIterator[tuple[FaultyRelay, nt.Nostr, Stage]]:
    """Run a bot that listens at a relay of its own, with a store in memory."""
    async with (
        FaultyRelay(stocked(), faults or Faults()) as relay,
        opened(":memory:", relay.url, by=BOT) as nostr,
        running(nostr, file, bots, is_dry=is_dry) as stage,
    ):
        await stage.told_of(Deed.LISTENING)
        yield relay, nostr, stage


def send(relay: FaultyRelay, *notes: nt.Verified) -> None:
    """Let a relay have notes, and pass them on to whoever listens."""
    for note in notes:
        relay.store.add([note], relay=None, now=note.created_at)
        relay.broadcast(note)


def answers(relay: FaultyRelay, note: nt.Verified) -> list[nt.Verified]:
    """The bot's answers to a note that a relay has."""
    wanted = nt.Filter(authors=(BOT.pubkey,), tags={"e": (note.id,)})
    return relay.store.query([wanted], now=int(time.time()))
