from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.join import MAX_ADDED, MAX_REMOVED, Part, Seam, join, missing_parts
from nostr_threads.errors import InvalidInput

seams = st.builds(
    Seam, st.integers(0, 5), st.text(" \t\n\r\x0b\x85\u2028\u3000", max_size=MAX_REMOVED)
)
numbers = st.sampled_from(
    ["0", "1", "2", "3", "10000", "10001", "-1", "01", "\uff11", "", "x", "\ud800"]
)
tags = st.lists(st.text() | numbers | st.just("part") | st.just("\n\n"), max_size=9)
part_tags = st.lists(numbers | st.just(" "), max_size=7).map(lambda values: ["part", *values])


def parts(count: int) -> list[Part]:
    return [Part(index, count, f"text {index}") for index in range(1, count + 1)]


@given(seams, seams, st.text(min_size=10), st.integers(1, 10_000))
def test_a_part_survives_its_tag(before: Seam, after: Seam, text: str, index: int) -> None:
    part = Part(index, 10_000, text, before, after)
    assert Part.from_tag(text, part.tag()) == part


@given(st.text(), tags | part_tags)
def test_no_tag_does_worse_than_invalid_input(content: str, tag: list[str]) -> None:
    try:
        part = Part.from_tag(content, tag)
    except InvalidInput:
        return
    assert 1 <= part.index <= part.total <= 10_000
    assert len(part.original) <= len(content) + 2 * MAX_REMOVED


def test_the_common_tag_is_short() -> None:
    part = Part(2, 5, "text (2/5)", after=Seam(6, "\n\n"))
    assert part.tag() == ("part", "2", "5", "6", "\n\n")
    assert part.original == "text\n\n"


def test_both_seams_fit_a_tag() -> None:
    part = Part(2, 5, "```\ncode", Seam(4, ""), Seam(0, ""))
    assert part.tag() == ("part", "2", "5", "0", "", "4")
    assert part.original == "code"


@pytest.mark.parametrize(
    "tag",
    [
        [],
        ["part"],
        ["part", "1"],
        ["other", "1", "1"],
        ["part", "0", "1"],
        ["part", "2", "1"],
        ["part", "1", "10001"],
        ["part", "1", "1", "8"],
        ["part", "1", "1", "4", "", "4"],
        ["part", "1", "1", str(MAX_ADDED + 1)],
        ["part", "1", "1", "0", "hidden"],
        ["part", "1", "1", "0", " " * (MAX_REMOVED + 1)],
        ["part", "1", "1", "0", "", "0", "", ""],
    ],
)
def test_a_malformed_tag_is_refused(tag: list[str]) -> None:
    with pytest.raises(InvalidInput, match="part tag"):
        Part.from_tag("content", tag)


def test_parts_join_in_any_order_and_when_repeated() -> None:
    first, second, third = parts(3)
    assert join([third, first, second, first]) == "text 1text 2text 3"


def test_a_missing_part_is_named() -> None:
    with pytest.raises(InvalidInput, match="part 2, 4 missing"):
        join(parts(4)[::2])


def test_only_the_first_missing_parts_are_named() -> None:
    with pytest.raises(InvalidInput, match=r"10, 11, … missing"):
        join(parts(50)[:1])


def test_two_parts_with_one_index_do_not_join() -> None:
    with pytest.raises(InvalidInput, match="two different parts 1"):
        join([Part(1, 1, "a"), Part(1, 1, "b")])


def test_parts_of_different_totals_do_not_join() -> None:
    with pytest.raises(InvalidInput, match="do not belong together"):
        join([Part(1, 2, "a"), Part(2, 3, "b")])


def test_nothing_does_not_join() -> None:
    with pytest.raises(InvalidInput, match="no parts"):
        join([])


def test_missing_parts_are_the_indices_not_present() -> None:
    assert missing_parts(parts(5)[1::2]) == (1, 3, 5)
    assert missing_parts(parts(5)) == ()
    assert missing_parts([]) == ()
