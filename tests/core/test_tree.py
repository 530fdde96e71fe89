"""Events of any order become one tree: parents, placeholders, versions, cycles, states, order."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.mutes import Mutes
from nostr_threads.core.node import State
from nostr_threads.core.references import Relation, references
from nostr_threads.core.thread import Thread
from nostr_threads.testing import Author
from nostr_threads.testing import thread as grown
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from random import Random

    from nostr_threads.core.event import Tag, Tags, Verified
    from nostr_threads.core.node import Node

ADDRESS = f"30023:{hex_of('alice')}:essay"

# A small world: some names are never an event, some are addresses, some people delete.
_names = st.sampled_from([f"n{number}" for number in range(9)])
_addresses = st.sampled_from([f"30023:{hex_of(by)}:{d}" for by in ("alice", "bob") for d in "xy"])
_people = st.sampled_from(("alice", "bob"))


@st.composite
def _pointing(draw: st.DrawFn, letters: str, marker: str) -> Tag:
    """A tag that points somewhere, by id or by address."""
    if draw(st.integers(0, 3)):
        return (letters[0], hex_of(draw(_names)), "wss://hint.example", marker)
    return (letters[1], draw(_addresses), "", marker)


@st.composite
def _any_tags(draw: st.DrawFn, kind: int) -> Tags:
    if kind == kinds.DELETION:
        return (draw(_pointing("ea", "")),)
    if kind == kinds.COMMENT:
        scope = (draw(_pointing("EA", "")), draw(_pointing("ea", "")))
        outside = draw(st.sampled_from(((), (("I", "https://site.example"),), (("i", "isbn:1"),))))
        return draw(st.sampled_from((scope, scope[:1], scope[1:], outside)))
    made: Tags = (draw(_pointing("ea", "root")), draw(_pointing("ea", "reply")))
    made = draw(st.sampled_from((made, made[:1], made[1:], ())))
    if kind == kinds.ARTICLE:
        made = (("d", draw(st.sampled_from("xy"))), *made)
    part = (("part", str(draw(st.integers(1, 3))), "3"),)
    return (*made, *(part if draw(st.booleans()) else ()))


@st.composite
def _any_event(draw: st.DrawFn, name: str) -> Verified:
    kind = draw(st.sampled_from((1, 1, 1, 1, 1111, 1111, 11, 5, 7, 30023)))
    at = START + draw(st.integers(0, 4))
    return invented(name, *draw(_any_tags(kind)), kind=kind, at=at, by=draw(_people))


@st.composite
def worlds(draw: st.DrawFn) -> list[Verified]:
    chosen = draw(st.lists(_names, unique=True, max_size=9))
    return [draw(_any_event(name)) for name in chosen]


roots = st.one_of(st.none(), _names.map(hex_of), _addresses)


def shown(thread: Thread) -> tuple[tuple[Node, ...], tuple[Verified, ...]]:
    return thread.nodes, thread.elsewhere


def placed(thread: Thread) -> list[tuple[str, int]]:
    """Content and depth of the nodes, in display order; a placeholder's content is "?"."""
    return [(node.event.content if node.event else "?", node.depth) for node in thread.nodes]


@given(worlds(), st.randoms(use_true_random=False), roots)
@settings(max_examples=200)
def test_the_order_of_the_input_never_matters(
    world: list[Verified], random: Random, root: str | None
) -> None:
    shuffled = [*world, *world[:3]]
    random.shuffle(shuffled)
    first = Thread.build(world, root=root, now=START, muted=[hex_of("bob")])
    assert shown(Thread.build(shuffled, root=root, now=START, muted={hex_of("bob")})) == shown(
        first
    )


