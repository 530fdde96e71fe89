"""The crawl against simulated relays: everything reachable is found, and it always ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import kinds, nip19
from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.crawl import Budget, Crawl
from nostr_threads.core.inquiry import Topic
from nostr_threads.core.references import Pointer, parse_address, references
from nostr_threads.core.thread import Thread
from nostr_threads.testing import thread as grown
from tests.core.crawling import FOUR, ONE, THREE, TWO, World, router
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from nostr_threads.core.event import Verified
    from nostr_threads.core.inquiry import Question

ARTICLE = invented("essay", ("d", "essay"), kind=30023)
ADDRESS = kinds.address_of(ARTICLE) or ""


def pointer(key: str) -> Pointer:
    return Pointer(address=key) if parse_address(key) is not None else Pointer(id=key)


def crawled(start: str | Pointer, *events: Verified) -> Crawl:
    """Crawl around a key, or the note of that name, over one relay that has `events`."""
    at = start if isinstance(start, Pointer) else Pointer(id=hex_of(start))
    return World({ONE: events}).drive(Crawl(at, router([ONE])))


def short(by: str) -> str:
    npub = nip19.encode(nip19.PublicKey(hex_of(by)))
    return f"{npub[:10]}…{npub[-4:]}"


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
    crawl = World(held, random=random).drive(Crawl(Pointer(id=start.id), router(held)))
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
    crawl = world.drive(Crawl(Pointer(id=start.id), router([ONE]), known=known))
    assert {event.id for event in crawl.events} == {event.id for event in tree}
    by_id = {key for asked in world.of(Topic.SEEK) for key in asked.filter.ids or ()}
    assert by_id & {event.id for event in known} <= way_up(tree, start)


@given(trees(), st.data())
def test_no_question_is_asked_twice(tree: list[Verified], data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(tree))
    world = World({ONE: tree})
    world.drive(Crawl(Pointer(id=start.id), router([ONE])))
    assert len(set(world.asked)) == len(world.asked)


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
    crawl = World({ONE: events}).drive(Crawl(Pointer(id=hex_of(start)), router([ONE])))
    assert crawl.root


@pytest.mark.parametrize("seed", range(3))
def test_a_grown_thread_is_found_from_its_last_note(seed: int) -> None:
    events = grown(80, seed=seed)
    crawl = World({ONE: events[::2], TWO: events[1::2]}).drive(
        Crawl(Pointer(id=events[-1].id), router([ONE, TWO]))
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
    crawl = world.drive(Crawl(Pointer(id=old.id), router([ONE, TWO])))
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


def test_comments_that_name_a_reply_as_their_root_are_found() -> None:
    """NIP-22 forbids them on kind 1. One names no parent, and one a parent that nobody has."""
    scope = (("E", hex_of("reply")), ("K", "1"))
    lone = invented("lone", *scope, kind=kinds.COMMENT)
    orphan = invented("orphan", *scope, ("e", hex_of("lost")), ("k", "1111"), kind=kinds.COMMENT)
    reply = answer("reply", "root")
    for start in ("root", "reply", "orphan", "lone"):
        crawl = crawled(start, invented("root"), reply, lone, orphan)
        assert in_thread(crawl) == {"root", "reply", "lone", "orphan"}


@pytest.mark.parametrize("kind", [kinds.FORUM_THREAD, kinds.ARTICLE])
def test_an_answer_is_found_from_above_whatever_its_kind(kind: int) -> None:
    marked = (("e", hex_of("root"), "", "root"), ("d", "answer"))
    crawl = crawled("root", invented("root"), invented("answer", *marked, kind=kind))
    assert in_thread(crawl) == {"root", "answer"}


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
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    assert in_thread(crawl) == {"root", "orphan", "sibling"}
    sought = [each.filter.ids for each in world.of(Topic.SEEK) if each.filter.ids is not None]
    assert [ids for ids in sought if hex_of("lost") in ids] == [(hex_of("lost"),)]


def test_a_parent_that_turns_up_brings_what_waited_for_it() -> None:
    """Its answers were seen before, at another relay, and could not be placed yet."""
    middle, leaf = answer("middle", "root"), answer("leaf", "middle")
    world = World({ONE: [leaf], TWO: [invented("root"), middle]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE, TWO]), known=[leaf]))
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
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE, TWO])))
    assert len(world.of_thread(TWO)) == 3  # the root, and what answers it by e and by E
    assert len(world.of_thread(ONE)) > 3
    assert contents(crawl) == {"root", "a", "b"}
    assert crawl.coverage([hex_of("root")]).unsure == (TWO,)


@pytest.mark.parametrize("finish", [Finish.LIMITED, Finish.LOST, Finish.REFUSED])
def test_a_relay_that_gave_only_a_part_is_asked_again(finish: Finish) -> None:
    world = World({ONE: [invented("root"), answer("a", "root")], TWO: []}, {TWO: finish})
    world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE, TWO])))
    assert len(world.of_thread(TWO)) == len(world.of_thread(ONE))


def test_it_ends_when_every_relay_is_hopeless() -> None:
    world = World({ONE: []}, {ONE: Finish.UNREACHABLE})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    assert {each.topic for each in world.asked} == {Topic.SEEK, Topic.ANSWERS}
    assert crawl.budget_hit is None
    assert not crawl.coverage([]).reached


def test_no_relays_mean_no_questions() -> None:
    assert list(Crawl(Pointer(id=hex_of("root")), router([])).run()) == []


def chain(length: int) -> list[Verified]:
    notes = [answer(f"n{n}", f"n{n - 1}", at=START + n) for n in range(1, length)]
    return [invented("n0"), *notes]


def test_a_budget_of_events_that_is_hit_is_told() -> None:
    world = World({ONE: chain(20)})
    crawl = world.drive(Crawl(Pointer(id=hex_of("n0")), router([ONE]), budget=Budget(events=5)))
    assert crawl.budget_hit == "5 events"
    assert len(crawl.events) == 5


def test_a_budget_of_questions_that_is_hit_is_told() -> None:
    world = World({ONE: chain(20)})
    budget = Budget(questions=4)
    crawl = world.drive(Crawl(Pointer(id=hex_of("n0")), router([ONE]), budget=budget))
    assert crawl.budget_hit == "4 questions"
    assert 4 <= len(world.asked) < 20


@pytest.mark.parametrize(("depth", "found", "hit"), [(2, 3, "depth 2"), (5, 5, None)])
def test_a_depth_is_counted_from_the_note_that_was_asked_for(
    depth: int, found: int, hit: str | None
) -> None:
    crawl = Crawl(Pointer(id=hex_of("n0")), router([ONE]), budget=Budget(depth=depth))
    World({ONE: chain(5)}).drive(crawl)
    assert (len(crawl.events), crawl.budget_hit) == (found, hit)


def test_many_answers_are_asked_about_in_filters_of_a_bounded_size() -> None:
    """Some relays take messages of no more than 16 kB."""
    wide = [answer(f"n{n}", "root", at=START + n) for n in range(1000)]
    world = World({ONE: [invented("root"), *wide]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    assert len(crawl.events) == 1001
    for asked in (each.filter for each in world.asked):
        lists = ((), asked.ids or (), asked.authors or (), *asked.tags.values())
        assert max(map(len, lists)) <= 200


# People, and what is around a thread


def relay_list(by: str, *tags: tuple[str, ...], at: int = START) -> Verified:
    """NIP-65."""
    marked = [("r", *tag) for tag in tags]
    return invented(f"relays of {by} {at}", *marked, kind=kinds.RELAY_LIST, by=by, at=at)


def test_it_goes_on_to_where_the_authors_write_and_those_answered_read() -> None:
    """NIP-65: nobody else has the replies."""
    root = invented("root", by="alice")
    one, two = answer("one", "root", by="bob"), answer("two", "root", by="carol")
    world = World(
        {
            ONE: [root, relay_list("alice", (TWO, "read"), (FOUR, "write"))],
            TWO: [one, relay_list("bob", (THREE, "write"))],
            THREE: [two],
            FOUR: [],
        }
    )
    crawl = world.drive(Crawl(Pointer(id=root.id), router([ONE], widen=True), index=[TWO]))
    assert in_thread(crawl) == {"root", "one", "two"}
    coverage = crawl.coverage(event.id for event in crawl.events)
    assert {each.url: each.choice.words for each in coverage.relays if each.choice} == {
        ONE: "named by hand",
        TWO: f"read relay of {short('alice')}",
        THREE: f"write relay of {short('bob')}",
        FOUR: f"write relay of {short('alice')}",
    }


def test_of_two_relay_lists_the_newer_one_counts() -> None:
    root = invented("root", by="alice")
    old = relay_list("alice", (THREE, "write"))
    new = relay_list("alice", (TWO, "write"), at=START + 1)
    world = World({ONE: [root, new, old], TWO: [answer("a", "root")], THREE: []})
    crawl = world.drive(Crawl(Pointer(id=root.id), router([ONE], widen=True)))
    assert in_thread(crawl) == {"root", "a"}
    assert not [each for each in world.asked if each.relay == THREE]


@pytest.mark.parametrize(
    "tags",
    [
        (("e", hex_of("root"), "", "root", hex_of("alice")),),
        (("e", hex_of("root"), "", "root"), ("p", hex_of("alice"))),
    ],
)
def test_what_is_missing_is_sought_where_its_author_writes(tags: tuple[tuple[str, ...]]) -> None:
    """Whom the tag names, or else whom its answer tags: `alice` wrote nothing that was found."""
    written = relay_list("alice", (TWO, "write"))
    reply = invented("reply", *tags, by="bob")
    world = World({ONE: [reply, written], TWO: [invented("root", by="alice")]})
    crawl = world.drive(Crawl(Pointer(id=reply.id), router([ONE], widen=True)))
    assert in_thread(crawl) == {"root", "reply"}


def test_a_start_that_nobody_has_is_sought_where_its_author_writes() -> None:
    """A code may say who wrote it; an address always does."""
    held = [invented("note", by="alice"), invented("x", ("d", "x"), by="alice", kind=30023)]
    at = f"30023:{hex_of('alice')}:x"
    for start in (
        Pointer(id=hex_of("note"), author=hex_of("alice")),
        Pointer(address=at, author=hex_of("alice")),
    ):
        world = World({ONE: [relay_list("alice", (TWO, "write"))], TWO: held})
        crawl = world.drive(Crawl(start, router([ONE], widen=True)))
        assert len(in_thread(crawl)) == 1


def test_strangers_cannot_have_everybody_asked_about() -> None:
    """Of those whom an answer to something missing tags, five; of all of them, 500."""
    many = [
        invented(
            f"a{n}",
            ("e", hex_of(f"lost{n}"), "", "reply"),
            ("e", hex_of("root"), "", "root"),
            *(("p", hex_of(f"p{n}-{each}")) for each in range(100)),
            by=f"by{n}",
        )
        for n in range(150)
    ]
    world = World({ONE: [invented("root"), *many]})
    world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE], widen=True)))
    asked = {who for each in world.of(Topic.PEOPLE) for who in each.filter.authors or ()}
    assert len(asked & {hex_of(f"p{n}-{each}") for n in range(150) for each in range(100)}) == 500


def test_all_relays_that_may_have_what_is_missing_are_asked_or_told() -> None:
    for many, hit in ((3, None), (5, "3 hints of one author")):
        relays: dict[str, list[Verified]] = {ONE: [invented("root")]}
        for n in range(many):
            relays[f"wss://h{n}.example"] = [invented(f"lost{n}", by="x")]
            hint = ("e", hex_of(f"lost{n}"), f"wss://h{n}.example", "reply")
            relays[ONE].append(invented(f"r{n}", ("e", hex_of("root"), "", "root"), hint, by="bob"))
        crawl = World(relays).drive(Crawl(Pointer(id=hex_of("root")), router([ONE], widen=True)))
        assert len(crawl.events) == 1 + many + 3
        assert crawl.budget_hit == hit


def test_relays_that_the_notes_name_are_asked_too() -> None:
    hinting = invented("a", ("e", hex_of("root"), TWO, "root"), by="bob")
    world = World({ONE: [invented("root"), hinting], TWO: [answer("b", "root")]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE], widen=True)))
    assert in_thread(crawl) == {"root", "a", "b"}


def test_without_widening_only_the_first_relays_are_asked() -> None:
    hinting = invented("a", ("e", hex_of("root"), TWO, "root"))
    world = World({ONE: [invented("root"), hinting, relay_list("alice", (TWO,))], TWO: []})
    world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    assert {question.relay for question in world.asked} == {ONE}


def test_a_relay_too_many_is_told_as_a_budget() -> None:
    lists = relay_list("alice", *((f"wss://r{n}.example", "write") for n in range(3)))
    relays = {f"wss://r{n}.example": () for n in range(3)}
    world = World({ONE: [invented("root"), lists], **relays})
    few = router([ONE], widen=True, most=3)
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), few, budget=Budget(relays=3)))
    assert crawl.budget_hit == "3 relays"
    assert len({question.relay for question in world.asked}) == 3


def test_an_index_relay_is_asked_about_people_alone_and_leaves_a_doubt_when_it_fails() -> None:
    """Who knows where people write cannot be asked: the thread may be larger."""
    world = World({ONE: [invented("root")], TWO: []}, {TWO: Finish.UNREACHABLE})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE], widen=True), index=[TWO]))
    assert {each.topic for each in world.asked if each.relay == TWO} == {Topic.PEOPLE}
    coverage = crawl.coverage(event.id for event in crawl.events)
    assert [each.url for each in coverage.relays] == [ONE, TWO]
    assert coverage.unsure == (TWO,)
    assert coverage.estimate is None


def test_profiles_requests_to_vanish_and_the_readers_mutes_come_with_it() -> None:
    people = [
        invented("profile", kind=kinds.PROFILE, by="alice"),
        invented("vanish", ("relay", "ALL_RELAYS"), kind=kinds.VANISH, by="alice"),
        invented("mutes", kind=kinds.MUTE_LIST, by="reader"),
        invented("mutes of alice", kind=kinds.MUTE_LIST, by="alice"),
    ]
    crawl = Crawl(Pointer(id=hex_of("root")), router([ONE]), viewer=hex_of("reader"))
    World({ONE: [invented("root"), *people]}).drive(crawl)
    assert contents(crawl) == {"root", "profile", "vanish", "mutes"}


def test_what_is_around_two_hundred_notes_is_asked_last_and_in_one_question() -> None:
    notes = [answer(f"n{n}", "root", at=START + n) for n in range(199)]
    code = nip19.encode(nip19.Note(hex_of("quoted")))
    root = invented("root", content=f"see nostr:{code}")
    social = [
        invented(f"k{kind}", ("e", notes[5].id), ("p", hex_of("alice")), kind=kind)
        for kind in (kinds.REACTION, kinds.REPOST, kinds.GENERIC_REPOST, kinds.ZAP)
    ]
    world = World({ONE: [root, *notes, *social, invented("quoted", at=START + 5)]})
    crawl = world.drive(Crawl(Pointer(id=root.id), router([ONE])))
    assert {"k7", "k6", "k16", "k9735", "quoted"} <= contents(crawl)
    assert len(world.of(Topic.SOCIAL)) == len(world.of(Topic.QUOTED)) == 1
    last = max(world.asked.index(each) for each in world.of(Topic.SEEK, Topic.ANSWERS))
    assert last < world.asked.index(world.of(Topic.SOCIAL)[0])


def test_what_takes_a_reaction_back_is_found_at_another_relay() -> None:
    reaction = invented("+", ("e", hex_of("root")), kind=kinds.REACTION, by="bob")
    taken_back = invented("no", ("e", reaction.id), kind=kinds.DELETION, by="bob")
    world = World({ONE: [invented("root"), reaction], TWO: [taken_back]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE, TWO])))
    assert contents(crawl) == {"root", "+", "no"}
    (asked,) = [each.filter for each in world.of(Topic.ON_SOCIAL) if each.relay == TWO]
    assert asked.tags == {"e": (reaction.id,)}


@pytest.mark.parametrize("kind", [kinds.REACTION, kinds.REPOST, kinds.ZAP])
@pytest.mark.parametrize("is_comment", [False, True])
def test_what_answers_a_reaction_is_found_from_above_with_all_below_it(
    kind: int, is_comment: bool
) -> None:
    reaction = invented("+", ("e", hex_of("root")), kind=kind, by="bob")
    scope = (("E", reaction.id), ("e", reaction.id), ("k", str(kind)))
    reply = (
        invented("why?", *scope, kind=kinds.COMMENT) if is_comment else answer("why?", "+", by="c")
    )
    below = answer("because", "why?")
    world = World({ONE: [invented("root"), reaction], TWO: [reply], THREE: [below]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE, TWO, THREE])))
    assert in_thread(crawl) == {"root", "+", "why?", "because"}
    assert crawl.coverage(event.id for event in crawl.events).unsure == ()


def test_many_reactions_end_the_counting_and_not_the_thread() -> None:
    likes = [invented(f"like{n}", ("e", hex_of("root")), kind=kinds.REACTION) for n in range(9)]
    budget = Budget(events=5, social=4)
    crawl = Crawl(Pointer(id=hex_of("root")), router([ONE]), budget=budget)
    World({ONE: [invented("root"), *likes]}).drive(crawl)
    assert crawl.budget_hit is None
    assert len(crawl.events) == 5


def test_a_relay_that_is_gone_over_something_else_is_unsure_if_more_was_to_be_asked() -> None:
    """It was given up: that it was not asked any more must not pass for having no more."""

    class Silent(World):
        def answer(self, question: Question) -> Answer:
            if question.topic is Topic.PEOPLE and question.relay == TWO:
                return Answer(TWO, Finish.UNREACHABLE, reason="gone")
            return super().answer(question)

    notes = [invented("root"), answer("a", "root"), answer("b", "a"), answer("c", "b")]
    crawl = Crawl(Pointer(id=hex_of("root")), router([ONE, TWO]))
    Silent({ONE: notes, TWO: notes[:2]}).drive(crawl)
    coverage = crawl.coverage(event.id for event in crawl.events)
    assert coverage.unsure == (TWO,)
    assert in_thread(crawl) == {"root", "a", "b", "c"}


def test_a_relay_that_falls_silent_over_reactions_gave_the_thread_all_the_same() -> None:
    class Silent(World):
        def answer(self, question: Question) -> Answer:
            if question.topic is Topic.SOCIAL:
                return Answer(question.relay, Finish.TIMEOUT, reason="silence")
            return super().answer(question)

    crawl = Crawl(Pointer(id=hex_of("root")), router([ONE]))
    Silent({ONE: [invented("root"), answer("a", "root")]}).drive(crawl)
    assert crawl.coverage(event.id for event in crawl.events).unsure == ()


def test_a_relay_that_only_a_hint_names_counts_once_it_has_answered() -> None:
    hinting = invented("a", ("e", hex_of("root"), TWO, "root"), by="bob")
    below = [answer("b", "root"), answer("c", "b")]

    class Lost(World):
        def answer(self, question: Question) -> Answer:
            if question.relay == TWO and hex_of("b") in str(question.filter.tags):
                return Answer(TWO, Finish.UNREACHABLE, reason="connection refused")
            return super().answer(question)

    crawl = Crawl(Pointer(id=hex_of("root")), router([ONE], widen=True))
    Lost({ONE: [invented("root"), hinting], TWO: below}).drive(crawl)
    assert crawl.coverage(event.id for event in crawl.events).unsure == (TWO,)


def test_a_relay_that_only_a_hint_names_and_nobody_reached_leaves_no_doubt() -> None:
    hinting = invented("a", ("e", hex_of("root"), TWO, "root"), by="bob")
    crawl = Crawl(Pointer(id=hex_of("root")), router([ONE], widen=True))
    world = World({ONE: [invented("root"), hinting], TWO: ()}, {TWO: Finish.UNREACHABLE})
    coverage = world.drive(crawl).coverage(event.id for event in crawl.events)
    assert [relay.url for relay in coverage.relays] == [ONE, TWO]
    assert coverage.unsure == ()


def test_a_relay_that_refuses_to_speak_of_people_is_asked_about_the_thread() -> None:
    class Shy(World):
        def answer(self, question: Question) -> Answer:
            if question.topic is Topic.PEOPLE:
                return Answer(ONE, Finish.REFUSED, reason="restricted: kind 10000")
            return super().answer(question)

    crawl = Crawl(Pointer(id=hex_of("n0")), router([ONE]), viewer=hex_of("reader"))
    Shy({ONE: chain(6)}).drive(crawl)
    assert len(in_thread(crawl)) == 6
    assert crawl.coverage(event.id for event in crawl.events).unsure == ()


def test_what_was_known_before_uses_up_no_budget() -> None:
    """Or a thread as large as the budget could never grow."""
    notes = chain(20)
    budget = Budget(events=10)
    crawl = Crawl(Pointer(id=hex_of("n0")), router([ONE]), known=notes[:10], budget=budget)
    World({ONE: notes}).drive(crawl)
    assert (len(crawl.events), crawl.budget_hit) == (20, "10 events")


def test_relays_that_were_not_asked_everything_are_not_complete() -> None:
    world = World({ONE: chain(20), TWO: chain(20)})
    crawl = Crawl(Pointer(id=hex_of("n0")), router([ONE, TWO]), budget=Budget(events=5))
    coverage = world.drive(crawl).coverage(event.id for event in crawl.events)
    assert {relay.finish for relay in coverage.relays} == {Finish.LIMITED}
    assert coverage.estimate is None


# Relays that contradict themselves


class Liar(World):
    """Its relays say that they have finished after `cap` events, unless nobody takes their word."""

    cap = 3

    def answer(self, question: Question) -> Answer:
        whole = super().answer(question)
        if question.trusting and question.topic is not Topic.COUNT:
            newest = sorted(whole.events, key=lambda event: -event.created_at)
            return replace(whole, events=tuple(newest[: self.cap]))
        return whole


def test_a_relay_that_left_out_what_it_has_is_asked_again_without_taking_its_word() -> None:
    """Of the answers to the root it hid one that it gave as an answer to another note."""
    notes = [answer(f"n{n}", "root", at=START + n) for n in range(5)]
    below = [answer(f"b{n}", "n4", "root", at=START - n) for n in range(3)]
    world = Liar({ONE: [invented("root"), *notes, *below]})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    assert len(in_thread(crawl)) == 9
    assert crawl.coverage(event.id for event in crawl.events).unsure == ()


def test_a_relay_that_counts_more_than_it_gives_is_asked_again() -> None:
    """NIP-45."""
    notes = [answer(f"n{n}", "root", at=START + n) for n in range(5)]
    world = Liar({ONE: [invented("root"), *notes]}, counts={ONE: 5})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    assert len(in_thread(crawl)) == 6
    (relay,) = crawl.coverage(event.id for event in crawl.events).relays
    assert (relay.finish, relay.counted) == (Finish.COMPLETE, 5)


def test_a_relay_that_still_counts_more_is_unsure() -> None:
    world = World({ONE: [invented("root"), answer("a", "root")]}, counts={ONE: 7})
    crawl = world.drive(Crawl(Pointer(id=hex_of("root")), router([ONE])))
    (relay,) = crawl.coverage(event.id for event in crawl.events).relays
    assert (relay.finish, relay.counted) == (Finish.LIMITED, 7)
    assert relay.reason == "it counts 7 answers to the root and sent 1"


@pytest.mark.parametrize("start", ["root", "y"])
def test_a_relay_that_hides_the_same_note_again_is_not_believed_again(start: str) -> None:
    """It gives the note by its id alone: that it did is not forgotten when all is asked again."""

    class Hiding(World):
        def answer(self, question: Question) -> Answer:
            whole = super().answer(question)
            if question.topic is not Topic.ANSWERS:
                return whole
            shown = tuple(event for event in whole.events if event.content != "x")
            return replace(whole, events=shown)

    x = answer("x", "root")
    world = Hiding({ONE: [invented("root"), x, answer("y", "x", "root")]})
    crawl = world.drive(Crawl(Pointer(id=hex_of(start)), router([ONE])))
    (relay,) = crawl.coverage(event.id for event in crawl.events).relays
    assert (relay.finish, relay.reason) == (Finish.LIMITED, "it left out what it has")
    assert in_thread(crawl) == {"root", "x", "y"}
