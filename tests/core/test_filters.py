"""`core.filters`: NIP-01 filters from and to the wire, and what they match."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND, Event
from nostr_threads.core.filters import Filter
from nostr_threads.errors import InvalidFilter, InvalidInput
from tests.core import strategies as make

HEX = "1" * 64


def naive_match(wire: dict[str, Any], event: Event) -> bool:
    """NIP-01 read once more, straight off the wire: every condition must hold."""
    fields = json.loads(event.to_json())
    for key, wanted in wire.items():
        if key in ("limit", "search"):
            continue
        if key == "since":
            holds = fields["created_at"] >= wanted
        elif key == "until":
            holds = fields["created_at"] <= wanted
        elif key.startswith("#"):
            values = {tag[1] for tag in fields["tags"] if len(tag) >= 2 and tag[0] == key[1:]}
            holds = bool(values & set(wanted))
        else:
            field = {"ids": "id", "authors": "pubkey", "kinds": "kind"}[key]
            holds = fields[field] in wanted
        if not holds:
            return False
    return True


class TestWire:
    @given(make.filters)
    def test_from_wire_undoes_to_wire(self, wanted: Filter) -> None:
        assert Filter.from_wire(json.loads(json.dumps(wanted.to_wire()))) == wanted

    @given(make.filters)
    def test_conditions_that_are_not_set_are_not_sent(self, wanted: Filter) -> None:
        """Some relays refuse null."""
        assert None not in wanted.to_wire().values()

    @given(make.json_values)
    def test_from_wire_raises_nothing_but_invalid_filter(self, value: Any) -> None:
        try:
            assert isinstance(Filter.from_wire(value), Filter)
        except InvalidFilter as error:
            assert str(error)  # noqa: PT017 - any JSON may also be a filter

    def test_an_empty_object_is_the_filter_without_conditions(self) -> None:
        assert Filter.from_wire({}) == Filter()
        assert Filter().to_wire() == {}

    def test_null_is_no_condition(self) -> None:
        """Not in NIP-01, but common: libraries send unset fields as null."""
        assert Filter.from_wire({"ids": None, "since": None, "#t": None}) == Filter()

    def test_an_empty_list_is_kept_apart_from_no_list(self) -> None:
        empty: dict[str, object] = {"ids": [], "authors": [], "kinds": [], "#t": []}
        assert Filter.from_wire(empty).to_wire() == empty
        assert Filter.from_wire(empty) != Filter()

    @pytest.mark.parametrize(
        "wire",
        [
            {"#t": ["", "Ünicode"]},
            {"#E": ["not hex"]},
            {"#P": ["not hex"]},
            {"#a": [f"30023:{HEX}:d"]},
            {"kinds": [0, MAX_KIND]},
            {"since": 0, "until": MAX_CREATED_AT, "limit": 0},
            {"search": ""},
        ],
        ids=json.dumps,
    )
    def test_what_nip_01_allows_is_taken(self, wire: dict[str, Any]) -> None:
        assert Filter.from_wire(wire).to_wire() == wire

    @pytest.mark.parametrize(
        "value", [None, [], "{}", 1, True, [{}]], ids=lambda value: json.dumps(value)
    )
    def test_only_an_object_is_a_filter(self, value: object) -> None:
        with pytest.raises(InvalidFilter, match="object"):
            Filter.from_wire(value)

    @pytest.mark.parametrize("key", ["ids", "authors", "#e", "#p"])
    @pytest.mark.parametrize(
        "value",
        [
            HEX,
            {HEX: 1},
            1,
            [HEX, 1],
            [HEX, None],
            [[HEX]],
            [HEX[:-1]],
            [HEX + "1"],
            ["A" * 64],
            ["g" * 64],
            [HEX + "\n"],
            [""],
            ["1" * 8],
        ],
        ids=lambda value: json.dumps(value)[:12],
    )
    def test_ids_and_authors_are_lists_of_full_lower_case_hex(self, key: str, value: Any) -> None:
        """NIP-01: exact 64-character lowercase hex values, so no prefixes."""
        with pytest.raises(InvalidFilter, match=key):
            Filter.from_wire({key: value})

    @pytest.mark.parametrize("key", ["#t", "#E", "#d"])
    @pytest.mark.parametrize("value", ["x", {}, 1, True, [1], [None], [["x"]]], ids=json.dumps)
    def test_tag_values_are_lists_of_strings(self, key: str, value: object) -> None:
        with pytest.raises(InvalidFilter, match=key):
            Filter.from_wire({key: value})

    @pytest.mark.parametrize(
        "value",
        [1, "1", {}, True, ["1"], [1.0], [True], [None], [-1], [MAX_KIND + 1], [[1]]],
        ids=json.dumps,
    )
    def test_kinds_are_a_list_of_kind_numbers(self, value: object) -> None:
        with pytest.raises(InvalidFilter, match="kinds"):
            Filter.from_wire({"kinds": value})

    @pytest.mark.parametrize("key", ["since", "until", "limit"])
    @pytest.mark.parametrize(
        "value", [-1, 1.0, 1e400, "1", True, False, [], [1], {}, MAX_CREATED_AT + 1, 2**80]
    )
    def test_since_until_and_limit_are_whole_numbers(self, key: str, value: object) -> None:
        with pytest.raises(InvalidFilter, match=key):
            Filter.from_wire({key: value})

    @pytest.mark.parametrize("value", [1, [], ["x"], {}, True])
    def test_search_is_a_string(self, value: object) -> None:
        with pytest.raises(InvalidFilter, match="search"):
            Filter.from_wire({"search": value})

    @pytest.mark.parametrize("key", ["#", "#ee", "#1", "#é", "#e\n", "e", "tags", "IDS", "&t", ""])
    def test_an_unknown_condition_is_refused_by_name(self, key: str) -> None:
        """Passing over a condition would answer another question than the one asked."""
        with pytest.raises(InvalidFilter) as caught:
            Filter.from_wire({"kinds": [1], key: ["x"]})
        assert repr(key) in str(caught.value)

    def test_a_key_that_no_json_can_have_is_refused_too(self) -> None:
        with pytest.raises(InvalidFilter):
            Filter.from_wire({1: [], "kinds": [1], None: 2})

    def test_an_invalid_filter_is_a_value_error(self) -> None:
        assert issubclass(InvalidFilter, InvalidInput)
        assert issubclass(InvalidFilter, ValueError)


class TestMatches:
    @given(make.near_filters, make.near_events)
    def test_a_filter_matches_what_a_naive_reading_matches(
        self, wanted: Filter, event: Event
    ) -> None:
        matched = wanted.matches(event)
        note(f"matched: {matched}")
        assert matched is naive_match(wanted.to_wire(), event)

    @given(make.events)
    def test_a_filter_made_of_an_event_matches_it(self, event: Event) -> None:
        letters = {tag[0] for tag in event.tags if len(tag) > 1 and len(tag[0]) == 1}
        wanted = Filter(
            ids=(event.id,),
            authors=(event.pubkey,),
            kinds=(event.kind,),
            tags={letter: event.tag_values(letter) for letter in letters},
            since=event.created_at,
            until=event.created_at,
        )
        assert wanted.matches(event)

    @given(make.events)
    def test_a_filter_without_conditions_matches_everything(self, event: Event) -> None:
        assert Filter().matches(event)
        assert Filter(limit=0, search="something else").matches(event)

    @pytest.mark.parametrize(
        "wanted",
        [Filter(ids=()), Filter(authors=()), Filter(kinds=()), Filter(tags={"t": ()})],
        ids=["ids", "authors", "kinds", "tags"],
    )
    @given(event=make.near_events)
    def test_an_empty_list_matches_nothing(self, wanted: Filter, event: Event) -> None:
        """NIP-01: at least one of the array's values must match."""
        assert not wanted.matches(event)

    @pytest.mark.parametrize(
        ("created_at", "inside"), [(99, False), (100, True), (150, True), (200, True), (201, False)]
    )
    def test_since_and_until_are_inclusive(self, created_at: int, inside: bool) -> None:
        event = make.event(created_at=created_at)
        assert Filter(since=100, until=200).matches(event) is inside

    def test_only_the_first_value_of_a_tag_counts(self) -> None:
        """NIP-01: only the first value in any given tag is indexed."""
        event = make.event(tags=(("t", "first", "second"),))
        assert Filter(tags={"t": ("first",)}).matches(event)
        assert not Filter(tags={"t": ("second",)}).matches(event)

    def test_upper_and_lower_case_letters_are_different_tags(self) -> None:
        event = make.event(tags=(("E", HEX),))
        assert Filter(tags={"E": (HEX,)}).matches(event)
        assert not Filter(tags={"e": (HEX,)}).matches(event)

    def test_every_tag_condition_must_be_met_by_some_value(self) -> None:
        event = make.event(tags=(("t", "a"), ("e", HEX)))
        assert Filter(tags={"t": ("b", "a"), "e": (HEX,)}).matches(event)
        assert not Filter(tags={"t": ("b",), "e": (HEX,)}).matches(event)


