"""A crawl's questions put to relays, in the time there is, and not twice what was asked lately.

Knows which question goes to the network and how. Knows nothing of what is asked next.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.keeping import Keeper
from nostr_threads.core import kinds
from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.inquiry import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nostr_threads.app.documents import Documents
    from nostr_threads.core.crawl import Answered
    from nostr_threads.core.event import Verified
    from nostr_threads.core.inquiry import Question
    from nostr_threads.net.pool import Pool
    from nostr_threads.store.base import Store

__all__ = ["Asking"]

_COUNTS = 45
# Profiles and relay lists change rarely: relays are asked again after a day, in seconds. Mutes are
# asked for every time: who mutes somebody does not want to wait.
_FRESH = 86_400


class Asking:
    """The asking of one job. `now` is in unix seconds; it ends `seconds` from now, if given.

    What relays give is stored by `keeper`. `knows_people` says of which relays a whole answer about
    somebody will do for a day.
    """

    def __init__(
        self,
        pool: Pool,
        documents: Documents,
        store: Store,
        *,
        knows_people: Callable[[str], bool],
        now: int,
        seconds: float | None,
    ) -> None:
        self._pool = pool
        self._documents = documents
        self._store = store
        self._knows_people = knows_people
        self.keeper = Keeper(store, now)
        self._now = now
        self._seconds = seconds
        self._end = None if seconds is None else asyncio.get_running_loop().time() + seconds
        self._known: dict[str, Verified] = {}
        self._asked_about: set[str] = set()

    def learn(self, events: Iterable[Verified]) -> None:
        """Take events as known: they need not be read or checked again when a relay sends them."""
        self._known.update((event.id, event) for event in events)

    @property
    def budget_hit(self) -> str | None:
        """The time, once it is used up."""
        return f"{self._seconds:g} seconds" if self._left == 0 else None

    async def ask(self, question: Question) -> Answered:
        """Put a question to its relay. Never raises: see `Answer.finish`."""
        match question.topic:
            case Topic.COUNT:
                answer = await self._count(question)
            case Topic.PEOPLE if kinds.MUTE_LIST not in (question.filter.kinds or ()):
                answer = await self._about_people(question)
            case _:
                answer = await self._fetch(question)
        return question, answer

    async def close(self) -> None:
        """Store what is left, and who was asked about, so that it is not asked again soon."""
        await self.keeper.finish()
        people = tuple(self._asked_about)
        await off_loop(self._store.note_people_asked, people, now=self._now)

    @property
    def _left(self) -> float | None:
        """The seconds that are left, None for no end."""
        return None if self._end is None else max(0, self._end - asyncio.get_running_loop().time())

    async def _fetch(self, question: Question) -> Answer:
        relay = self._pool.relay(question.relay)
        return await relay.fetch(
            question.filter,
            seconds=self._left,
            known=self._known,
            trusting=question.trusting,
            arrived=partial(self.keeper.put, question.relay),
        )

    async def _count(self, question: Question) -> Answer:
        number = None
        if self._left != 0 and await self._documents.offers(question.relay, _COUNTS):
            relay = self._pool.relay(question.relay)
            number = await relay.count(question.filter, seconds=self._left)
        return Answer(question.relay, Finish.COMPLETE, count=number)

    async def _about_people(self, question: Question) -> Answer:
        """Ask about those of whom nobody was asked lately; of the others the store tells."""
        authors = question.filter.authors or ()
        asked = await off_loop(self._store.people_asked, authors)
        stale = tuple(each for each in authors if asked.get(each, 0) <= self._now - _FRESH)
        if len(stale) == len(authors):
            kept: list[Verified] = []
        else:
            about = replace(question.filter, authors=tuple(set(authors).difference(stale)))
            kept = await off_loop(self._store.query, [about], now=self._now)
        if not stale:
            return Answer(question.relay, Finish.COMPLETE, tuple(kept))
        wanted = replace(question, filter=replace(question.filter, authors=stale))
        answer = await self._fetch(wanted)
        if answer.finish is Finish.COMPLETE and self._knows_people(question.relay):
            self._asked_about.update(stale)
        return replace(answer, events=(*answer.events, *kept))