@given(worlds(), roots)
@settings(max_examples=200)
def test_every_tree_is_a_tree(world: list[Verified], root: str | None) -> None:
    thread = Thread.build(world, root=root)
    ids = [node.id for node in thread.nodes]
    assert len(set(ids)) == len(ids)
    for place, node in enumerate(thread.nodes):
        if place == 0:
            assert (node.parent, node.depth) == (None, 0)
            continue
        parent = thread.node(node.parent or "")
        assert parent is not None
        assert ids.index(parent.id) < place
        assert node.depth == parent.depth + 1
    # Depth first: nothing stands deeper than one below the node before it.
    assert all(after.depth <= before.depth + 1 for before, after in pairwise(thread.nodes))


@given(worlds(), roots)
def test_every_note_is_in_the_thread_or_elsewhere(world: list[Verified], root: str | None) -> None:
    thread = Thread.build(world, root=root)
    notes = [
        event
        for event in world
        if references(event).relation in (Relation.ROOT, Relation.REPLY)
        if kinds.address_of(event) is None
    ]
    there = [*thread.events, *thread.elsewhere]
    assert {event.id for event in notes} <= {event.id for event in there}
    assert len({event.id for event in there}) == len(there)


@given(worlds(), roots)
def test_the_parent_decides_the_place(world: list[Verified], root: str | None) -> None:
    """A root tag that disagrees with the parent's chain is not obeyed."""
    thread = Thread.build(world, root=root)
    for node in thread.nodes[1:]:
        if node.event is None:
            continue
        parent = references(node.event).parent
        above = thread.node(node.parent or "")
        assert parent is not None
        assert above is not None
        address = kinds.address_of(above.event) if above.event else above.id
        names = {above.id, address, *(e.id for e in world if kinds.address_of(e) == address)}
        assert parent.key in names


@given(worlds())
def test_placeholders_are_exactly_what_is_named_and_not_there(world: list[Verified]) -> None:
    thread = Thread.build(world)
    for node in thread.missing:
        assert node.event is None
        named = {event.id for event in world} & set(node.wanted_by)
        assert named == set(node.wanted_by)
        assert not any(event.id == node.id for event in world if event.kind != kinds.DELETION) or (
            any(event.id == node.id for event in world if event.kind == kinds.REACTION)
        )


@pytest.mark.parametrize("seed", range(5))
def test_a_grown_thread_is_whole(seed: int) -> None:
    events = grown(60, seed=seed)
    thread = Thread.build(reversed(events))
    assert thread.found == 60
    assert thread.missing == ()
    assert thread.root is not None
    assert thread.root.event == events[0]


def test_a_chain_of_ten_thousand_does_not_recurse() -> None:
    chain = [invented("0", at=START)]
    chain += [answer(str(n), str(n - 1), "0", at=START + n) for n in range(1, 10_000)]
    thread = Thread.build(reversed(chain))
    assert [node.depth for node in thread.nodes] == list(range(10_000))
    broken = Thread.build(chain[1:])
    assert broken.nodes[0].state is State.MISSING
    assert len(broken.nodes) == 10_000


# Parents, roots, placeholders


def test_a_missing_parent_hangs_under_the_root_its_answer_claims() -> None:
    thread = Thread.build([invented("root"), answer("leaf", "lost", "root", at=START + 1)])
    assert placed(thread) == [("root", 0), ("?", 1), ("leaf", 2)]
    assert thread.missing[0].id == hex_of("lost")


def test_a_placeholder_keeps_hints_and_who_wants_it() -> None:
    tags = ("e", hex_of("lost"), "wss://a.example", "reply"), ("e", hex_of("lost"), "", "reply")
    one = invented("one", ("e", hex_of("root"), "", "root"), tags[0], at=START + 1)
    two = invented("two", ("e", hex_of("root"), "", "root"), tags[1], at=START + 2)
    three = invented("three", ("e", hex_of("lost"), "wss://b.example/", "reply"), at=START + 3)
    (lost,) = Thread.build([invented("root"), three, two, one]).missing
    assert lost.wanted_by == (one.id, two.id, three.id)
    assert lost.hints == ("wss://a.example", "wss://b.example")
    assert lost.why == "not found"


