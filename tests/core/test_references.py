"""`core.references`: what an event answers (NIP-10, 22, 7D) or is about (NIP-09, 18, 25, 57)."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import MAX_KIND, Event
from nostr_threads.core.references import (
    Pointer,
    References,
    Relation,
    parse_address,
    pointer_of,
    references,
)
from tests.core import strategies as make

if TYPE_CHECKING:
    from nostr_threads.core.event import Tag

CASES = make.load("threads/nip10_nip22.cases.json")["cases"]
SAMPLE = {event.id: event for event in map(Event.from_json, make.sample_lines())}
THREADS = make.load("threads/sample_threads.json")["threads"]

ONE, TWO, THREE, FOUR = "1" * 64, "2" * 64, "3" * 64, "4" * 64
ANN, BEN = "a" * 64, "b" * 64
ADDRESS = f"30023:{ANN}:article"
RELAY, OTHER_RELAY = "wss://one.example", "wss://two.example"
BROKEN_IDS = ("", "short", "A" * 64, "g" * 64, ONE + "1", ONE[:-1] + "\n", " " + ONE[1:], ADDRESS)


def of(*tags: Tag, kind: int = 1, content: str = "") -> References:
    return references(make.event(kind, tags, content=content))


def keys(found: References) -> tuple[str | None, str | None, list[str]]:
    """Root, parent and mentions as keys."""
    return (
        found.root.key if found.root else None,
        found.parent.key if found.parent else None,
        [pointer.key for pointer in found.mentions],
    )


def parent_of(*tags: Tag, kind: int = 1) -> Pointer:
    parent = of(*tags, kind=kind).parent
    assert parent is not None
    return parent


_values = st.one_of(
    st.sampled_from((ONE, TWO, THREE, ADDRESS, f"0:{BEN}:", "https://example.com", *BROKEN_IDS)),
    st.text(max_size=5),
)
_names = st.sampled_from(("e", "E", "a", "A", "i", "I", "p", "P", "q", "k", "K", "t", ""))
_markers = st.sampled_from(("root", "reply", "mention", "", ANN, "Root"))
_relays = st.sampled_from((RELAY, "WSS://ONE.example:443/", "https://x", "", "wss://", "\x00"))
pointing_tags = st.lists(
    st.one_of(
        st.tuples(_names, _values, _relays, _markers, st.sampled_from((BEN, "", "reply"))),
        st.tuples(_names, _values, _relays, _markers),
        st.tuples(_names, _values),
        st.lists(st.one_of(_names, _values, make.texts), max_size=3).map(tuple),
    ),
    max_size=8,
).map(tuple)
interesting_kinds = st.one_of(
    st.sampled_from((1, 5, 6, 7, 11, 16, 1111, 9735, 30023)), st.integers(0, MAX_KIND)
)


class TestVectors:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["source"].split("/")[-1])
    def test_a_case_of_other_implementations_resolves_as_listed(self, case: dict[str, Any]) -> None:
        tags = tuple(tuple(tag) for tag in case["event"]["tags"])
        found = of(*tags, kind=case["event"]["kind"])
        root, parent, mentions = keys(found)
        assert root == case["expected_root"]
        assert parent == case["expected_reply"]
        if case["expected_mentions"] is not None:
            assert set(mentions) == set(case["expected_mentions"])
        if case.get("expected_quotes") is not None:
            assert [quote.key for quote in found.quotes] == case["expected_quotes"]

    @pytest.mark.parametrize(
        "case",
        [case for case in CASES if "expected_relay_hints" in case],
        ids=lambda case: case["source"].split(": ")[-1],
    )
    def test_relay_hints_come_from_the_tag_first_and_then_from_its_author(
        self, case: dict[str, Any]
    ) -> None:
        tags = tuple(tuple(tag) for tag in case["event"]["tags"])
        found = of(*tags, kind=case["event"]["kind"])
        assert found.root is not None
        assert found.parent is not None
        wanted = case["expected_relay_hints"]
        assert list(found.root.relays) == wanted["root"]
        assert list(found.parent.relays) == wanted["reply"]

    @pytest.mark.parametrize("thread", THREADS, ids=lambda thread: thread["root"][:8])
    def test_every_reply_of_a_real_thread_has_the_parent_that_peers_give_it(
        self, thread: dict[str, Any]
    ) -> None:
        for node in thread["nodes"]:
            found = references(SAMPLE[node["id"]])
            if node["parent"] is None:
                assert found.parent is None
                assert found.relation is Relation.ROOT
            else:
                assert found.parent is not None
                assert found.parent.key == node["parent"]
                assert found.relation is Relation.REPLY


class TestAnyTags:
    @given(pointing_tags, interesting_kinds)
    def test_no_tags_raise_and_every_pointer_names_one_thing(
        self, tags: tuple[Tag, ...], kind: int
    ) -> None:
        found = of(*tags, kind=kind)
        named = [*found.mentions, *found.quotes, found.root, found.parent]
        for pointer in filter(None, named):
            targets = [pointer.id, pointer.address, pointer.external]
            assert [target for target in targets if target is not None] == [pointer.key]
            assert pointer.key
            assert pointer.key in {value for tag in tags for value in tag}

    @given(make.tag_lists, interesting_kinds)
    def test_no_strings_raise(self, tags: tuple[Tag, ...], kind: int) -> None:
        assert isinstance(of(*tags, kind=kind), References)

    @given(pointing_tags, interesting_kinds)
    def test_what_is_the_root_or_parent_is_not_mentioned_too(
        self, tags: tuple[Tag, ...], kind: int
    ) -> None:
        found = of(*tags, kind=kind)
        if found.relation in (Relation.ROOT, Relation.REPLY):
            root, parent, mentions = keys(found)
            assert not {root, parent} & set(mentions)

    @given(pointing_tags)
    def test_a_note_leaves_out_nothing_that_its_tags_name(self, tags: tuple[Tag, ...]) -> None:
        """Each valid `e` and `a` tag is the root, the parent or a mention."""
        pointers = [pointer_of(tag) for tag in tags if tag[:1] in (("e",), ("a",))]
        root, parent, mentions = keys(of(*tags))
        named = {pointer.key for pointer in pointers if pointer is not None}
        assert named == {root, parent, *mentions} - {None}

    @given(pointing_tags, interesting_kinds)
    def test_a_reply_has_a_root_and_a_parent_and_a_root_has_neither(
        self, tags: tuple[Tag, ...], kind: int
    ) -> None:
        found = of(*tags, kind=kind)
        if found.relation is Relation.REPLY:
            assert found.root is not None
            assert found.parent is not None
        if found.relation is Relation.ROOT:
            assert found.root is found.parent is None

    @given(pointing_tags, st.lists(st.sampled_from(BROKEN_IDS), max_size=4))
    def test_tags_with_broken_ids_change_nothing(
        self, tags: tuple[Tag, ...], broken: list[str]
    ) -> None:
        noise = [("e", value, RELAY, marker) for value in broken for marker in ("root", "reply")]
        assert of(*noise, *tags) == of(*tags)
        assert of(*tags, *noise) == of(*tags)

    @given(pointing_tags, interesting_kinds)
    def test_every_relay_hint_is_in_its_one_spelling(
        self, tags: tuple[Tag, ...], kind: int
    ) -> None:
        found = of(*tags, kind=kind)
        for pointer in (*found.mentions, *found.quotes, found.root, found.parent):
            assert pointer is None or set(pointer.relays) <= {RELAY}


class TestNip10Marked:
    """NIP-10, Marked "e" tags."""

    def test_root_and_reply_are_told_by_their_markers_not_by_their_place(self) -> None:
        tags = (("e", ONE, "", "root"), ("e", TWO, "", "reply"), ("e", THREE))
        for order in permutations(tags):
            assert keys(of(*order)) == (ONE, TWO, [THREE])

    def test_a_lone_root_marker_is_a_reply_to_the_root(self) -> None:
        assert keys(of(("e", ONE, "", "root"))) == (ONE, ONE, [])

    def test_beside_a_lone_marker_an_id_or_address_is_a_mention(self) -> None:
        for marker in ("root", "reply"):
            alone = ("e", ONE, "", marker)
            assert keys(of(alone, ("e", TWO))) == (ONE, ONE, [TWO])
            assert keys(of(("a", ADDRESS), alone)) == (ONE, ONE, [ADDRESS])

    def test_a_lone_reply_marker_names_the_parent(self) -> None:
        """The root is the parent's; until it is known the parent is the furthest that is named."""
        assert keys(of(("e", ONE, "", "reply"))) == (ONE, ONE, [])

    def test_root_and_reply_may_be_the_same_event(self) -> None:
        assert keys(of(("e", ONE, "", "root"), ("e", ONE, "", "reply"))) == (ONE, ONE, [])

    def test_of_two_markers_of_one_name_the_first_counts(self) -> None:
        replies = (("e", TWO, "", "reply"), ("e", THREE, "", "reply"))
        assert keys(of(("e", ONE, "", "root"), *replies)) == (ONE, TWO, [THREE])
        roots = (("e", ONE, "", "root"), ("e", TWO, "", "root"))
        assert keys(of(*roots)) == (ONE, ONE, [TWO])

    @pytest.mark.parametrize("broken", BROKEN_IDS)
    def test_a_marked_tag_with_a_broken_id_is_passed_over(self, broken: str) -> None:
        assert keys(of(("e", broken, "", "reply"), ("e", TWO, "", "reply"))) == (TWO, TWO, [])
        assert keys(of(("e", broken, "", "root"), ("e", TWO, "", "reply"))) == (TWO, TWO, [])
        assert keys(of(("e", broken, "", "root"), ("e", ONE), ("e", TWO))) == (ONE, TWO, [])

    @pytest.mark.parametrize("marker", ["Root", "REPLY", "root ", "parent", ""])
    def test_only_root_and_reply_are_markers(self, marker: str) -> None:
        assert keys(of(("e", ONE, "", marker), ("e", TWO, "", "reply"))) == (TWO, TWO, [ONE])

    def test_a_mention_marker_answers_nothing(self) -> None:
        """Older notes marked mentions; such an `e` is no position either."""
        assert keys(of(("e", ONE, "", "mention"))) == (None, None, [ONE])
        assert keys(of(("e", ONE, "", "mention"), ("e", TWO))) == (TWO, TWO, [ONE])
        assert of(("e", ONE, "", "mention")).relation is Relation.ROOT

    def test_an_article_tagged_by_address_and_version_is_its_address(self) -> None:
        """The address outlives the version."""
        tags = (("e", ONE, "", "root"), ("a", ADDRESS, "", "root"))
        for order in permutations(tags):
            assert keys(of(*order)) == (ADDRESS, ADDRESS, [ONE])

    def test_markers_are_read_on_other_kinds_too(self) -> None:
        marked = (("e", ONE, "", "root"), ("e", TWO, "", "reply"))
        assert keys(of(*marked, kind=42)) == (ONE, TWO, [])


