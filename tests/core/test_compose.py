"""Drafts of a split answer: what they answer (NIP-10, 22, 7D), who is called, sizes to the byte."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.compose import (
    MAX_NOTIFIED,
    Extras,
    Target,
    compose,
    event_bytes,
    split_for,
)
from nostr_threads.core.content import Hint
from nostr_threads.core.event import Draft, Verified
from nostr_threads.core.join import join
from nostr_threads.core.nip19 import Address, EventPointer, Note, Profile, PublicKey, encode
from nostr_threads.core.node import part_of
from nostr_threads.core.references import Relation, references
from nostr_threads.core.split import DEFAULT_MARKER, Limit, Part
from nostr_threads.core.thread import Thread
from nostr_threads.errors import InvalidInput, LimitTooSmall
from nostr_threads.testing import START, Author
from tests.core.invented import hex_of, invented
from tests.core.strategies import texts

nostr_sdk: Any = import_module("nostr_sdk")

ALICE, BOB, CAROL = Author(1), Author(2), Author(3)
RELAY = "wss://relay.example"
QUESTION = BOB.note("question")
ARTICLE = BOB.article("essay", "text")
ADDRESS = f"30023:{BOB.pubkey}:essay"
PARTS = [Part(1, 3, "one"), Part(2, 3, "two"), Part(3, 3, "three")]


def signed(
    parts: list[Part],
    target: Verified | None = None,
    relay: str = RELAY,
    author: Author = ALICE,
    **more: Any,
) -> list[Verified]:
    to = Target(target, relay) if target is not None else None
    drafts = compose(parts, author=author.pubkey, created_at=START + 100, target=to, **more)
    return [author.sign(draft) for draft in drafts]


def one(target: Verified | None, author: Author = ALICE) -> Verified:
    (event,) = signed([Part(1, 1, "answer")], target, author=author)
    return event


def tags(event: Verified, *names: str) -> list[tuple[str, ...]]:
    return [tag for tag in event.tags if tag[0] in names]


# NIP-10


def test_a_new_note_answers_nothing() -> None:
    assert (one(None).kind, one(None).tags) == (1, ())


def test_a_direct_answer_has_one_marked_tag_of_type_root() -> None:
    """NIP-10: a direct reply to the root should have a single marked "e" tag of type "root"."""
    assert one(QUESTION).tags == (
        ("e", QUESTION.id, RELAY, "root", BOB.pubkey),
        ("p", BOB.pubkey),
    )


def test_an_answer_further_down_names_the_root_and_then_its_parent() -> None:
    """NIP-10: sorted by the reply stack from root to the direct parent."""
    reply = CAROL.reply(QUESTION, "reply", relay="wss://other.example")
    assert tags(one(reply), "e") == [
        ("e", QUESTION.id, "wss://other.example", "root", BOB.pubkey),
        ("e", reply.id, RELAY, "reply", CAROL.pubkey),
    ]


def test_a_root_of_which_no_relay_is_known_gets_the_relay_of_its_answer() -> None:
    reply = CAROL.reply(QUESTION, "reply")
    assert tags(one(reply), "e")[0][2] == RELAY


def test_an_answer_to_positional_tags_is_marked() -> None:
    old = CAROL.note("old", tags=(("e", QUESTION.id), ("e", hex_of("middle"))))
    assert tags(one(old), "e") == [
        ("e", QUESTION.id, RELAY, "root"),
        ("e", old.id, RELAY, "reply", CAROL.pubkey),
    ]


def test_an_answer_without_a_relay_leaves_its_place_empty() -> None:
    (event,) = signed([Part(1, 1, "answer")], QUESTION, relay="")
    assert event.tags[0] == ("e", QUESTION.id, "", "root", BOB.pubkey)


# NIP-22


def test_a_comment_on_an_article_names_address_and_version() -> None:
    """NIP-22's first example."""
    event = one(ARTICLE)
    assert event.kind == kinds.COMMENT
    assert event.tags == (
        ("A", ADDRESS, RELAY),
        ("K", "30023"),
        ("P", BOB.pubkey, RELAY),
        ("a", ADDRESS, RELAY),
        ("e", ARTICLE.id, RELAY, BOB.pubkey),
        ("k", "30023"),
        ("p", BOB.pubkey, RELAY),
    )


