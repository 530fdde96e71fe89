"""The questions that complete a thread: climb to the root, then ask for what answers each note.

Knows what to ask next, and when nothing is left to ask. Knows nothing of sockets: whoever drives it
puts each question to its relay and hands the answers back as they come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core import queries
from nostr_threads.core.around import Around
from nostr_threads.core.belonging import Belonging
from nostr_threads.core.coverage import Answer, Coverage, Finish, Tracker
from nostr_threads.core.inquiry import Inquiry, Question, Topic
from nostr_threads.core.references import Relation, references
from nostr_threads.core.routing import Choice, Reason
from nostr_threads.core.wire import prefix_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.references import Pointer
    from nostr_threads.core.routing import Router

__all__ = ["Answered", "Budget", "Crawl"]

Answered: TypeAlias = tuple[Question, Answer]

# A relay that ended a question like this is not asked again: it would only cost time.
_HOPELESS = frozenset((Finish.UNREACHABLE, Finish.TIMEOUT))
_SHUT_OUT = frozenset(("auth-required", "restricted", "blocked"))
# Whose relay lists are weighed: of more people nobody would be missed.
_MOST_PEOPLE = 2_000
_LIES = "it left out what it has"


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop although there may be more.

    `events` and `bytes` are those that are new in answers about the thread, `depth` the generations
    below the note asked for and those above it; `relays` bounds a `Router`. Of reactions, reposts,
    zaps and the like `social` events are taken: more of them is no reason to doubt the thread.
    """

    events: int = 50_000
    bytes: int = 64 * 2**20
    relays: int = 40
    depth: int | None = None
    questions: int = 50_000
    social: int = 20_000