class TestNip10Positional:
    """NIP-10, Deprecated Positional "e" tags."""

    def test_no_e_tag_is_no_reply(self) -> None:
        found = of(("p", ANN), ("t", "nostr"), ())
        assert found == References(Relation.ROOT)

    def test_one_e_tag_is_the_parent(self) -> None:
        assert keys(of(("e", ONE))) == (ONE, ONE, [])

    def test_two_e_tags_are_root_and_parent(self) -> None:
        assert keys(of(("e", ONE), ("p", ANN), ("e", TWO))) == (ONE, TWO, [])

    def test_of_many_e_tags_the_first_is_the_root_and_the_last_the_parent(self) -> None:
        many = [("e", item) for item in (ONE, TWO, THREE, FOUR)]
        assert keys(of(*many)) == (ONE, FOUR, [TWO, THREE])

    @given(st.lists(make.hexes(32), min_size=1, max_size=6, unique=True))
    def test_first_and_last_count_for_any_number(self, ids: list[str]) -> None:
        assert keys(of(*(("e", item) for item in ids))) == (ids[0], ids[-1], ids[1:-1])

    def test_the_same_event_twice_is_root_and_parent(self) -> None:
        assert keys(of(("e", ONE), ("e", ONE))) == (ONE, ONE, [])

    @pytest.mark.parametrize("broken", BROKEN_IDS)
    def test_broken_ids_hold_no_position(self, broken: str) -> None:
        assert keys(of(("e", broken), ("e", ONE), ("e", TWO), ("e", broken))) == (ONE, TWO, [])

    def test_an_author_in_the_place_of_the_marker_is_no_marker(self) -> None:
        """NIP-01's own `e` tag has the author fourth."""
        found = of(("e", ONE, "", ANN), ("e", TWO, "", BEN))
        assert keys(found) == (ONE, TWO, [])
        assert found.parent is not None
        assert found.parent.author == BEN

    @pytest.mark.parametrize("kind", [0, 11, 30023, 1063])
    def test_positions_count_in_kind_1_only(self, kind: int) -> None:
        """NIP-10 is about kind 1: an unmarked `e` in an article is a citation."""
        assert keys(of(("e", ONE), ("e", TWO), kind=kind)) == (None, None, [ONE, TWO])

    def test_an_address_holds_no_position(self) -> None:
        assert keys(of(("a", ADDRESS))) == (None, None, [ADDRESS])
        assert keys(of(("e", ONE), ("a", ADDRESS))) == (ONE, ONE, [ADDRESS])