def test_a_comment_on_any_other_event_names_its_id() -> None:
    """NIP-22's second example."""
    file = BOB.event(1063, "a file")
    assert one(file).tags == (
        ("E", file.id, RELAY, BOB.pubkey),
        ("K", "1063"),
        ("P", BOB.pubkey, RELAY),
        ("e", file.id, RELAY, BOB.pubkey),
        ("k", "1063"),
        ("p", BOB.pubkey, RELAY),
    )


def test_an_answer_to_a_comment_copies_the_roots_scope() -> None:
    comment = one(ARTICLE, CAROL)
    assert one(comment).tags == (
        *tags(comment, "A", "K", "P"),
        ("e", comment.id, RELAY, CAROL.pubkey),
        ("k", "1111"),
        ("p", CAROL.pubkey, RELAY),
    )


def test_an_external_root_is_copied_with_its_web_page() -> None:
    """NIP-73."""
    page = ("I", "podcast:guid:1", "https://site.example/1"), ("K", "podcast:guid")
    comment = CAROL.event(1111, "c", tags=(*page, ("i", "podcast:guid:1"), ("k", "podcast:guid")))
    event = one(comment)
    assert tags(event, "I", "K") == list(page)
    assert (tags(event, "P"), tags(event, "p")) == ([], [("p", CAROL.pubkey, RELAY)])


def test_a_strangers_broken_or_repeated_scope_is_not_passed_on() -> None:
    """A relay would refuse the answer for it."""
    hostile = CAROL.event(
        1111,
        "c",
        tags=(
            ("E",),
            ("E", "not hex"),
            ("P", "not hex"),
            ("K", ""),
            ("E", QUESTION.id, RELAY),
            *(("E", hex_of(str(number))) for number in range(1000)),
            ("K", "1063"),
            ("e", QUESTION.id),
        ),
    )
    assert tags(one(hostile), *"AEIKP") == [("E", QUESTION.id, RELAY), ("K", "1063")]


@pytest.mark.parametrize(
    "given_tags",
    [
        (("e", QUESTION.id, "", BOB.pubkey), ("k", "1")),
        (("e", QUESTION.id, "", "root", BOB.pubkey),),
    ],
    ids=["parent alone", "NIP-10 markers"],
)
def test_a_comment_without_a_scope_keeps_its_root(given_tags: tuple[tuple[str, ...], ...]) -> None:
    """Against NIP-22 and seen in the wild."""
    comment = CAROL.event(1111, "c", tags=given_tags)
    assert tags(one(comment), *"AEIKP") == [("E", QUESTION.id, "", BOB.pubkey), ("K", "1")]


def test_a_comment_on_nothing_is_a_root_itself() -> None:
    lonely = CAROL.event(1111, "c")
    assert tags(one(lonely), "E", "K") == [("E", lonely.id, RELAY, CAROL.pubkey), ("K", "1111")]


# The chain

REPLY = CAROL.reply(QUESTION, "reply")
COMMENT = CAROL.comment(ARTICLE, "comment")
FORUM = BOB.event(kinds.FORUM_THREAD, "forum")
IN_FORUM = CAROL.comment(FORUM, "comment")
CROWDED = BOB.note("q", tags=tuple(("p", hex_of(str(number))) for number in range(120)))
UNDER_ARTICLE = CAROL.note("n", tags=(("a", ADDRESS, "", "root"),))
TARGETS = {
    "nothing": (None, None),
    "a note": (QUESTION, QUESTION.id),
    "a crowded note": (CROWDED, CROWDED.id),
    "a reply": (REPLY, QUESTION.id),
    "an article": (ARTICLE, ADDRESS),
    "a comment": (COMMENT, ADDRESS),
    "a forum thread": (FORUM, FORUM.id),
    "a note under an article": (UNDER_ARTICLE, ADDRESS),
    "a comment in a forum thread": (IN_FORUM, FORUM.id),
    "a comment under a note": (CAROL.comment(QUESTION, "c"), QUESTION.id),
}


FLAT = {"a forum thread", "a comment in a forum thread"}
CHAINED = [name for name in TARGETS if name not in FLAT]


def parent_key(event: Verified) -> str:
    parent = references(event).parent
    assert parent is not None
    return parent.key


@pytest.mark.parametrize("name", TARGETS)
def test_every_part_leads_to_the_targets_root(name: str) -> None:
    target, root = TARGETS[name]
    events = signed(PARTS, target)
    for event in events[0 if target is not None else 1 :]:
        assert references(event).relation is Relation.REPLY
        found = references(event).root
        assert found is not None
        assert found.key == (root or events[0].id)