def test_a_placeholder_stands_where_its_first_answer_would() -> None:
    late = answer("late", "root", at=START + 5)
    early = answer("early", "root", at=START + 1)
    orphan = answer("orphan", "lost", "root", at=START + 3)
    thread = Thread.build([invented("root"), late, early, orphan])
    assert placed(thread) == [("root", 0), ("early", 1), ("?", 1), ("orphan", 2), ("late", 1)]


def test_a_missing_root_is_a_placeholder_too() -> None:
    thread = Thread.build([answer("a", "root"), answer("b", "root", at=START + 1)])
    assert placed(thread) == [("?", 0), ("a", 1), ("b", 1)]


def test_a_claimed_root_does_not_move_a_note_whose_parent_is_here() -> None:
    liar = answer("liar", "root", "foreign", at=START + 1)
    thread = Thread.build([invented("root"), invented("foreign"), liar], root=hex_of("root"))
    assert placed(thread) == [("root", 0), ("liar", 1)]
    assert [event.content for event in thread.elsewhere] == ["foreign"]


def test_without_a_wish_the_fullest_tree_is_built_and_of_equals_the_oldest() -> None:
    small = [invented("small", at=START)]
    full = [invented("full", at=START + 5), answer("reply", "full", at=START + 6)]
    assert placed(Thread.build([*small, *full])) == [("full", 0), ("reply", 1)]
    assert placed(Thread.build([full[0], *small])) == [("small", 0)]


def test_a_wanted_root_that_nobody_has_is_one_missing_node() -> None:
    thread = Thread.build([invented("other")], root=hex_of("root"))
    assert [node.state for node in thread.nodes] == [State.MISSING]
    assert [event.content for event in thread.elsewhere] == ["other"]


def test_nothing_makes_an_empty_thread() -> None:
    assert shown(Thread.build([])) == ((), ())


def test_a_note_that_answers_itself_is_a_root() -> None:
    assert placed(Thread.build([answer("self", "self")])) == [("self", 0)]


def test_a_cycle_through_an_address_is_cut_at_its_oldest() -> None:
    """An id cannot name itself; an address is named before its event exists."""
    note = invented("note", ("a", ADDRESS, "", "reply"), at=START + 1)
    tags = ("d", "essay"), ("e", note.id, "", "reply")
    article = invented("essay", *tags, kind=30023, at=START)
    later = answer("later", "note", at=START + 2)
    expected = [("essay", 0), ("note", 1), ("later", 2)]
    assert placed(Thread.build([later, note, article])) == expected


# Articles, comments, external roots


def test_all_versions_of_an_article_are_one_node() -> None:
    old = invented("old", ("d", "essay"), kind=30023, at=START)
    new = invented("new", ("d", "essay"), kind=30023, at=START + 9)
    by_id = answer("to the old", "old", at=START + 10)
    by_address = invented("to both", ("A", ADDRESS), ("a", ADDRESS), kind=1111, at=START + 11)
    events = [by_address, old, by_id, new]
    for root in (None, old.id, new.id, ADDRESS):
        thread = Thread.build(events, root=root)
        assert placed(thread) == [("new", 0), ("to the old", 1), ("to both", 1)]
        assert thread.elsewhere == ()


def test_of_two_versions_of_one_second_the_lower_id_is_current() -> None:
    """NIP-01."""
    versions = [invented(name, ("d", "essay"), kind=30023) for name in ("one", "two", "three")]
    root = Thread.build(versions).root
    assert root is not None
    assert root.id == min(event.id for event in versions)


def test_a_comment_of_an_article_that_is_not_there_hangs_under_its_address() -> None:
    comment = invented("comment", ("A", ADDRESS, "wss://a.example"), ("a", ADDRESS), kind=1111)
    thread = Thread.build([comment], root=ADDRESS)
    assert thread.root is not None
    assert (thread.root.id, thread.root.state) == (ADDRESS, State.MISSING)