class TestValue:
    def test_the_tags_of_a_filter_without_conditions_cannot_be_changed(self) -> None:
        """The default is shared by all filters."""
        tags: Any = Filter().tags
        with pytest.raises(TypeError):
            tags["t"] = ("x",)
        assert Filter().tags == {}

    @given(make.filters)
    def test_equal_filters_have_equal_hashes(self, wanted: Filter) -> None:
        again = Filter.from_wire(wanted.to_wire())
        assert (again, hash(again)) == (wanted, hash(wanted))
        assert {wanted: "kept"}[again] == "kept"

    def test_a_filter_shows_its_conditions_alone(self) -> None:
        assert "frozenset" not in repr(Filter(ids=(HEX,)))


def list_values(wanted: Filter) -> list[int]:
    lists = [wanted.ids, wanted.authors, wanted.kinds, *wanted.tags.values()]
    return [len(values) for values in lists if values is not None]


def bytes_of(wanted: Filter) -> int:
    return len(json.dumps(wanted.to_wire(), ensure_ascii=False, separators=(",", ":")).encode())


class TestSplit:
    @given(make.near_filters, make.near_events, st.integers(1, 6), st.integers(1, 400))
    def test_the_pieces_match_what_the_whole_matches(
        self, whole: Filter, event: Event, values: int, size: int
    ) -> None:
        pieces = whole.split(values=values, size=size)
        assert any(piece.matches(event) for piece in pieces) is whole.matches(event)

    @given(make.filters, st.integers(1, 12), st.integers(1, 800))
    def test_every_piece_is_small_enough_or_cannot_be_cut(
        self, whole: Filter, values: int, size: int
    ) -> None:
        for piece in whole.split(values=values, size=size):
            counts = list_values(piece)
            is_small = sum(counts) <= values and bytes_of(piece) <= size
            assert is_small or max(counts, default=0) <= 1
            assert (piece.since, piece.until, piece.limit) == (
                whole.since,
                whole.until,
                whole.limit,
            )

    def test_a_filter_that_fits_is_given_as_it_is(self) -> None:
        whole = Filter(kinds=(1, 2), tags={"e": (HEX,)})
        assert whole.split(values=3, size=bytes_of(whole)) == (whole,)
        assert len(whole.split(values=3, size=bytes_of(whole) - 1)) == 2

    @pytest.mark.parametrize(
        ("answers", "pieces"), [(98, 1), (99, 2), (196, 2), (197, 3), (980, 10), (981, 11)]
    )
    def test_no_more_pieces_are_made_than_are_needed(self, answers: int, pieces: int) -> None:
        whole = Filter(kinds=(1, 1111), tags={"e": tuple(map(str, range(answers)))})
        assert len(whole.split(values=100, size=10**6)) == pieces

    def test_two_long_lists_are_both_cut(self) -> None:
        many = tuple(map(str, range(100)))
        pieces = Filter(tags={"e": many, "p": many}).split(values=110, size=10**6)
        assert [list_values(piece) for piece in pieces] == [[50, 50]] * 4


class TestHalves:
    @given(make.near_filters, make.near_events)
    def test_the_halves_match_what_the_whole_matches(self, whole: Filter, event: Event) -> None:
        if (halves := whole.halves()) is None:
            assert max(list_values(whole), default=0) <= 1
        else:
            assert any(half.matches(event) for half in halves) is whole.matches(event)

    def test_the_longest_list_is_cut(self) -> None:
        whole = Filter(kinds=(1, 2), tags={"e": ("a", "b", "c")}, since=5)
        assert whole.halves() == (
            Filter(kinds=(1, 2), tags={"e": ("a",)}, since=5),
            Filter(kinds=(1, 2), tags={"e": ("b", "c")}, since=5),
        )

    def test_kinds_are_cut_last_among_lists_of_one_length(self) -> None:
        halves = Filter(kinds=(1, 2), authors=("a", "b"), ids=("c", "d")).halves()
        assert halves is not None
        assert [half.authors for half in halves] == [("a",), ("b",)]