@pytest.mark.parametrize("name", CHAINED)
def test_every_part_answers_the_part_before(name: str) -> None:
    target, _ = TARGETS[name]
    for before, after in pairwise([*([target] if target else []), *signed(PARTS, target)]):
        assert parent_key(after) == (kinds.address_of(before) or before.id)


_ids = st.sampled_from([hex_of("a"), hex_of("b"), "not hex", "", f"30023:{hex_of('c')}:d"])
_markers = st.sampled_from([("",), ("", "root"), ("", "reply"), ("", "mention"), ()])
_scopes = st.builds(
    lambda name, value, rest: (name, value, *rest), st.sampled_from("eEaAiIkKpPq"), _ids, _markers
)
_parents = st.builds(
    lambda kind, some: BOB.event(kind, "x", tags=tuple(some)),
    st.sampled_from([1, 11, 1063, 1111, 30023]),
    st.lists(_scopes, max_size=6),
)


@given(_parents)
@settings(max_examples=200, deadline=None)
def test_under_whatever_a_stranger_wrote_root_and_parent_are_those_it_says(
    parent: Verified,
) -> None:
    said = references(parent).root if parent.kind in (kinds.NOTE, kinds.COMMENT) else None
    own = kinds.address_of(parent) or parent.id
    events = signed(PARTS, parent)
    assert parent_key(events[0]) == own
    for event in events:
        root = references(event).root
        assert root is not None
        assert root.key == (said.key if said is not None else own)


@pytest.mark.parametrize("name", sorted(FLAT))
def test_in_a_forum_thread_the_parts_stand_side_by_side(name: str) -> None:
    """NIP-7D wants no nested replies; the `part` tags and the times keep the order."""
    target, _ = TARGETS[name]
    assert target is not None
    events = signed(PARTS, target)
    assert [parent_key(event) for event in events] == [target.id] * 3
    ordered = sorted(events, key=lambda event: event.created_at)
    parts = [part for event in ordered if (part := part_of(event)) is not None]
    assert join(parts) == "onetwothree"


def test_a_forum_thread_is_a_titled_root_and_comments_on_it() -> None:
    """NIP-7D."""
    events = signed(PARTS, kind=kinds.FORUM_THREAD, extras=Extras(subject="A  matter\n of taste"))
    assert [event.kind for event in events] == [kinds.FORUM_THREAD, kinds.COMMENT, kinds.COMMENT]
    assert tags(events[0], "title", "subject") == [("title", "A matter of taste")]
    assert [parent_key(event) for event in events[1:]] == [events[0].id] * 2
    assert [tags(event, "title", "K") for event in events[1:]] == [[("K", "11")]] * 2


def test_a_forum_thread_without_a_subject_takes_its_title_from_its_text() -> None:
    (event,) = signed([Part(1, 1, "# On *taste*\n\nText")], kind=kinds.FORUM_THREAD)
    assert tags(event, "title") == [("title", "On taste")]


def test_an_answer_begins_no_forum_thread_and_no_other_kind_is_split() -> None:
    with pytest.raises(InvalidInput):
        signed(PARTS, QUESTION, kind=kinds.FORUM_THREAD)
    with pytest.raises(InvalidInput):
        signed(PARTS, kind=kinds.ARTICLE)


@pytest.mark.parametrize("name", CHAINED)
def test_a_thread_puts_the_parts_together_again(name: str) -> None:
    target, _ = TARGETS[name]
    events = signed(PARTS, target)
    thread = Thread.build([*reversed(events), *([target] if target else [])])
    (chain,) = thread.answers()
    assert [node.id for node in chain] == [event.id for event in events]


@pytest.mark.parametrize("name", TARGETS)
def test_another_program_takes_every_part_for_valid(name: str) -> None:
    for event in signed(PARTS, TARGETS[name][0]):
        assert nostr_sdk.Event.from_json(event.to_json()).verify()


def test_time_rises_by_a_second_a_part() -> None:
    assert [event.created_at for event in signed(PARTS, QUESTION)] == [
        START + 100,
        START + 101,
        START + 102,
    ]


def test_parts_carry_their_tag_and_a_whole_text_does_not() -> None:
    assert [tags(event, "part") for event in signed(PARTS)] == [[part.tag()] for part in PARTS]
    assert tags(one(None), "part") == []


# Who is notified


def test_people_are_notified_once_and_nobody_by_their_own_answer() -> None:
    busy = BOB.note("q", tags=(("p", ALICE.pubkey), ("p", CAROL.pubkey), ("p", CAROL.pubkey)))
    first, *later = signed(PARTS, busy)
    assert tags(first, "p") == [("p", BOB.pubkey), ("p", CAROL.pubkey)]
    assert [tags(event, "p") for event in later] == [[], []]


