"""Spans of seconds that were got, and the gaps between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.windows import Span, Spans

WHOLE = Span(0, 60)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    first = draw(st.integers(0, 60))
    return Span(first, draw(st.integers(first, 60)))


many = st.lists(spans(), max_size=12)


def seconds(found: list[Span] | tuple[Span, ...]) -> set[int]:
    return {second for span in found for second in range(span.first, span.last + 1)}


@given(many)
def test_the_union_has_the_same_seconds_in_fewest_spans(some: list[Span]) -> None:
    got = Spans.of(some)
    assert seconds(got.spans) == seconds(some)
    assert list(got.spans) == sorted(got.spans)
    for before, after in zip(got.spans, got.spans[1:], strict=False):
        assert before.last + 1 < after.first


@given(many)
def test_the_order_in_which_they_come_does_not_matter(some: list[Span]) -> None:
    one_by_one = Spans()
    for span in some:
        one_by_one = one_by_one.add(span)
    assert one_by_one == Spans.of(some) == Spans.of(reversed(some))


@given(many, spans())
def test_the_gaps_are_what_is_left_newest_first(some: list[Span], whole: Span) -> None:
    got = Spans.of(some)
    gaps = list(got.gaps(whole))
    assert seconds(gaps) == seconds([whole]) - seconds(some)
    assert gaps == sorted(gaps, reverse=True)
    assert got.covers(whole) == (gaps == [])


@given(many, st.integers(0, 20))
def test_an_overlap_reaches_back_into_what_was_got(some: list[Span], overlap: int) -> None:
    got = Spans.of(some)
    plain, wide = list(got.gaps(WHOLE)), list(got.gaps(WHOLE, overlap=overlap))
    assert [gap.last for gap in wide] == [gap.last for gap in plain]
    for gap, wider in zip(plain, wide, strict=True):
        assert gap.first - overlap <= wider.first <= gap.first
        assert overlap == 0 or wider.first < gap.first or gap.first == 0


@given(many)
def test_filling_the_gaps_covers_everything(some: list[Span]) -> None:
    got = Spans.of(some)
    for gap in list(got.gaps(WHOLE, overlap=3)):
        got = got.add(gap)
    assert got.covers(WHOLE)
    assert got == Spans((WHOLE,))


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (4, 3)])
def test_what_is_no_span_is_refused(first: int, last: int) -> None:
    with pytest.raises(ValueError, match="no span"):
        Span(first, last)