class Crawl:
    """One crawl around `start`, over the relays that `router` chooses. `run` is its generator.

    Every relay is asked everything: to be missing means to be missing at all of them. `index` are
    relays that are asked about people alone, `viewer` is whose mute list is wanted.
    """

    def __init__(
        self,
        start: Pointer,
        router: Router,
        *,
        index: Iterable[str] = (),
        known: Iterable[Verified] = (),
        budget: Budget | None = None,
        viewer: str | None = None,
    ) -> None:
        self.start = start
        self.budget_hit: str | None = None
        self._budget = budget or Budget()
        self._router = router
        self._index = tuple(index)
        self._inquiries = {url: Inquiry(url, about_people=True) for url in self._index}
        self._tracker = Tracker()
        self._belonging = Belonging(start)
        self._viewer = viewer
        self._around = Around(most=self._budget.social, size=self._budget.bytes, viewer=viewer)
        self._size = self._asked = self._outstanding = self._adopted = self._read = 0
        for event in known:
            self._belonging.take(event)
        self._known = len(self._belonging.events)

    def run(self) -> Generator[list[Question], Iterable[Answered], None]:
        """Yield questions, take answers, until nothing is left to ask.

        What is yielded is to be asked now; then some answers are wanted, to whichever questions, at
        least one while any are under way. So no relay waits for another that is slower.
        """
        while True:
            questions = self._next()
            self._asked += len(questions)
            self._outstanding += len(questions)
            if not self._outstanding:
                break
            for question, answer in (yield questions):
                self._outstanding -= 1
                self._hear(question, answer)
            self.budget_hit = self._hit()
            if self.budget_hit is not None:
                return
        self.budget_hit = self._stopped_short()

    @property
    def events(self) -> tuple[Verified, ...]:
        """Everything that was found, of this thread or not, in order of finding."""
        return (*self._belonging.events.values(), *self._around.events.values())

    @property
    def found(self) -> int:
        """How many events about the thread were found so far."""
        return len(self._belonging.events)

    @property
    def root(self) -> str:
        """The key of the thread's root, as far as known."""
        return self._belonging.root

    def coverage(self, counted: Iterable[str]) -> Coverage:
        """Return what each relay gave of the event ids in `counted`."""
        stopped = Finish.LIMITED, "it was not asked everything"
        for inquiry in self._inquiries.values():
            if self._is_owed(inquiry):
                self._tracker.doubt(inquiry.relay, *(inquiry.given_up or stopped))
        choices = {choice.relay: choice for choice in self._router.choices}
        index = [Choice(url, Reason.INDEX) for url in self._index if url not in choices]
        return self._tracker.coverage(counted, (*choices.values(), *index))

    def credit(self, relay: str, ids: Iterable[str]) -> None:
        """Count events as given by a relay, whose answer did not come to its end."""
        self._tracker.credit(relay, ids)

    # What came

    def _hear(self, question: Question, answer: Answer) -> None:
        inquiry = self._inquiries[question.relay]
        inquiry.answered(question)
        if question.topic is Topic.COUNT:
            self._compare(inquiry, question, answer)
            return
        if answer.finish in _HOPELESS or prefix_of(answer.reason) in _SHUT_OUT:
            inquiry.skipped.add(question.topic)
            if question.topic.is_thread or answer.finish is Finish.UNREACHABLE:
                inquiry.given_up = answer.finish, answer.reason
        if question.topic.is_thread:
            self._hear_of_thread(inquiry, question, answer)
        else:
            if not inquiry.reads:
                # Who writes where is not known, then: the thread may be larger.
                self._tracker.add(answer)
            self._around.hear(question.topic, answer)
            if question.topic is Topic.ON_SOCIAL:
                self._admit(answer.events)
            # It claims nothing about the thread, and may give away what was left out of it.
            if inquiry.testimony.hear(question.filter, replace(answer, finish=Finish.LIMITED)):
                self._catch(inquiry, _LIES)

    def _hear_of_thread(self, inquiry: Inquiry, question: Question, answer: Answer) -> None:
        self._tracker.add(answer)
        known = self._belonging.events
        new = sum(event.id not in known for event in answer.events)
        self._size += answer.size * new // len(answer.events) if answer.events else answer.size
        for event in answer.events:
            self._belonging.take(event)
        is_current = question.trusting == inquiry.trusting
        if is_current and inquiry.testimony.hear(question.filter, answer):
            self._catch(inquiry, _LIES)

    def _admit(self, events: Iterable[Verified]) -> None:
        """Take in what answers a reaction, and the reaction with it."""
        for event in events:
            refs = references(event)
            parent = None if refs.parent is None else self._around.events.get(refs.parent.key)
            if parent is not None and refs.relation is Relation.REPLY:
                self._belonging.admit(parent)
                self._belonging.take(event)

    def _compare(self, inquiry: Inquiry, question: Question, answer: Answer) -> None:
        """Hold what a relay counts (NIP-45) against what it gave."""
        if answer.count is None:
            return
        given = self._tracker.given(answer.relay)
        known = self._belonging.events
        got = sum(question.filter.matches(known[each]) for each in given if each in known)
        self._tracker.count(answer.relay, answer.count)
        if answer.count > got:
            self._catch(inquiry, f"it counts {answer.count} answers to the root and sent {got}")

    def _catch(self, inquiry: Inquiry, why: str) -> None:
        """Ask a relay everything again without taking its word, or give up making sure of it."""
        if inquiry.trusting:
            inquiry.start_over()
        else:
            self._tracker.doubt(inquiry.relay, Finish.LIMITED, why)

    # When to stop

    def _hit(self) -> str | None:
        budget = self._budget
        if self.found - self._known >= budget.events:
            return f"{budget.events} events"
        if self._size >= budget.bytes:
            return f"{budget.bytes} bytes"
        return f"{budget.questions} questions" if self._asked >= budget.questions else None

    def _stopped_short(self) -> str | None:
        """The budget that kept something from being asked, though the end was reached."""
        deepest = self._budget.depth
        belonging = self._belonging
        if deepest is not None and any(belonging.depth(key) >= deepest for key in belonging.keys):
            return f"depth {deepest}"
        if self._router.unasked:
            return f"{self._budget.relays} relay{'s' if self._budget.relays > 1 else ''}"
        each = self._router.per_author
        return f"{each} hints of one author" if self._router.left_out else None

    # What to ask

    def _next(self) -> list[Question]:
        """What to ask now. What builds upon all answers waits until there are no more to come."""
        self._belonging.adopt(self._sought_in_vain())
        questions = self._ask()
        for prepare in (self._widen, self._count, self._look_around):
            if questions or self._outstanding:
                break
            questions = prepare()
        return questions

    def _ask(self) -> list[Question]:
        self._open_inquiries()
        self._around.people.update(self._belonging.authors)
        self._around.people.update(dict.fromkeys(self._belonging.suspects))
        people = tuple(self._around.people)
        questions: list[Question] = []
        for inquiry in self._inquiries.values():
            if inquiry.reads:
                questions += inquiry.next(Topic.SEEK, self._belonging.wanted, self._wanted)
                questions += inquiry.next(Topic.ANSWERS, self._belonging.keys, self._answers)
            if inquiry.about_people:
                questions += inquiry.next(Topic.PEOPLE, people, self._about)
        return questions

    def _open_inquiries(self) -> None:
        for choice in self._router.choices:
            inquiry = self._inquiries.setdefault(choice.relay, Inquiry(choice.relay))
            inquiry.reads = True
            # People are asked about where the user chose, not at every relay a stranger names.
            inquiry.about_people |= choice.is_by_hand

    def _readers(self) -> list[Inquiry]:
        return [each for each in self._inquiries.values() if each.reads and each.given_up is None]

    def _is_owed(self, inquiry: Inquiry) -> bool:
        """Whether there was more to ask a relay about the thread."""
        belonging = self._belonging
        sought, expanded = map(inquiry.has_answered, (Topic.SEEK, Topic.ANSWERS))
        return inquiry.reads and (sought, expanded) < (len(belonging.wanted), len(belonging.keys))

    def _sought_in_vain(self) -> Sequence[str]:
        """What every relay that answers has been asked for by now, unless it was found."""
        everywhere = min((each.has_answered(Topic.SEEK) for each in self._readers()), default=0)
        sought = self._belonging.wanted[self._adopted : everywhere]
        self._adopted = max(self._adopted, everywhere)
        return sought

    def _widen(self) -> list[Question]:
        """Go on to the relays where the people of the thread write and read, and to those named."""
        belonging, lists = self._belonging, self._around.lists
        people = islice(chain(belonging.sought_authors, belonging.authors), _MOST_PEOPLE)
        self._router.people({each: lists[each] for each in people if each in lists})
        self._router.hints(belonging.hints, sought=belonging.sought_hints)
        return self._ask()

    def _count(self) -> list[Question]:
        filters = [*self._answers((self.root,))][:1]
        return [
            question
            for inquiry in self._readers()
            for question in inquiry.next(Topic.COUNT, (self.root,), lambda _: filters)
        ]

    def _look_around(self) -> list[Question]:
        """Ask for what is shown with a thread, once it is there."""
        events = self._belonging.events
        self._around.read(islice(events.values(), self._read, None), events)
        self._read = len(events)
        questions = self._ask()
        if not self._around.is_full:
            cited, reactions = tuple(self._around.cited), tuple(self._around.reactions)
            for inquiry in self._readers():
                questions += inquiry.next(Topic.SOCIAL, self._belonging.keys, queries.social)
                questions += inquiry.next(Topic.ON_SOCIAL, reactions, queries.on_social)
                questions += inquiry.next(Topic.QUOTED, cited, queries.seek)
        return questions

    def _wanted(self, keys: Sequence[str]) -> Iterable[Filter]:
        """Above `start`, to be known is not to be at a relay: those are asked for everywhere."""
        belonging = self._belonging
        return queries.seek([key for key in keys if key in belonging.above or belonging.lacks(key)])

    def _answers(self, keys: Sequence[str]) -> Iterable[Filter]:
        belonging, deepest = self._belonging, self._budget.depth
        if deepest is not None:
            keys = [key for key in keys if belonging.depth(key) < deepest]
        # A comment may name any note as its root, and as its parent one that nobody has.
        roots = {key for key in keys if key in belonging.above or not belonging.is_comment(key)}
        return queries.answers(keys, roots)

    def _about(self, people: Sequence[str]) -> Iterable[Filter]:
        return queries.about(people, self._viewer)