def test_later_parts_tag_what_they_mention_themselves() -> None:
    npub = f"nostr:{encode(PublicKey(CAROL.pubkey))}"
    first, second = signed([Part(1, 2, "one"), Part(2, 2, npub)], QUESTION)
    assert tags(first, "p") == [("p", BOB.pubkey)]
    assert tags(second, "p") == [("p", CAROL.pubkey)]


def test_who_is_answered_and_mentioned_is_tagged_once() -> None:
    profile = encode(Profile(BOB.pubkey, (RELAY,)))
    (event,) = signed([Part(1, 1, f"nostr:{profile}")], QUESTION)
    assert tags(event, "p") == [("p", BOB.pubkey, RELAY)]


def test_who_writes_is_not_called_by_naming_themselves() -> None:
    (event,) = signed([Part(1, 1, f"nostr:{encode(PublicKey(ALICE.pubkey))}")], QUESTION)
    assert tags(event, "p") == [("p", BOB.pubkey)]


def test_the_author_of_what_is_cited_is_called() -> None:
    """NIP-10: authors of the "e" and "q" tags should be added as "p" tags."""
    note = encode(EventPointer(REPLY.id, (), CAROL.pubkey))
    essay = encode(Address(kinds.ARTICLE, BOB.pubkey, "essay"))
    (event,) = signed([Part(1, 1, f"nostr:{note} and nostr:{essay}")])
    assert tags(event, "p") == [("p", CAROL.pubkey), ("p", BOB.pubkey)]


def test_hints_fill_what_a_code_leaves_open() -> None:
    text = f"nostr:{encode(Note(REPLY.id))} by nostr:{encode(PublicKey(CAROL.pubkey))}"
    hints = {REPLY.id: Hint(RELAY, CAROL.pubkey), CAROL.pubkey: Hint("wss://home.example")}
    (event,) = signed([Part(1, 1, text)], hints=hints)
    assert tags(event, "q") == [("q", REPLY.id, RELAY, CAROL.pubkey)]
    assert tags(event, "p") == [("p", CAROL.pubkey, "wss://home.example")]


def test_who_is_mentioned_is_called_before_a_crowd() -> None:
    crowd = BOB.note("q", tags=tuple(("p", hex_of(str(number))) for number in range(500)))
    (event,) = signed([Part(1, 1, f"nostr:{encode(PublicKey(CAROL.pubkey))}")], crowd)
    called = [tag[1] for tag in tags(event, "p")]
    assert (len(called), called[:2]) == (MAX_NOTIFIED, [BOB.pubkey, CAROL.pubkey])


def test_fewer_are_called_where_relays_take_few_tags() -> None:
    crowd = BOB.note("q", tags=tuple(("p", hex_of(str(number))) for number in range(50)))
    for most in (3, 8, 30):
        (event,) = signed([Part(1, 2, "#topic")], crowd, most_tags=most)
        assert len(event.tags) == most
        assert len(tags(event, "e", "t", "part")) == 3
    (event,) = signed([Part(1, 2, "#topic")], crowd, most_tags=2)
    assert tags(event, "p") == []


def test_hashtags_and_then_citations_go_where_relays_take_few_tags() -> None:
    topics = " ".join(f"#topic{number}" for number in range(12))
    (event,) = signed([Part(1, 1, topics)], most_tags=10)
    assert event.tags == tuple(("t", f"topic{number}") for number in range(10))
    notes = [encode(EventPointer(hex_of(name), (), CAROL.pubkey)) for name in "ab"]
    text = f"{topics} nostr:{notes[0]} nostr:{notes[1]}"
    extras = Extras("taste", "spoilers", START + 200, protected=True)
    fixed = ["e", "part", "subject", "content-warning", "expiration", "-"]
    for most, more in ((9, ["t", "q", "q"]), (8, ["q", "q"]), (7, ["q"]), (6, []), (1, [])):
        (event,) = signed([Part(1, 2, text)], QUESTION, most_tags=most, extras=extras)
        assert sorted(tag[0] for tag in event.tags) == sorted(fixed + more)