def test_an_external_root_is_not_missing() -> None:
    """NIP-73: there is no event to find."""
    scope = ("I", "https://site.example/page"), ("K", "web")
    first = invented("first", *scope, ("i", scope[0][1]), ("k", "web"), kind=1111)
    second = invented("second", *scope, ("e", first.id), ("k", "1111"), kind=1111, at=START + 1)
    thread = Thread.build([second, first])
    assert placed(thread) == [("?", 0), ("first", 1), ("second", 2)]
    assert thread.missing == ()
    assert thread.root is not None
    assert thread.root.state is State.PRESENT


def test_a_forum_thread_takes_comments_that_name_no_parent() -> None:
    """NIP-7D: the comment answers the root."""
    forum = invented("forum", ("title", "x"), kind=11)
    comment = invented("comment", ("E", forum.id), ("K", "11"), kind=1111, at=START + 1)
    assert placed(Thread.build([comment, forum])) == [("forum", 0), ("comment", 1)]


def test_reactions_reposts_and_zaps_are_no_nodes() -> None:
    root = invented("root")
    others = [invented(str(kind), ("e", root.id), kind=kind) for kind in (5, 6, 7, 16, 9735)]
    thread = Thread.build([root, *others])
    assert placed(thread) == [("root", 0)]
    assert thread.elsewhere == ()


def test_a_quote_is_no_reply() -> None:
    thread = Thread.build(
        [invented("root"), invented("quote", ("q", hex_of("root")), at=START + 1)]
    )
    assert placed(thread) == [("root", 0)]
    assert [event.content for event in thread.elsewhere] == ["quote"]


# Order


def test_siblings_stand_by_time_and_then_by_id() -> None:
    children = [answer(name, "root", at=START + at) for name, at in (("a", 2), ("b", 1), ("c", 1))]
    thread = Thread.build([*children, invented("root")])
    expected = sorted(children, key=lambda event: (event.created_at, event.id))
    assert list(thread.events[1:]) == expected


def test_parts_of_an_answer_come_before_other_children() -> None:
    """An author's own continuation chain reads as one text."""
    parts = [answer("p1", "question", at=START + 1, more=(("part", "1", "3"),))]
    parts += [
        answer(f"p{n}", f"p{n - 1}", "question", at=START + n, more=(("part", str(n), "3"),))
        for n in (2, 3)
    ]
    hasty = answer("hasty", "p1", "question", at=START + 1, by="bob")
    thread = Thread.build([invented("question", by="bob"), hasty, *reversed(parts)])
    assert placed(thread) == [("question", 0), ("p1", 1), ("p2", 2), ("p3", 3), ("hasty", 2)]


@pytest.mark.parametrize(
    ("by", "tag"),
    [
        ("bob", ("part", "2", "3")),
        ("alice", ("part", "3", "3")),
        ("alice", ("part", "2", "4")),
        ("alice", ("part", "two", "3")),
        ("alice", ("part",)),
    ],
)
def test_what_is_not_the_next_part_waits_its_turn(by: str, tag: tuple[str, ...]) -> None:
    """Same author, same answer, the next place: or a stranger could push in."""
    first = invented("p1", ("part", "1", "3"))
    early = answer("early", "p1", at=START + 1, by="bob")
    other = answer("other", "p1", at=START + 2, by=by, more=(tag,))
    assert placed(Thread.build([other, early, first])) == [("p1", 0), ("early", 1), ("other", 1)]


# States


def states(thread: Thread) -> dict[str, State]:
    return {node.event.content: node.state for node in thread.nodes if node.event is not None}


def test_only_the_author_can_delete() -> None:
    """NIP-09; the replies stay."""
    mine = invented("mine", by="alice")
    leaf = answer("leaf", "mine", by="bob", at=START + 1)
    foreign = invented("d1", ("e", mine.id), kind=5, by="bob")
    assert set(states(Thread.build([mine, leaf, foreign])).values()) == {State.PRESENT}
    own = invented("d2", ("e", mine.id), kind=5, by="alice", content="I was wrong")
    thread = Thread.build([own, mine, leaf, foreign])
    assert states(thread) == {"mine": State.DELETED, "leaf": State.PRESENT}
    assert thread.root is not None
    assert thread.root.why == "I was wrong"