class TestNip22:
    """NIP-22, comments; NIP-7D, replies to forum threads."""

    def comment(self, *tags: Tag) -> References:
        return of(*tags, kind=1111)

    def test_upper_case_is_the_root_and_lower_case_the_parent(self) -> None:
        tags = (("E", ONE), ("K", "1063"), ("P", ANN), ("e", TWO), ("k", "1111"), ("p", BEN))
        found = self.comment(*tags)
        assert keys(found) == (ONE, TWO, [])
        assert found.relation is Relation.REPLY

    def test_an_address_is_preferred_over_the_id_of_a_version(self) -> None:
        """The `e` beside an `a` names the version that was read; it is no mention."""
        tags = (("E", ONE), ("A", ADDRESS), ("e", ONE), ("a", ADDRESS))
        for order in permutations(tags):
            assert keys(self.comment(*order)) == (ADDRESS, ADDRESS, [])

    def test_a_comment_may_be_about_something_outside_of_nostr(self) -> None:
        """NIP-73."""
        found = self.comment(("I", "isbn:123", "https://x"), ("i", "isbn:123"))
        assert keys(found) == ("isbn:123", "isbn:123", [])
        assert found.root == Pointer(external="isbn:123")

    def test_a_reply_to_a_comment_on_something_outside_has_an_event_as_parent(self) -> None:
        assert keys(self.comment(("I", "#nostr"), ("e", TWO))) == ("#nostr", TWO, [])

    def test_an_empty_external_id_is_none(self) -> None:
        assert self.comment(("I", ""), ("i", "")).relation is Relation.ROOT

    @pytest.mark.parametrize("root", [("E", ONE), ("A", ADDRESS), ("I", "#nostr")])
    def test_a_comment_without_a_parent_answers_the_root(self, root: Tag) -> None:
        """NIP-7D's example has upper case only."""
        assert keys(self.comment(("K", "11"), root)) == (root[1], root[1], [])

    def test_a_comment_without_a_root_takes_its_parent_for_it(self) -> None:
        assert keys(self.comment(("e", TWO), ("k", "1111"))) == (TWO, TWO, [])

    def test_a_comment_without_either_answers_nothing(self) -> None:
        found = self.comment(("K", "11"), ("P", ANN), ("E", "broken"), ("a", "broken"))
        assert found == References(Relation.ROOT)

    def test_a_comment_marked_as_in_nip_10_is_read_as_in_nip_10(self) -> None:
        marked = (("e", TWO, "", "reply"), ("e", ONE, "", "root"))
        assert keys(self.comment(*marked)) == (ONE, TWO, [])

    def test_upper_case_wins_over_markers(self) -> None:
        tags = (("E", ONE), ("e", TWO, "", "reply"), ("e", THREE, "", "root"))
        assert keys(self.comment(*tags)) == (ONE, TWO, [THREE])

    def test_further_e_tags_are_mentions(self) -> None:
        assert keys(self.comment(("E", ONE), ("e", TWO), ("e", THREE))) == (ONE, TWO, [THREE])

    def test_a_broken_tag_is_passed_over_for_the_next_valid_one(self) -> None:
        tags = (("A", "broken"), ("E", "broken"), ("E", ONE), ("e", ""), ("e", TWO))
        assert keys(self.comment(*tags)) == (ONE, TWO, [])

    def test_authors_stand_in_the_p_tags_of_each_scope(self) -> None:
        found = self.comment(("E", ONE), ("P", ANN), ("e", TWO), ("p", BEN))
        assert found.root == Pointer(id=ONE, author=ANN)
        assert found.parent == Pointer(id=TWO, author=BEN)

    def test_the_author_in_the_tag_itself_is_preferred(self) -> None:
        found = self.comment(("E", ONE, "", BEN), ("P", ANN), ("e", TWO, "", ANN), ("p", BEN))
        assert found.root is not None
        assert found.parent is not None
        assert (found.root.author, found.parent.author) == (BEN, ANN)

    def test_the_author_of_an_address_is_inside_it(self) -> None:
        found = self.comment(("A", ADDRESS), ("P", BEN))
        assert found.root == Pointer(address=ADDRESS, author=ANN)

    def test_a_broken_author_is_none(self) -> None:
        found = self.comment(("E", ONE), ("P", "broken"), ("e", TWO), ("p", ""))
        assert found.root == Pointer(id=ONE)
        assert found.parent == Pointer(id=TWO)

    def test_the_relays_of_both_p_tags_are_hints_for_their_authors(self) -> None:
        """NIP-22: `["P", "<root-pubkey>", "relay-url-hint"]`, and the same in lower case."""
        found = self.comment(("E", ONE), ("P", ANN, RELAY), ("e", TWO), ("p", BEN, OTHER_RELAY))
        assert found.root == Pointer(id=ONE, author=ANN, relays=(RELAY,))
        assert found.parent == Pointer(id=TWO, author=BEN, relays=(OTHER_RELAY,))


