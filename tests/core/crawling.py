"""Simulated relays for the crawl: who has what, how answers end, and in which order they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.inquiry import Topic
from nostr_threads.core.routing import Choice, Reason, Router

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nostr_threads.core.crawl import Crawl
    from nostr_threads.core.event import Verified
    from nostr_threads.core.inquiry import Question

ONE, TWO, THREE = "wss://one.example", "wss://two.example", "wss://three.example"
FOUR = "wss://four.example"
MOST_STEPS = 10_000


def router(urls: Iterable[str], *, widen: bool = False, most: int = 40, seed: int = 0) -> Router:
    """Return a router over relays that were named by hand; it may dial any other."""
    first = [Choice(url, Reason.NAMED) for url in urls]
    random = Random(seed)
    return Router(first, may_dial=lambda _: True, random=random, most=most, widen=widen)


@dataclass
class World:
    """Relays by URL, what they were asked, and how some of them end every answer.

    With `random` answers come in any order and in groups of any size, else all at once.
    """

    relays: Mapping[str, Iterable[Verified]]
    endings: dict[str, Finish] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    random: Random | None = None
    asked: list[Question] = field(default_factory=list)

    def of(self, *topics: Topic) -> list[Question]:
        """Return what was asked about some topics."""
        return [question for question in self.asked if question.topic in topics]

    def of_thread(self, url: str) -> list[Question]:
        """Return what a relay was asked about the thread."""
        return [each for each in self.of(Topic.SEEK, Topic.ANSWERS) if each.relay == url]

    def answer(self, question: Question) -> Answer:
        """Answer as the relay would."""
        url = question.relay
        finish = self.endings.get(url, Finish.COMPLETE)
        if question.topic is Topic.COUNT:
            return Answer(url, Finish.COMPLETE, count=self.counts.get(url))
        found = tuple(event for event in self.relays[url] if question.filter.matches(event))
        kept = found if finish is Finish.COMPLETE else ()
        return Answer(url, finish, kept, self.reasons.get(url, ""))

    def drive(self, crawl: Crawl) -> Crawl:
        """Answer until nothing more is asked."""
        run = crawl.run()
        waiting: list[Question] = []
        try:
            fresh: Sequence[Question] = next(run)
            for _ in range(MOST_STEPS):
                self.asked += fresh
                waiting += fresh
                answered = self._some(waiting)
                waiting = [each for each in waiting if each not in answered]
                fresh = run.send([(each, self.answer(each)) for each in answered])
        except StopIteration:
            return crawl
        raise AssertionError("the crawl did not end")

    def _some(self, waiting: list[Question]) -> list[Question]:
        if self.random is None:
            return list(waiting)
        return self.random.sample(waiting, self.random.randint(1, len(waiting)))