def test_a_deletion_by_address_takes_the_versions_up_to_its_time() -> None:
    """NIP-09."""
    deletion = invented("gone", ("a", ADDRESS), kind=5, at=START + 5)
    old = invented("old", ("d", "essay"), kind=30023, at=START + 5)
    new = invented("new", ("d", "essay"), kind=30023, at=START + 6)
    assert states(Thread.build([deletion, old])) == {"old": State.DELETED}
    assert states(Thread.build([deletion, old, new])) == {"new": State.PRESENT}


def test_a_deletion_of_a_deletion_does_nothing() -> None:
    mine = invented("mine")
    first = invented("d1", ("e", mine.id), kind=5)
    second = invented("d2", ("e", first.id), kind=5)
    assert states(Thread.build([mine, first, second])) == {"mine": State.DELETED}


@pytest.mark.parametrize(
    ("value", "now", "state"),
    [
        (str(START), None, State.PRESENT),
        (str(START), START - 1, State.PRESENT),
        (str(START), START, State.EXPIRED),
        ("0", START, State.EXPIRED),
        ("-1", START, State.PRESENT),
        ("soon", START, State.PRESENT),
        ("٣", START, State.PRESENT),
        ("1" * 5000, START, State.PRESENT),
        ("", START, State.PRESENT),
    ],
)
def test_expiry_is_decided_by_now_alone(value: str, now: int | None, state: State) -> None:
    """NIP-40."""
    note = invented("note", ("expiration", value))
    assert states(Thread.build([note], now=now)) == {"note": state}


def test_the_muted_are_hidden_and_their_answers_stay() -> None:
    events = [invented("root"), answer("rude", "root", by="bob"), answer("leaf", "rude")]
    thread = Thread.build(events, muted=[hex_of("bob")])
    assert states(thread) == {
        "root": State.PRESENT,
        "rude": State.HIDDEN,
        "leaf": State.PRESENT,
    }


def test_a_request_to_vanish_takes_its_authors_notes_up_to_its_time() -> None:
    """NIP-62, addressed to all relays."""
    old = invented("old", at=START)
    new = answer("new", "old", at=START + 1)
    other = answer("other", "old", by="bob", at=START)
    everywhere = (("relay", "wss://a.example"), ("relay", "ALL_RELAYS"))
    vanish = invented("bye", *everywhere, kind=62, at=START, content="farewell")
    thread = Thread.build([old, new, other, vanish])
    assert states(thread) == {
        "old": State.DELETED,
        "new": State.PRESENT,
        "other": State.PRESENT,
    }
    assert thread.nodes[0].why == "its author asked to vanish"


@pytest.mark.parametrize(
    "vanish",
    [
        invented("one relay", ("relay", "wss://a.example"), kind=62, at=START + 1),
        invented("no relay", kind=62, at=START + 1),
        invented("in lower case", ("relay", "all_relays"), kind=62, at=START + 1),
        invented("a stranger's", ("relay", "ALL_RELAYS"), kind=62, at=START + 1, by="bob"),
        invented("too early", ("relay", "ALL_RELAYS"), kind=62, at=START - 1),
        invented("another kind", ("relay", "ALL_RELAYS"), kind=63, at=START + 1),
    ],
    ids=lambda event: event.content,
)
def test_another_request_to_vanish_takes_nothing(vanish: Verified) -> None:
    """NIP-62: a relay's own request is for that relay."""
    assert states(Thread.build([invented("note"), vanish], root=hex_of("note"))) == {
        "note": State.PRESENT
    }