class TestTargets:
    """NIP-09, 18, 25 and 57: events that are about others."""

    def test_a_reaction_is_to_its_last_e_tag(self) -> None:
        """NIP-25."""
        found = of(("e", ONE), ("p", ANN), ("e", TWO), ("p", BEN), kind=7)
        assert found.relation is Relation.REACTION
        assert keys(found) == (None, TWO, [ONE])

    def test_a_reaction_to_an_article_is_to_its_last_e_tag_too(self) -> None:
        tags: tuple[Tag, ...] = (("e", ONE), ("a", ADDRESS))
        for order in permutations(tags):
            assert keys(of(*order, kind=7)) == (None, ONE, [ADDRESS])

    def test_a_reaction_to_an_address_alone_is_to_the_address(self) -> None:
        assert keys(of(("a", ADDRESS), kind=7)) == (None, ADDRESS, [])

    @pytest.mark.parametrize(
        ("kind", "relation"),
        [
            (5, Relation.DELETION),
            (6, Relation.REPOST),
            (7, Relation.REACTION),
            (16, Relation.REPOST),
            (9735, Relation.ZAP),
        ],
    )
    def test_each_kind_has_its_relation_with_and_without_a_target(
        self, kind: int, relation: Relation
    ) -> None:
        assert of(("e", ONE), kind=kind).relation is relation
        assert keys(of(("e", ONE, "", "root"), kind=kind)) == (None, ONE, [])
        assert of(("e", "broken"), kind=kind) == References(relation)

    @given(st.lists(st.one_of(make.hexes(32), st.just(ADDRESS)), min_size=1, max_size=6))
    def test_a_deletion_lists_all_its_targets(self, targets: list[str]) -> None:
        """NIP-09: any number of `e` and `a` tags."""
        found = of(*(("a" if ":" in item else "e", item) for item in targets), kind=5)
        _, parent, mentions = keys(found)
        assert sorted([*mentions, parent or ""]) == sorted(targets)


