"""The crawl against simulated relays: everything reachable is found, and it always ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.crawl import Budget, Crawl, Question
from nostr_threads.core.references import Pointer, parse_address, references
from nostr_threads.core.thread import Thread
from nostr_threads.testing import thread as grown
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from random import Random

    from nostr_threads.core.event import Verified

ONE, TWO, THREE = "wss://one.example", "wss://two.example", "wss://three.example"
ARTICLE = invented("essay", ("d", "essay"), kind=30023)
ADDRESS = kinds.address_of(ARTICLE) or ""
MOST_ROUNDS = 100


@dataclass
class World:
    """Relays by URL, what they were asked, and how some of them end every answer."""

    relays: Mapping[str, Iterable[Verified]]
    endings: dict[str, Finish] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    asked: list[list[Question]] = field(default_factory=list)

    def questions(self, url: str) -> int:
        return sum(relay == url for questions in self.asked for relay, _ in questions)

    def answer(self, question: Question) -> Answer:
        url, condition = question
        finish = self.endings.get(url, Finish.COMPLETE)
        found = tuple(event for event in self.relays[url] if condition.matches(event))
        kept = found if finish is Finish.COMPLETE else ()
        return Answer(url, finish, kept, self.reasons.get(url, ""))

    def drive(self, crawl: Crawl) -> Crawl:
        rounds = crawl.run()
        try:
            self.asked.append(next(rounds))
            while len(self.asked) < MOST_ROUNDS:
                self.asked.append(rounds.send([self.answer(each) for each in self.asked[-1]]))
        except StopIteration:
            return crawl
        raise AssertionError("the crawl did not end")


def pointer(key: str) -> Pointer:
    return Pointer(address=key) if parse_address(key) is not None else Pointer(id=key)


def crawled(start: str | Pointer, *events: Verified) -> Crawl:
    """Crawl around a key, or the note of that name, over one relay that has `events`."""
    at = start if isinstance(start, Pointer) else Pointer(id=hex_of(start))
    return World({ONE: events}).drive(Crawl(at, [ONE]))


def contents(crawl: Crawl) -> set[str]:
    return {event.content for event in crawl.events}


def in_thread(crawl: Crawl) -> set[str]:
    thread = Thread.build(crawl.events, root=crawl.root)
    return {event.content for event in thread.events}


# Properties

TAGGING: dict[str, Callable[[str, str | None], tuple[tuple[str, ...], ...]]] = {
    "root and reply": lambda parent, root: (
        (("e", parent, "", "root"),)
        if root in (None, parent)
        else (("e", root or "", "", "root"), ("e", parent, "", "reply"))
    ),
    "parent alone": lambda parent, _: (("e", parent, "", "reply"),),
    "positional": lambda parent, root: (("e", root or parent), ("e", parent)),
    "comment": lambda parent, root: (("E", root or parent), ("K", "1"), ("e", parent), ("k", "1")),
}


@st.composite
def trees(draw: st.DrawFn) -> list[Verified]:
    """A tree of notes; each is written by a client with its own way of tagging."""
    made = [invented("n0")]
    for number in range(1, draw(st.integers(1, 15))):
        parent = draw(st.sampled_from(made))
        style = draw(st.sampled_from(sorted(TAGGING)))
        tags = TAGGING[style](parent.id, made[0].id)
        kind = kinds.COMMENT if style == "comment" else kinds.NOTE
        made.append(invented(f"n{number}", *tags, kind=kind, at=START + number))
    return made


@given(trees(), st.randoms(use_true_random=False), st.data())
@settings(max_examples=200)
def test_everything_that_any_relay_has_is_found_from_anywhere(
    tree: list[Verified], random: Random, data: st.DataObject
) -> None:
    held: dict[str, list[Verified]] = {ONE: [], TWO: [], THREE: []}
    for event in tree:
        for url in random.sample(sorted(held), random.randint(1, 3)):
            held[url].append(event)
    start = data.draw(st.sampled_from(tree))
    crawl = World(held).drive(Crawl(Pointer(id=start.id), held))
    assert {event.id for event in crawl.events} == {event.id for event in tree}
    assert crawl.root == tree[0].id
    assert crawl.budget_hit is None
    assert crawl.coverage(event.id for event in tree).unsure == ()


def way_up(tree: list[Verified], start: Verified) -> set[str]:
    by_id, ids, at = {event.id: event for event in tree}, {start.id}, start
    while (parent := references(at).parent) is not None:
        at = by_id[parent.key]
        ids.add(at.id)
    return ids


@given(trees(), st.data())
def test_what_the_store_knows_is_not_lost_and_only_the_way_up_is_looked_for_again(
    tree: list[Verified], data: st.DataObject
) -> None:
    known = data.draw(st.lists(st.sampled_from(tree), unique=True))
    start = data.draw(st.sampled_from(tree))
    world = World({ONE: tree})
    crawl = world.drive(Crawl(Pointer(id=start.id), [ONE], known=known))
    assert {event.id for event in crawl.events} == {event.id for event in tree}
    by_id = {key for asked in world.asked for _, condition in asked for key in condition.ids or ()}
    assert by_id & {event.id for event in known} <= way_up(tree, start)


@given(trees(), st.data())
def test_no_question_is_asked_twice(tree: list[Verified], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(tree))
    world = World({ONE: tree})
    world.drive(Crawl(Pointer(id=start.id), [ONE]))
    asked = [str(condition) for questions in world.asked for _, condition in questions]
    assert len(set(asked)) == len(asked)


_some = st.sampled_from([f"n{number}" for number in range(6)])
_pointing = st.tuples(
    st.sampled_from("ea"), _some, st.sampled_from(("root", "reply")), st.booleans()
)


@given(
    st.dictionaries(_some, st.lists(_pointing, max_size=3), max_size=6),
    st.sets(st.sampled_from((1, 1111, 30023)), min_size=1),
    _some,
)
@settings(max_examples=200)
def test_no_tangle_of_references_keeps_it_going(
    tangle: dict[str, list[tuple[str, str, str, bool]]], some_kinds: set[int], start: str
) -> None:
    """Cycles, self-references, wrong roots: the crawl ends, and so does the search for the root."""

    def tag(letter: str, name: str, marker: str, upper: bool) -> tuple[str, ...]:
        value = hex_of(name) if letter == "e" else f"30023:{hex_of('alice')}:{name}"
        return (letter.upper() if upper else letter, value, "", marker)

    ordered = sorted(some_kinds)
    events = [
        invented(name, ("d", name), *(tag(*each) for each in tags), kind=ordered[at % len(ordered)])
        for at, (name, tags) in enumerate(tangle.items())
    ]
    crawl = World({ONE: events}).drive(Crawl(Pointer(id=hex_of(start)), [ONE]))
    assert crawl.root


@pytest.mark.parametrize("seed", range(3))
def test_a_grown_thread_is_found_from_its_last_note(seed: int) -> None:
    events = grown(80, seed=seed)
    crawl = World({ONE: events[::2], TWO: events[1::2]}).drive(
        Crawl(Pointer(id=events[-1].id), [ONE, TWO])
    )
    assert len(Thread.build(crawl.events, root=crawl.root).events) == 80


# Where it starts


@pytest.mark.parametrize("start", ["root", "middle", "leaf"])
@pytest.mark.parametrize("roots", [True, False], ids=["roots named", "only parents named"])
def test_it_can_start_anywhere(start: str, roots: bool) -> None:
    """Many clients tag only the direct parent: the chain is climbed one by one."""
    root = "root" if roots else None
    chain = [invented("root"), answer("middle", "root", root), answer("leaf", "middle", root)]
    crawl = crawled(start, *chain, answer("side", "root", root), invented("foreign"))
    assert contents(crawl) == {"root", "middle", "leaf", "side"}
    assert crawl.root == hex_of("root")


def on_article() -> list[Verified]:
    scope = ("A", ADDRESS), ("K", "30023"), ("P", ARTICLE.pubkey)
    first = invented("c1", *scope, ("a", ADDRESS), ("k", "30023"), kind=1111, at=START + 1)
    second = invented("c2", *scope, ("e", first.id), ("k", "1111"), kind=1111, at=START + 2)
    return [ARTICLE, first, second, answer("by id", "essay", at=START + 3)]


@pytest.mark.parametrize("start", [ADDRESS, ARTICLE.id, hex_of("c1"), hex_of("c2")])
def test_an_article_is_found_from_its_address_its_id_and_its_comments(start: str) -> None:
    crawl = crawled(pointer(start), *on_article(), invented("another", ("d", "x"), kind=30023))
    assert in_thread(crawl) == {"essay", "c1", "c2", "by id"}


def test_from_an_old_version_of_an_article_the_newest_is_found() -> None:
    """NIP-23: all versions are one thread; another relay may have a later one."""
    old = invented("old", ("d", "essay"), kind=30023)
    new = invented("new", ("d", "essay"), kind=30023, at=old.created_at + 9)
    world = World({ONE: [old], TWO: [new]})
    crawl = world.drive(Crawl(Pointer(id=old.id), [ONE, TWO]))
    assert in_thread(crawl) == {"new"}


def test_comments_below_a_lost_one_are_found_by_their_root() -> None:
    """NIP-22: the upper case tags name the root; the id of the article leads to its address."""
    events = [event for event in on_article() if event.content != "c1"]
    crawl = crawled(pointer(ARTICLE.id), *events)
    assert in_thread(crawl) == {"essay", "c2", "by id"}


def test_a_replaceable_event_is_asked_for_without_an_identifier() -> None:
    address = f"10002:{hex_of('alice')}:"
    root = invented("list", kind=10002)
    comment = invented("c", ("A", address), ("a", address), kind=1111)
    assert in_thread(crawled(pointer(address), root, comment)) == {"list", "c"}


def test_comments_on_a_web_page_are_found_from_one_of_them() -> None:
    """NIP-73."""
    page = "https://site.example/page"
    scope = ("I", page), ("K", "web")
    first = invented("first", *scope, ("i", page), ("k", "web"), kind=1111)
    other = invented("other", *scope, ("i", page), ("k", "web"), kind=1111)
    below = invented("below", *scope, ("e", first.id), ("k", "1111"), kind=1111)
    assert contents(crawled("below", first, other, below)) == {"first", "other", "below"}


def test_comments_of_a_forum_thread_that_name_no_parent_are_found() -> None:
    """NIP-7D."""
    forum = invented("forum", kind=11)
    comment = invented("comment", ("E", forum.id), ("K", "11"), kind=1111)
    assert contents(crawled("forum", forum, comment)) == {"forum", "comment"}


def test_deletions_come_with_the_thread() -> None:
    deletion = invented("deletion", ("e", hex_of("leaf")), kind=5)
    crawl = crawled("root", invented("root"), answer("leaf", "root"), deletion)
    assert "deletion" in contents(crawl)


def test_a_start_that_nobody_has_still_finds_its_answers() -> None:
    crawl = crawled("lost", answer("reply", "lost"), answer("below", "reply", "lost"))
    assert contents(crawl) == {"reply", "below"}
    assert crawl.root == hex_of("lost")


# Foreign threads and missing parents


def test_a_reply_that_claims_a_foreign_root_does_not_drag_that_thread_in() -> None:
    liar = answer("liar", "root", "foreign")
    foreign = [invented("foreign"), answer("f1", "foreign"), answer("f2", "f1", "foreign")]
    crawl = crawled("root", invented("root"), liar, answer("below", "liar", "foreign"), *foreign)
    assert contents(crawl) == {"root", "liar", "below"}
    assert crawl.root == hex_of("root")


def test_a_missing_parent_is_sought_once_and_its_other_answers_are_found() -> None:
    orphan = answer("orphan", "lost", "root")
    sibling = answer("sibling", "lost")
    world = World({ONE: [invented("root"), orphan, sibling]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), [ONE]))
    assert in_thread(crawl) == {"root", "orphan", "sibling"}
    sought = [c.ids for questions in world.asked for _, c in questions if c.ids is not None]
    assert [ids for ids in sought if hex_of("lost") in ids] == [(hex_of("lost"),)]


def test_a_parent_that_turns_up_brings_what_waited_for_it() -> None:
    """Its answers were seen before, at another relay, and could not be placed yet."""
    middle, leaf = answer("middle", "root"), answer("leaf", "middle")
    world = World({ONE: [leaf], TWO: [invented("root"), middle]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), [ONE, TWO], known=[leaf]))
    assert in_thread(crawl) == {"root", "middle", "leaf"}


# Relays and budgets


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (Finish.UNREACHABLE, "no route"),
        (Finish.TIMEOUT, ""),
        (Finish.REFUSED, "auth-required: members only"),
        (Finish.REFUSED, "restricted: not you"),
    ],
)
def test_a_hopeless_relay_is_not_asked_again(finish: Finish, reason: str) -> None:
    events = [invented("root"), answer("a", "root"), answer("b", "a")]
    world = World({ONE: events, TWO: []}, {TWO: finish}, {TWO: reason})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), [ONE, TWO]))
    assert world.questions(TWO) == len(world.asked[0]) // 2
    assert len(world.asked) > 1
    assert contents(crawl) == {"root", "a", "b"}
    assert crawl.coverage([hex_of("root")]).unsure == (TWO,)


@pytest.mark.parametrize("finish", [Finish.LIMITED, Finish.LOST, Finish.REFUSED])
def test_a_relay_that_gave_only_a_part_is_asked_again(finish: Finish) -> None:
    world = World({ONE: [invented("root"), answer("a", "root")], TWO: []}, {TWO: finish})
    world.drive(Crawl(Pointer(id=hex_of("root")), [ONE, TWO]))
    assert world.questions(TWO) == world.questions(ONE)


def test_it_ends_when_every_relay_is_hopeless() -> None:
    world = World({ONE: []}, {ONE: Finish.UNREACHABLE})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), [ONE]))
    assert (len(world.asked), crawl.budget_hit) == (1, None)
    assert not crawl.coverage([]).reached


def test_no_relays_mean_no_questions() -> None:
    assert list(Crawl(Pointer(id=hex_of("root")), []).run()) == []


def chain(length: int) -> list[Verified]:
    notes = [answer(f"n{n}", f"n{n - 1}", at=START + n) for n in range(1, length)]
    return [invented("n0"), *notes]


def test_a_budget_of_events_that_is_hit_is_told() -> None:
    world = World({ONE: chain(20)})
    crawl = world.drive(Crawl(Pointer(id=hex_of("n0")), [ONE], budget=Budget(events=5)))
    assert crawl.budget_hit == "5 events"
    assert len(crawl.events) == 5


def test_a_budget_of_rounds_that_is_hit_is_told() -> None:
    world = World({ONE: chain(20)})
    crawl = world.drive(Crawl(Pointer(id=hex_of("n0")), [ONE], budget=Budget(rounds=4)))
    assert crawl.budget_hit == "4 rounds"
    assert len(world.asked) == 4


def test_a_budget_that_was_just_enough_was_not_hit() -> None:
    free = World({ONE: chain(5)})
    free.drive(Crawl(Pointer(id=hex_of("n0")), [ONE]))
    world = World({ONE: chain(5)})
    budget = Budget(rounds=len(free.asked))
    assert world.drive(Crawl(Pointer(id=hex_of("n0")), [ONE], budget=budget)).budget_hit is None


def test_many_answers_are_asked_about_in_filters_of_a_bounded_size() -> None:
    """Some relays take messages of no more than 16 kB."""
    wide = [answer(f"n{n}", "root", at=START + n) for n in range(1000)]
    world = World({ONE: [invented("root"), *wide]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), [ONE]))
    assert len(crawl.events) == 1001
    for questions in world.asked:
        for _, condition in questions:
            assert max(map(len, ((), condition.ids or (), *condition.tags.values()))) <= 100