@pytest.mark.parametrize("most", [4096, 8192])
def test_a_crowd_leaves_most_of_every_part_to_the_text(most: int) -> None:
    text = "Some sentence of words that goes on. " * 400
    more: dict[str, Any] = {"author": ALICE.pubkey, "target": Target(CROWDED, RELAY)}
    parts = split_for(text, Limit(bytes=most), marker=DEFAULT_MARKER, **more)
    assert len(parts) <= 2 * len(text) // most
    drafts = compose(parts, created_at=START, most_bytes=most, **more)
    assert max(map(event_bytes, drafts)) <= most
    called = [tag[1] for tag in drafts[0].tags if tag[0] == "p"]
    assert called[0] == BOB.pubkey
    assert 8 < len(called) < 30
    assert called[1:] == [hex_of(str(number)) for number in range(len(called) - 1)]


def test_who_is_answered_and_mentioned_is_called_however_small_the_limit() -> None:
    npub = f"nostr:{encode(PublicKey(CAROL.pubkey))}"
    hostile = BOB.note("q", tags=(("p", "no key"), *CROWDED.tags))
    for target in (CROWDED, hostile):
        (event,) = signed([Part(1, 1, npub)], target, most_bytes=500)
        assert [tag[1] for tag in tags(event, "p")] == [BOB.pubkey, CAROL.pubkey]
        (event,) = signed([Part(1, 1, npub)], target, most_bytes=2**17)
        assert len(tags(event, "p")) == MAX_NOTIFIED


@given(
    st.lists(st.integers(0, 160), max_size=200),
    st.lists(st.integers(100, 260), max_size=150),
    st.sampled_from(["a note", "an article", "a comment", "nothing"]),
)
@settings(max_examples=50, deadline=None)
def test_at_most_a_hundred_people_are_called_once_each(
    crowd: list[int], named: list[int], name: str
) -> None:
    target = TARGETS[name][0]
    if name == "a note":
        target = BOB.note("q", tags=tuple(("p", hex_of(str(number))) for number in crowd))
    text = " ".join(f"nostr:{encode(PublicKey(hex_of(str(number))))}" for number in named) or "-"
    for event in signed([Part(1, 2, text), Part(2, 2, text)], target):
        called = [tag[1] for tag in tags(event, "p")]
        assert len(called) == len(set(called)) <= MAX_NOTIFIED
        # A comment names the author of its parent (NIP-22), who wrote the part before.
        assert ALICE.pubkey not in called or event.kind == kinds.COMMENT


def test_a_mentioned_event_is_quoted() -> None:
    code = encode(EventPointer(REPLY.id, (RELAY,), CAROL.pubkey))
    (event,) = signed([Part(1, 1, f"see nostr:{code}")], QUESTION)
    assert tags(event, "q") == [("q", REPLY.id, RELAY, CAROL.pubkey)]
    parent = references(event).parent
    assert parent is not None
    assert parent.id == QUESTION.id


def test_no_more_than_a_hundred_people_are_called() -> None:
    crowd = BOB.note("q", tags=tuple(("p", hex_of(str(number))) for number in range(5000)))
    called = tags(one(crowd), "p")
    assert len(called) == MAX_NOTIFIED == 100
    assert called[0] == ("p", BOB.pubkey)


def test_only_whoever_is_answered_or_mentioned_is_called_where_no_more_are_wanted() -> None:
    crowd = BOB.note("q", tags=tuple(("p", hex_of(str(number))) for number in range(9)))
    text = f"nostr:{encode(PublicKey(CAROL.pubkey))}"
    (event,) = signed([Part(1, 1, text)], crowd, extras=Extras(calls_all=False))
    assert [tag[1] for tag in tags(event, "p")] == [BOB.pubkey, CAROL.pubkey]


def test_what_is_no_key_is_not_called() -> None:
    """Relays refuse a note for one broken `p` tag, and a stranger could break it on purpose."""
    hostile = BOB.note("q", tags=(("p", ""), ("p", "x" * 10_000), ("p", CAROL.pubkey.upper())))
    assert tags(one(hostile), "p") == [("p", BOB.pubkey)]


# What an author may want said of it


def test_every_part_says_what_its_author_wants_said_and_the_first_its_subject() -> None:
    """NIP-14, NIP-36, NIP-40, NIP-70."""
    extras = Extras("taste", "spoilers", START + 200, protected=True)
    events = signed(PARTS, QUESTION, extras=extras)
    each = [("content-warning", "spoilers"), ("expiration", str(START + 200)), ("-",)]
    names = ("content-warning", "expiration", "-")
    assert [tags(event, *names) for event in events] == [each] * 3
    assert [tags(event, "subject") for event in events] == [[("subject", "taste")], [], []]