class TestCitations:
    """NIP-08's `#[n]` beside NIP-10's positional tags."""

    def test_what_the_text_cites_holds_no_position(self) -> None:
        tags = (("e", ONE), ("p", ANN), ("e", TWO), ("e", THREE))
        assert keys(of(*tags, content="see #[3] of #[1]")) == (ONE, TWO, [THREE])
        assert keys(of(*tags, content="#[0]")) == (TWO, THREE, [ONE])
        assert keys(of(*tags, content="#[0] #[2]")) == (THREE, THREE, [ONE, TWO])

    def test_when_all_are_cited_the_letter_of_nip_10_holds(self) -> None:
        """One `e` tag is the event to which this is a reply: so read all peers, too."""
        assert keys(of(("e", ONE), content="#[0]")) == (ONE, ONE, [])
        assert keys(of(("e", ONE), ("e", TWO), content="#[0]#[1]")) == (ONE, TWO, [])

    @pytest.mark.parametrize("content", ["#[4]", "#[01]", "#[-1]", "[1]", "#[1", "#[999999999]"])
    def test_a_number_of_no_tag_changes_nothing(self, content: str) -> None:
        assert keys(of(("e", ONE), ("e", TWO), content=content)) == (ONE, TWO, [])

    def test_markers_count_before_citations(self) -> None:
        tags = (("e", ONE, "", "root"), ("e", TWO, "", "reply"))
        assert keys(of(*tags, content="#[0] #[1]")) == (ONE, TWO, [])


