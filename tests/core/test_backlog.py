"""Which seconds are asked for next: all of them, once, whatever a relay does."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.backlog import Got, backlog
from nostr_threads.core.coverage import Finish
from nostr_threads.core.windows import Span, Spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOTHING = Spans()
WHOLE = Span(0, 2_000_000_000)

moments = st.lists(st.integers(0, WHOLE.last), max_size=60).map(sorted)
starts = st.builds(
    lambda ends: Spans.of(Span(min(pair), max(pair)) for pair in ends),
    st.lists(st.tuples(st.integers(0, WHOLE.last), st.integers(0, WHOLE.last)), max_size=5),
)


def run(
    answer: Callable[[Span], Got], spans: Spans = NOTHING, whole: Span = WHOLE, overlap: int = 0
) -> tuple[list[Span], Spans, tuple[Finish, str]]:
    """Ask until the end; return what was asked, what was got then, and the ending."""
    walk, asked = backlog(spans, whole, overlap=overlap), list[Span]()
    try:
        span = next(walk)
        while True:
            asked.append(span)
            assert len(asked) < 5_000
            got = answer(span)
            if got.finish is Finish.COMPLETE:
                spans = spans.add(span)
            span = walk.send(got)
    except StopIteration as ended:
        return asked, spans, ended.value


def holding(times: Sequence[int], most: int = 10**9) -> Callable[[Span], Got]:
    """A relay with events of these times, which sends at most so many at once."""

    def answer(span: Span) -> Got:
        found = bisect_right(times, span.last) - bisect_left(times, span.first)
        finish = Finish.COMPLETE if found <= most else Finish.LIMITED
        return Got(min(found, most), finish, "" if found <= most else "too much")

    return answer


@given(moments, starts, st.integers(0, 100_000))
def test_every_second_is_got(times: list[int], before: Spans, overlap: int) -> None:
    asked, spans, ending = run(holding(times), before, overlap=overlap)
    assert ending == (Finish.COMPLETE, "")
    assert spans.covers(WHOLE)
    assert len(asked) <= 20 * (len(before.spans) + 1)


@given(moments)
def test_what_is_too_much_is_asked_for_in_narrower_spans(times: list[int]) -> None:
    distinct = sorted(set(times))
    _, spans, ending = run(holding(distinct, most=5))
    assert (spans.covers(WHOLE), ending) == (True, (Finish.COMPLETE, ""))


def test_a_second_that_has_too_much_is_stepped_over_and_told() -> None:
    times = [1_000_000_000] * 10
    _, spans, ending = run(holding(times, most=5))
    assert ending == (Finish.LIMITED, "too much")
    assert list(spans.gaps(WHOLE)) == [Span(1_000_000_000, 1_000_000_000)]


def test_where_a_relay_always_has_an_excuse_there_is_an_end() -> None:
    asked, spans, ending = run(lambda _: Got(1, Finish.LIMITED, "never mind"))
    assert len(asked) < 200
    assert (spans, ending) == (Spans(), (Finish.LIMITED, "never mind"))


def test_a_dense_source_is_asked_for_in_spans_of_some_thousands() -> None:
    times = range(1_000_000_000, 1_000_200_000)
    most = 0

    def answer(span: Span) -> Got:
        nonlocal most
        got = holding(times)(span)
        most = max(most, got.events)
        return got

    run(answer, whole=Span(0, times[-1]))
    assert most <= 100_000


def test_a_lost_connection_is_tried_again_a_few_times() -> None:
    endings = iter([Finish.LOST, Finish.LOST, Finish.COMPLETE])
    asked, _, ending = run(lambda _: Got(0, next(endings, Finish.COMPLETE)))
    assert asked[0] == asked[1] == asked[2]
    assert ending == (Finish.COMPLETE, "")
    asked, _, ending = run(lambda _: Got(0, Finish.LOST, "it hung up"))
    assert (len(set(asked)), len(asked), ending) == (1, 4, (Finish.LOST, "it hung up"))


def test_only_losses_in_a_row_end_it() -> None:
    answers = iter([Finish.LOST, Finish.LOST, Finish.COMPLETE] * 5)
    _, spans, ending = run(lambda _: Got(0, next(answers, Finish.COMPLETE)))
    assert (spans.covers(WHOLE), ending) == (True, (Finish.COMPLETE, ""))


def test_one_that_is_never_over_in_time_is_left_at_last() -> None:
    asked, _, ending = run(lambda _: Got(5, Finish.TIMEOUT, "slow"))
    assert (len(asked), ending) == (21, (Finish.TIMEOUT, "slow"))


def test_a_relay_that_refuses_or_is_gone_is_asked_no_more() -> None:
    for finish in (Finish.REFUSED, Finish.UNREACHABLE, Finish.TIMEOUT):
        asked, spans, ending = run(lambda _, finish=finish: Got(0, finish, "no"))  # type: ignore[misc]
        assert (len(asked), spans, ending) == (1, Spans(), (finish, "no"))


def test_one_that_is_slow_is_asked_for_less() -> None:
    def slow(span: Span) -> Got:
        wide = span.last - span.first > 3_600
        return Got(5, Finish.TIMEOUT if wide else Finish.COMPLETE, "slow" if wide else "")

    asked, spans, _ = run(slow, whole=Span(0, 20_000))
    assert spans.covers(Span(0, 20_000))
    assert len(asked) < 60