def test_a_deletion_of_a_request_to_vanish_has_no_effect() -> None:
    """NIP-62."""
    vanish = invented("bye", ("relay", "ALL_RELAYS"), kind=62)
    undo = invented("undo", ("e", vanish.id), kind=5)
    assert states(Thread.build([invented("note"), vanish, undo])) == {"note": State.DELETED}


@pytest.mark.parametrize("kind", [0, 5, 62, 10000, 10002])
def test_what_only_speaks_of_people_and_events_is_no_node(kind: int) -> None:
    root = invented("root")
    told = invented("told", ("e", root.id, "", "root"), ("relay", "x"), kind=kind, at=START + 1)
    thread = Thread.build([told, root])
    assert placed(thread) == [("root", 0)]
    assert thread.elsewhere == ()


@pytest.mark.parametrize("kind", [5, 62])
def test_a_deletion_is_no_node_even_where_it_is_answered(kind: int) -> None:
    told = invented("told", kind=kind)
    thread = Thread.build([told, answer("reply", "told", at=START + 1)])
    assert placed(thread) == [("?", 0), ("reply", 1)]


@pytest.mark.parametrize("kind", [0, 10000, 10002])
def test_who_comments_on_a_profile_or_list_makes_it_a_node(kind: int) -> None:
    """NIP-22: the comment names it by its address; the newest version is the node."""
    address = f"{kind}:{hex_of('alice')}:"
    versions = [
        invented(name, kind=kind, at=at) for name, at in (("old", START), ("new", START + 1))
    ]
    comment = invented("comment", ("A", address), ("a", address), kind=1111, at=START + 2)
    assert placed(Thread.build([comment, *versions])) == [("new", 0), ("comment", 1)]
    assert placed(Thread.build([comment, *versions], root=versions[0].id))[0] == ("new", 0)


@pytest.mark.parametrize(
    ("mutes", "why"),
    [
        (Mutes(authors=frozenset({hex_of("bob")})), "its author is muted"),
        (Mutes(threads=frozenset({hex_of("rude")})), "its thread is muted"),
        (Mutes(hashtags=frozenset({"spam"})), "it has the muted hashtag #spam"),
        (Mutes(words=frozenset({"rude"})), "it has a muted word"),
    ],
)
def test_a_hidden_note_says_why(mutes: Mutes, why: str) -> None:
    rude = answer("rude", "root", by="bob", at=START + 1, more=(("t", "spam"),))
    leaf = answer("leaf", "other", "rude", at=START + 3)
    other = answer("other", "rude", at=START + 2)
    thread = Thread.build([invented("root"), rude, other, leaf], muted=mutes)
    node = thread.node(rude.id)
    assert node is not None
    assert (node.state, node.why) == (State.HIDDEN, why)
    assert placed(thread) == [("root", 0), ("rude", 1), ("other", 2), ("leaf", 3)]
    if not mutes.threads:
        assert states(thread)["other"] is states(thread)["leaf"] is State.PRESENT


@pytest.mark.parametrize("is_there", [True, False])
def test_of_a_muted_thread_everything_is_hidden_however_deep(is_there: bool) -> None:
    """Many answers name nothing but their parent."""
    n0 = [answer("n0", "root")] if is_there else []
    first = answer("n1", "n0", "root")
    chain = [first, *(answer(f"n{n + 1}", f"n{n}", at=START + n) for n in range(1, 5))]
    events = [invented("root"), *n0, answer("beside", "root"), *chain]
    thread = Thread.build(events, muted=Mutes(threads=frozenset({hex_of("n0")})))
    hidden = {node.id: node.why for node in thread.nodes if node.state is State.HIDDEN}
    assert hidden == {event.id: "its thread is muted" for event in (*n0, *chain)}
    assert states(thread)["beside"] is states(thread)["root"] is State.PRESENT


def test_a_tree_of_ten_times_the_notes_takes_ten_times_the_steps() -> None:
    """Counted in calls, which no other work on the machine can change."""
    few, many = (_calls_for(size) for size in (300, 3000))
    assert many <= 12 * few