class TestOneTag:
    """`pointer_of`: what a single tag points at."""

    @pytest.mark.parametrize(
        ("tag", "pointer"),
        [
            (("e", ONE, RELAY), Pointer(ONE, relays=(RELAY,))),
            (("a", ADDRESS), Pointer(address=ADDRESS, author=ANN)),
            (("I", "isbn:1", "https://a.example"), Pointer(external="isbn:1")),
            (("e", "broken"), None),
            (("p", ANN), None),
            (("e",), None),
            ((), None),
        ],
    )
    def test_a_tag_points_at_one_thing_or_none(self, tag: Tag, pointer: Pointer | None) -> None:
        assert pointer_of(tag) == pointer


class TestHints:
    @pytest.mark.parametrize(
        ("tag", "author"),
        [
            (("e", ONE, "", "reply", ANN), ANN),
            (("e", ONE, "", ANN), ANN),
            (("e", ONE, "", "", ANN), ANN),
            (("e", ONE, "", ANN, BEN), ANN),
            (("e", ONE, "", "reply", "broken"), None),
            (("e", ONE, "", "reply", ANN.upper()), None),
            (("e", ONE, "", "reply", "", ANN), None),
            (("e", ONE, ANN), None),
            (("e", ONE), None),
        ],
    )
    def test_the_author_hint_is_fifth_after_a_marker_and_else_fourth(
        self, tag: Tag, author: str | None
    ) -> None:
        """NIP-10 has it after the marker, NIP-01 in its place."""
        assert parent_of(tag).author == author

    @pytest.mark.parametrize(
        ("hint", "relays"),
        [
            (RELAY, (RELAY,)),
            ("WSS://One.Example:443/", (RELAY,)),
            ("ws://one.example:7777/path", ("ws://one.example:7777/path",)),
            ("", ()),
            ("one.example", ()),
            ("https://one.example", ()),
            ("wss://user@one.example", ()),
            ("wss://one example", ()),
            ("wss://one.example\n", ()),
            ("wss://" + "x" * 5000, ()),
            ("root", ()),
        ],
        ids=lambda value: value[:16] if isinstance(value, str) else "",
    )
    def test_a_relay_hint_is_normalised_or_dropped(
        self, hint: str, relays: tuple[str, ...]
    ) -> None:
        assert parent_of(("e", ONE, hint, "reply")).relays == relays
        assert parent_of(("a", ADDRESS, hint, "reply")).relays == relays

    def test_the_relay_of_the_authors_p_tag_comes_second(self) -> None:
        tag = ("e", ONE, RELAY, "reply", ANN)
        assert parent_of(tag, ("p", ANN, OTHER_RELAY)).relays == (RELAY, OTHER_RELAY)
        assert parent_of(tag, ("p", ANN, RELAY)).relays == (RELAY,)
        assert parent_of(tag, ("p", BEN, OTHER_RELAY), ("p",), ("p", ANN)).relays == (RELAY,)

    def test_the_hints_of_one_event_are_not_those_of_another(self) -> None:
        """The same tag in two events, and only one of them says where its author is."""
        tag = ("e", ONE, RELAY, "reply", ANN)
        for relays in ((RELAY, OTHER_RELAY), (RELAY,)) * 2:
            hints = [("p", ANN, relay) for relay in relays[1:]]
            assert parent_of(tag, *hints).relays == relays
        assert parent_of(("e", ONE, RELAY, "reply", BEN)).author == BEN
        assert parent_of(("e", ONE, RELAY, "reply")).author is None

    def test_one_author_has_one_hint_however_often_it_is_tagged(self) -> None:
        """A stranger's event must not make a thousand relays worth asking."""
        many = [("p", ANN, f"wss://relay-{number}.example") for number in range(1000)]
        assert parent_of(("e", ONE, RELAY, "reply", ANN), *many).relays == (
            RELAY,
            "wss://relay-0.example",
        )

    def test_long_tags_of_strangers_are_read_and_not_remembered(self) -> None:
        tracemalloc.start()
        try:
            for number in range(1000):
                assert parent_of(("e", f"{number:064x}", RELAY, "reply", "x" * 10_000)).id
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 1_000_000

    def test_hints_are_not_part_of_what_is_named(self) -> None:
        with_hints = parent_of(("e", ONE, RELAY, "reply", ANN))
        assert with_hints.key == parent_of(("e", ONE)).key == ONE


