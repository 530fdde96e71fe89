"""Everything that matches one question, from one relay: in parts, page by page, verified.

Knows what to ask next, and asks for it while the last page is still being verified. How whole the
answer is, is for `core.pages` to say; deadlines and complaints are `asking`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.pages import Page, following, pages
from nostr_threads.net.asking import MOST_TRIES
from nostr_threads.net.verifying import verified

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, MutableMapping, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.net.asking import Asker
    from nostr_threads.net.question import Question

__all__ = ["fetch", "sample"]

Arrived: TypeAlias = "Callable[[Sequence[Verified]], None]"

# Bytes of a REQ around its filter, and of the times and the limit that paging adds to it.
_ENVELOPE = 100
# Turns of the loop: in the first the next page is asked, in the second that is written. Then the
# relay is busy while this one is verified.
_UNTIL_SENT = 2

_WORST_FIRST = tuple(reversed(Finish))


async def sample(asker: Asker, question: Filter, end: float) -> Answer:
    """Ask once."""
    send = partial(asker.session.request, (question,))
    page = await _checked(await asker.ask(send, end), {})
    return _answer(asker.url, [page], page.finish, page.reason)


async def fetch(
    asker: Asker,
    question: Filter,
    *,
    page: int | None,
    end: float,
    known: MutableMapping[str, Verified],
    trusting: bool,
    arrived: Arrived,
) -> Answer:
    """Ask for everything: `page` events at a time (None: what the relay takes), until `end`.

    A question that is too large for the relay is asked in parts, and their answers are one.
    """
    if (failed := await asker.opened(end)) is not None:
        return Answer(asker.url, failed.finish or Finish.LOST, (), failed.reason)
    answer = Answer(asker.url, Finish.REFUSED)
    for _ in range(MOST_TRIES):
        limits = asker.limits
        size = limits.message_bytes - _ENVELOPE
        parts = question.split(values=limits.values, size=size)
        fetches = [
            _Fetch(asker, part, page or limits.page, end, known, trusting, arrived)
            for part in parts
        ]
        answer = _joined(await asyncio.gather(*(each.run() for each in fetches)))
        if answer.finish is not Finish.REFUSED or not asker.outgrew(limits):
            break
    return answer


@dataclass(slots=True, eq=False)
class _Fetch:
    """One question, page by page."""

    asker: Asker
    question: Filter
    page: int
    end: float
    known: MutableMapping[str, Verified]
    trusting: bool
    arrived: Arrived

    async def run(self) -> Answer:
        """Ask until the plan says how it ended, or the time is over."""
        plan, got_so_far = self._plan(), list[Page]()
        finish, reason = Finish.TIMEOUT, "not everything came in time"
        async with asyncio.TaskGroup() as tasks:
            asked = next(plan)
            under_way = tasks.create_task(self._ask(asked))
            while asyncio.get_running_loop().time() < self.end:
                got = await under_way
                guess = self._guess(asked, got)
                if guess is not None:
                    under_way = tasks.create_task(self._ask(guess))
                    await _turns(_UNTIL_SENT)
                got_so_far.append(await _checked(got, self.known))
                self.arrived(got_so_far[-1].events)
                try:
                    asked = plan.send(got_so_far[-1])
                except StopIteration as ended:
                    finish, reason = ended.value
                    break
                if asked != guess:
                    under_way.cancel()
                    under_way = tasks.create_task(self._ask(asked))
            under_way.cancel()
        return _answer(self.asker.url, got_so_far, finish, reason)

    def _plan(self) -> Generator[Filter, Page, tuple[Finish, str]]:
        limits = self.asker.limits
        return pages(
            self.question,
            page=min(self.page, limits.page),
            largest=self.asker.largest,
            cap=limits.cap,
            trusting=self.trusting,
        )

    async def _ask(self, asked: Filter) -> Question:
        send = partial(self.asker.session.request, (asked,))
        return await self.asker.ask(send, self.end)

    def _guess(self, asked: Filter, got: Question) -> Filter | None:
        is_last = "finish" in got.hints and self.trusting
        if got.finish is not Finish.COMPLETE or is_last:
            return None
        return following(self.question, asked, (event.created_at for event in got.events))


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)  # no waiting: a turn for whoever sends what was asked


async def _checked(got: Question, known: MutableMapping[str, Verified]) -> Page:
    """Keep of an answer what is true."""
    events, forged, lost = await verified(got.events, known)
    return Page(
        events,
        sent=len(got.events) + got.in_vain,
        finish=got.finish or Finish.LOST,
        hints=got.hints,
        reason=got.reason,
        refused=forged + got.in_vain,
        size=got.size,
        lacks=lost or got.in_vain > 0,
    )


def _answer(url: str, got: Sequence[Page], finish: Finish, reason: str) -> Answer:
    events = {event.id: event for page in got for event in page.events}
    refused, size = sum(page.refused for page in got), sum(page.size for page in got)
    return Answer(url, finish, tuple(events.values()), reason, refused, size)


def _joined(parts: Sequence[Answer]) -> Answer:
    """Make one answer of several: all events, and the worst ending."""
    worst = min(parts, key=lambda part: _WORST_FIRST.index(part.finish))
    events = {event.id: event for part in parts for event in part.events}
    return Answer(
        worst.relay,
        worst.finish,
        tuple(events.values()),
        worst.reason,
        sum(part.refused for part in parts),
        sum(part.size for part in parts),
    )