def _calls_for(size: int) -> int:
    events = _bushy(size)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        thread = Thread.build(events, root=hex_of("0"))
    finally:
        sys.setprofile(None)
    assert len(thread.nodes) >= size
    return calls


def _bushy(size: int) -> list[Verified]:
    """Deep, wide, with missing parents, deletions and reactions, newest first."""
    events = [invented("0")]
    for number in range(1, size):
        parent = number - 1 if number % 3 else number // 5
        lost = f"lost {number % (size // 10)}" if number % 7 == 0 else str(parent)
        events.append(answer(str(number), lost, "0", at=START + number))
        if number % 11 == 0:
            events.append(invented(f"d{number}", ("e", hex_of(str(number))), kind=5))
            events.append(invented(f"r{number}", ("e", hex_of(str(number))), kind=7))
    return events[::-1]


def test_a_deletion_outranks_expiry_and_muting() -> None:
    note = invented("note", ("expiration", "1"))
    deletion = invented("deletion", ("e", note.id), kind=5, content="why")
    thread = Thread.build([note, deletion], now=START, muted=[note.pubkey])
    assert states(thread) == {"note": State.DELETED}


def test_events_that_were_really_signed_build_the_same() -> None:
    alice, bob = Author(1), Author(2)
    article = alice.article("essay", "text")
    comment = bob.comment(article, "comment")
    reply = alice.comment(comment, "reply")
    thread = Thread.build([reply, comment, article, bob.deletion(comment)])
    assert placed(thread)[:2] == [("text", 0), ("comment", 1)]
    assert states(thread)["comment"] is State.DELETED


def test_one_backdated_reply_with_a_false_claim_does_not_take_the_others_along() -> None:
    """A missing note hangs under the root that is wanted, whoever claimed another one first."""
    real, false = invented("real"), invented("false")
    honest = [answer(f"w{number}", "lost", "real", at=START + number) for number in range(1, 4)]
    spam = answer("spam", "lost", "false", at=START - 999, by="mallory")
    for root in (real.id, None):
        thread = Thread.build([real, false, spam, *honest], root=root)
        assert {event.content for event in thread.events} == {"real", "spam", "w1", "w2", "w3"}
    assert false in thread.elsewhere


def test_what_answers_a_repost_or_a_reaction_hangs_below_it_and_it_has_a_place() -> None:
    root = invented("root")
    repost = invented("repost", ("e", root.id), kind=6, at=START + 1)
    unanswered = invented("like", ("e", root.id), kind=7, at=START + 1)
    reply = answer("reply", "repost", at=START + 2)
    thread = Thread.build([reply, unanswered, repost, root])
    assert [(node.event and node.event.content, node.depth) for node in thread.nodes] == [
        ("root", 0),
        ("repost", 1),
        ("reply", 2),
    ]
    assert thread.missing == ()


def test_nothing_hangs_above_the_root_that_is_wanted_when_it_is_missing() -> None:
    """A stranger claims that the root answers what answers it."""
    honest = [answer(f"w{number}", "lost", "gone", at=START + number) for number in range(3)]
    spam = answer("spam", "gone", "lost", at=START + 9, by="mallory")
    thread = Thread.build([*honest, spam], root=hex_of("gone"))
    assert thread.nodes[0].id == hex_of("gone")
    assert {event.content for event in thread.events} == {"w0", "w1", "w2", "spam"}


def test_a_claimed_root_that_is_a_repost_hangs_below_what_it_reposts() -> None:
    root = invented("root")
    repost = invented("repost", ("e", root.id), kind=6, at=START + 1)
    reply = answer("reply", "lost", "repost", at=START + 2)
    thread = Thread.build([root, repost, reply], root=root.id)
    assert [node.depth for node in thread.nodes] == [0, 1, 2, 3]
    assert thread.events == (root, repost, reply)
