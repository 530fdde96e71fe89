"""The layout found is the one of least cost: held against every other, and against the greedy's."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from nostr_threads.core.join import escaped_bytes
from nostr_threads.core.splitting.cuts import Cuts, NoRoom
from nostr_threads.core.splitting.layout import cost, least_cost
from nostr_threads.core.splitting.marker import Dress, Marker
from nostr_threads.core.splitting.source import Ruler, Source
from tests.core.test_split import FENCE, PHRASES, WHOLE, markdown, markers

LONG_FENCES = [
    "- ```\n" + "  x\n" * 20 + "\nwords\n",
    "```py\n" + "x = 1\n" * 12 + "```\n",
    "~~~\n" + "word " * 12 + "\n\n  y\n~~~\n",
]
pieces = st.sampled_from([*PHRASES, *WHOLE, *LONG_FENCES])
short_texts = st.lists(pieces, min_size=1, max_size=12).map("".join)
texts = (short_texts | markdown | st.text(min_size=1)).filter(lambda text: bool(text.strip()))


def cuts_of(text: str, characters: int, most_bytes: int, marker: str) -> Cuts:
    source = Source(text)
    ruler = Ruler(source, characters, most_bytes)
    for reopen in (True, False):
        try:
            return Cuts(source, ruler, Marker.parse(marker).numbered(99, 99), reopen=reopen)
        except NoRoom:
            continue
    assume(False)
    raise AssertionError


def possible(
    cuts: Cuts, text: str, marker: Marker, limit: tuple[int, int], first: int, last: int
) -> bool:
    """Whether one part holds what is between two cuts: written out, and measured."""
    begin = cuts.begins[first]
    end = cuts.edges.end_after(begin) if last == len(cuts.ends) else cuts.ends[last]
    head = marker.head(cuts.edges.head(cuts.ends[first], begin))
    foot = marker.foot(cuts.edges.foot(end))
    written = head + text[begin:end] + foot
    return begin < end and len(written) <= limit[0] and escaped_bytes(written) <= limit[1]


@given(texts, st.integers(1, 150), st.integers(1, 250), markers)
def test_no_other_layout_costs_less(
    text: str, characters: int, most_bytes: int, template: str
) -> None:
    cuts = cuts_of(text, characters, most_bytes, template)
    count = len(cuts.ends)
    assume(count < 150)
    marker, limit = Marker.parse(template).numbered(99, 99), (characters, most_bytes)
    best: list[int | None] = [0]
    for last in range(1, count):
        ways = [
            so_far + cuts.costs[last]
            for first, so_far in enumerate(best)
            if so_far is not None and possible(cuts, text, marker, limit, first, last)
        ]
        best.append(min(ways, default=None))
    totals = [
        so_far + cuts.cost_of_last(first)
        for first, so_far in enumerate(best)
        if so_far is not None and possible(cuts, text, marker, limit, first, count)
    ]
    layout = least_cost(cuts)
    assert cost(cuts, layout) == min(totals)
    assert all(
        possible(cuts, text, marker, limit, first, last)
        for first, last in zip(layout, [*layout[1:], count], strict=True)
    )


@given(texts, st.integers(1, 150), st.integers(1, 250), markers)
def test_the_total_is_never_above_the_greedys(
    text: str, characters: int, most_bytes: int, template: str
) -> None:
    cuts = cuts_of(text, characters, most_bytes, template)
    count = len(cuts.ends)
    assume(count < 600)
    greedy = [0]
    while not cuts.fits(greedy[-1], count):
        reached = [n for n in range(greedy[-1] + 1, count) if cuts.fits(greedy[-1], n)]
        assume(reached)
        greedy.append(reached[-1])
    assert cost(cuts, least_cost(cuts)) <= cost(cuts, greedy)


def test_a_fence_that_fits_offers_no_cut_inside() -> None:
    text = f"Words.\n\n{FENCE}\n\nWords."
    cuts = cuts_of(text, 60, 200, "")
    start = text.index("```")
    assert not [end for end in cuts.ends if start < end < start + len(FENCE)]


def test_edges_that_ask_for_nothing_get_nothing() -> None:
    marker = Marker()
    assert marker.head(Dress()) == marker.foot(Dress()) == ""
    assert marker.head(Dress(white=True)) == marker.foot(Dress(white=True)) == "\u2060"