class TestQuotes:
    """NIP-10 and NIP-22: `q` tags cite, they do not answer."""

    @pytest.mark.parametrize("kind", [1, 7, 1111, 30023])
    def test_a_quote_is_an_id_or_an_address_and_answers_nothing(self, kind: int) -> None:
        found = of(("q", ONE, RELAY, ANN), ("q", ADDRESS), ("q", "broken"), ("q",), kind=kind)
        assert found.quotes == (
            Pointer(id=ONE, author=ANN, relays=(RELAY,)),
            Pointer(address=ADDRESS, author=ANN),
        )
        assert found.root is found.parent is None


class TestAddresses:
    @pytest.mark.parametrize(
        ("value", "parsed"),
        [
            (ADDRESS, (30023, ANN, "article")),
            (f"0:{ANN}:", (0, ANN, "")),
            (f"30023:{ANN}:a:b\nc", (30023, ANN, "a:b\nc")),
            (f"65535:{ANN}:", (65535, ANN, "")),
            (f"65536:{ANN}:", None),
            (f"-1:{ANN}:", None),
            (f"\u0663:{ANN}:", None),
            (f"30023:{ANN}", None),
            (f"30023:{ANN.upper()}:d", None),
            (f"30023:{ANN[:-1]}:d", None),
            (f":{ANN}:d", None),
            (ONE, None),
            ("", None),
        ],
    )
    def test_an_address_is_a_kind_a_full_key_and_an_identifier(
        self, value: str, parsed: tuple[int, str, str] | None
    ) -> None:
        assert parse_address(value) == parsed

    @given(make.texts)
    def test_no_text_makes_parse_address_raise(self, text: str) -> None:
        assert parse_address(text) is None
        assert parse_address(f"1:{ANN}:{text}") == (1, ANN, text)


def test_a_pointer_to_nothing_has_an_empty_key() -> None:
    assert Pointer().key == ""
    assert [item.name for item in fields(Pointer)][:3] == ["id", "address", "external"]