def test_a_warning_needs_no_reason_and_nothing_is_said_unasked() -> None:
    (event,) = signed([Part(1, 1, "answer")], extras=Extras(content_warning=""))
    assert event.tags == (("content-warning",),)
    assert one(QUESTION).tags[1:] == (("p", BOB.pubkey),)


@pytest.mark.parametrize(
    ("said", "taken_on"),
    [
        ("taste", "Re: taste"),
        (" of \n taste\0", "Re: of taste"),
        ("RE: taste", "RE: taste"),
        ("x" * 10_000, "Re: " + "x" * 75),
        ("re:" + "x" * 10_000, "re:" + "x" * 76),
    ],
)
def test_an_answer_takes_on_the_subject_of_what_it_answers(said: str, taken_on: str) -> None:
    """NIP-14."""
    target = BOB.note("q", tags=(("subject", said), ("subject", "another")))
    events = signed(PARTS, target)
    assert [tags(event, "subject") for event in events] == [[("subject", taken_on)], [], []]
    own = signed(PARTS, target, extras=Extras(subject="mine"))
    assert tags(own[0], "subject") == [("subject", "mine")]


def test_a_comment_and_an_answer_to_no_subject_have_none() -> None:
    """NIP-14 is about kind 1."""
    for target in (BOB.note("q", tags=(("subject", " \n"),)), BOB.note("q", tags=(("subject",),))):
        assert tags(one(target), "subject") == []
    assert tags(one(BOB.event(1063, "a file", tags=(("subject", "a"),))), "subject") == []


@pytest.mark.parametrize("expires", [0, START + 100, START + 102])
def test_nothing_expires_before_its_last_part_is_written(expires: int) -> None:
    with pytest.raises(InvalidInput):
        signed(PARTS, QUESTION, extras=Extras(expires=expires))


# Sizes


@given(texts, st.lists(st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=3))
def test_the_size_is_that_of_the_signed_event(
    content: str, some_tags: list[tuple[str, ...]]
) -> None:
    draft = Draft(START, 1, tuple(some_tags), content)
    assert event_bytes(draft) == len(ALICE.sign(draft).to_json().encode())


_mentions = st.sampled_from(
    [
        f"nostr:{encode(PublicKey(hex_of(str(number))))}"
        if number % 2
        else f"nostr:{encode(EventPointer(hex_of(str(number)), (RELAY,), hex_of('x')))}"
        for number in range(60)
    ]
)
CROWD = [f"nostr:{encode(PublicKey(hex_of(str(number))))}" for number in range(200)]
_words = st.one_of(_mentions, st.sampled_from(("word", '"\\', "größer", "🧵", "\n\n", "a" * 80)))


@given(
    st.lists(_words, min_size=1, max_size=200).map(" ".join).filter(str.strip),
    st.integers(1700, 5000),
    st.sampled_from(sorted(TARGETS)),
    st.sampled_from([Extras(), Extras("taste" * 9, "spoilers", 4_000_000_000, protected=True)]),
    st.sampled_from([0, 60]),
)
@example(" ".join(CROWD), 1500, "a note", Extras(), 0)
@settings(max_examples=120, deadline=None)
def test_every_signed_part_obeys_the_limit(
    text: str, most: int, name: str, extras: Extras, spare: int
) -> None:
    target, _ = TARGETS[name]
    more: dict[str, Any] = {"extras": extras}
    if target is None and spare:
        more["kind"] = kinds.FORUM_THREAD
    parts = split_for(
        text,
        Limit(bytes=most),
        author=ALICE.pubkey,
        marker=DEFAULT_MARKER,
        target=Target(target, RELAY) if target else None,
        spare=spare,
        **more,
    )
    events = signed(parts, target, most_bytes=most, **more)
    assert max(len(event.to_json().encode()) for event in events) <= most - spare
    assert join(parts) == text


@pytest.mark.parametrize("most", [1, 100, 400, 600])
def test_a_limit_that_the_tags_alone_exceed_is_refused(most: int) -> None:
    target = Target(invented("q", *(("p", hex_of(str(n))) for n in range(50))), RELAY)
    with pytest.raises(LimitTooSmall):
        split_for("some words", Limit(bytes=most), author=ALICE.pubkey, marker="", target=target)


def test_a_limit_of_characters_needs_no_bytes() -> None:
    parts = split_for(
        "word " * 100, Limit(characters=100), author=ALICE.pubkey, marker=DEFAULT_MARKER
    )
    assert all(part.characters <= 100 for part in parts)
