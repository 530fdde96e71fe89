"""A simulated network: relays with partial copies of a thread, each with faults of its own.

The relays answer page by page, and `core.pages` decides what each answer proves, as it does for
real ones. What is forged is no event that anybody verified, and counts for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.crawl import Crawl
from nostr_threads.core.inquiry import Topic
from nostr_threads.core.pages import Page, pages
from nostr_threads.core.references import Pointer, references
from tests.core.crawling import World, router
from tests.core.invented import START, hex_of, invented

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.inquiry import Question

__all__ = ["Network", "SimulatedRelay", "conversation", "reachable"]

NOTES = 2000
_HABITS = ("good", "good", "down", "slow", "capped", "lies", "forges", "hides")
_STYLES = ("marked", "marked", "marked", "positional", "comment", "parent alone")


def conversation(random: Random, size: int = NOTES) -> list[Verified]:
    """Return a thread: bushy at the top, with long chains, written by clients of every habit."""
    notes = [invented("root")]
    for number in range(1, size):
        recent = random.random() < 0.5
        parent = random.choice(notes[-20:] if recent else notes[: 1 + len(notes) // 3])
        style = random.choice(_STYLES)
        comment = style == "comment"
        at = START + number // random.choice((1, 1, 1, 50))
        kind = kinds.COMMENT if comment else kinds.NOTE
        notes.append(invented(f"n{number}", *_tags(style, parent), kind=kind, at=at))
    return notes


def _tags(style: str, parent: Verified) -> tuple[tuple[str, ...], ...]:
    root = hex_of("root")
    match style:
        case "parent alone":
            return (("e", parent.id, "", "reply"),)
        case "positional":
            return (("e", root), ("e", parent.id))
        case "comment":
            return (("E", root), ("K", "1"), ("e", parent.id), ("k", "1"))
    if parent.id == root:
        return (("e", root, "", "root"),)
    return (("e", root, "", "root"), ("e", parent.id, "", "reply"))


@dataclass
class SimulatedRelay:
    """A relay that has `events`.

    `down` and `slow` relays never answer in time. `cap` bounds a page; `says` gives the NIP-67
    hints of an answer: "plain" none, "honest" true ones, "lies" always "finish". A relay that
    `forges` sends a false copy before each of those events.
    """

    events: Sequence[Verified]
    ending: Finish = Finish.COMPLETE
    cap: int = 500
    says: str = "plain"
    forges: frozenset[str] = frozenset()
    hides_honest: bool = False
    _by_mark: dict[tuple[str, str], list[Verified]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        marks = defaultdict(list)
        for event in sorted(self.events, key=lambda each: (-each.created_at, each.id)):
            marks["id", event.id].append(event)
            for tag in set(event.tags):
                marks[tag[0], tag[1]].append(event)
        self._by_mark = dict(marks)

    def answer(self, question: Question) -> Answer:
        """Answer a question in full, as far as this relay and paging go."""
        if self.ending is not Finish.COMPLETE:
            return Answer(question.relay, self.ending, reason="as always")
        plan = pages(question.filter, trusting=question.trusting)
        got: dict[str, Verified] = {}
        refused = 0
        try:
            asked = next(plan)
            while True:
                page = self._page(asked)
                got.update((event.id, event) for event in page.events)
                refused += page.refused
                asked = plan.send(page)
        except StopIteration as ended:
            finish, reason = ended.value
        return Answer(question.relay, finish, tuple(got.values()), reason, refused)

    def count(self, asked: Filter) -> int:
        """Count truly (NIP-45)."""
        return len(self._matching(asked))

    def _page(self, asked: Filter) -> Page:
        found = self._matching(asked)
        sent = found[: min(self.cap, asked.limit or self.cap)]
        forged = [event for event in sent if event.id in self.forges]
        good = [event for event in sent if not (self.hides_honest and event.id in self.forges)]
        everything = len(sent) == len(found)
        hints = {"plain": (), "honest": ("finish" if everything else "more",), "lies": ("finish",)}
        return Page(
            tuple(good),
            sent=len(good) + len(forged),
            finish=Finish.COMPLETE,
            hints=hints[self.says],
            refused=len(forged),
            lacks=self.hides_honest and bool(forged),
        )

    def _matching(self, asked: Filter) -> list[Verified]:
        marks = [("id", each) for each in asked.ids or ()]
        marks += [(letter, each) for letter, values in asked.tags.items() for each in values]
        found = {event.id: event for mark in marks for event in self._by_mark.get(mark, ())}
        matching = [event for event in found.values() if asked.matches(event)]
        return sorted(matching, key=lambda each: (-each.created_at, each.id))


class Network(World):
    """Twelve relays over one thread. `truth` can be had of it, the word of `doubtful` not."""

    def __init__(self, random: Random, notes: Sequence[Verified]) -> None:
        self.peers = {
            f"wss://r{number}.example": _peer(number, random, notes) for number in range(12)
        }
        super().__init__({url: peer.events for url, peer in self.peers.items()}, random=random)

    def answer(self, question: Question) -> Answer:
        """Answer as the relay would; only questions about the thread are looked at."""
        peer = self.peers[question.relay]
        match question.topic:
            case Topic.COUNT:
                number = peer.count(question.filter) if peer.says == "lies" else None
                return Answer(question.relay, Finish.COMPLETE, count=number)
            case Topic.PEOPLE | Topic.SOCIAL:
                return Answer(question.relay, peer.ending)
        return peer.answer(question)

    def crawl(self, start: Pointer) -> Crawl:
        """Crawl it."""
        return self.drive(Crawl(start, router(self.peers)))

    @property
    def truth(self) -> list[Verified]:
        """What the relays that answer will give, sooner or later."""
        return [
            event
            for peer in self.peers.values()
            if peer.ending is Finish.COMPLETE
            for event in peer.events
            if not (peer.hides_honest and event.id in peer.forges)
        ]

    @property
    def doubtful(self) -> set[str]:
        """The relays that did not give all they have: a lie that was caught is none any more."""
        return {
            url
            for url, peer in self.peers.items()
            if peer.ending is not Finish.COMPLETE or (peer.hides_honest and peer.forges)
        }


def _peer(number: int, random: Random, notes: Sequence[Verified]) -> SimulatedRelay:
    """The first relay is good; of the others each may be anything."""
    share = random.uniform(0.02, 0.4)
    held = [event for event in notes if random.random() < share]
    peer = SimulatedRelay(held, says=random.choice(("plain", "honest")))
    some = frozenset(event.id for event in held if random.random() < 0.1)
    match random.choice(_HABITS) if number else "good":
        case "down":
            return replace(peer, ending=Finish.UNREACHABLE)
        case "slow":
            return replace(peer, ending=Finish.TIMEOUT)
        case "capped":
            return replace(peer, cap=100)
        case "lies":
            return replace(peer, cap=100, says="lies")
        case "forges":
            return replace(peer, forges=some)
        case "hides":
            return replace(peer, forges=some, hides_honest=True)
    return peer


def reachable(events: Iterable[Verified], root: str) -> set[str]:
    """Return the ids of what leads to `root`: by its parent or, if that is lost, by its claim."""
    known = {event.id: references(event) for event in events}
    keys, joined = {root}, set(known) & {root}
    waiting = {name: refs for name, refs in known.items() if refs.parent is not None}
    while True:
        fresh: set[str] = set()
        for name, refs in waiting.items():
            parent, claimed = refs.parent, refs.root
            assert parent is not None
            assert claimed is not None
            if parent.key in keys or (parent.key not in known and claimed.key in keys):
                fresh |= {name, parent.key}
        if not fresh:
            return joined
        joined |= fresh & set(known)
        keys |= fresh
        waiting = {name: refs for name, refs in waiting.items() if name not in fresh}
