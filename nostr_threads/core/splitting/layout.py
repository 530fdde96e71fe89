"""The layout of least total cost: which cuts of a text to make.

Knows how to find it exactly, in time that grows with the text alone. Knows nothing of what the
cuts stand for.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.splitting.cuts import Cuts

__all__ = ["cost", "least_cost"]


def cost(cuts: Cuts, layout: Sequence[int]) -> int:
    """Return the total cost of the layout that makes these cuts, the first being number 0."""
    return sum(cuts.costs[number] for number in layout) + cuts.cost_of_last(layout[-1])


def least_cost(cuts: Cuts) -> list[int]:
    """Return the cuts to make, number 0 first, such that all parts fit at the least total cost.

    A cut costs the same wherever its part began. So the best way to it continues the cheapest of
    the cuts from which it can be reached; those wait in a heap until they are out of reach for
    good. Of equal ones the latest is taken: the earlier parts are the fuller.
    """
    came = _ways(cuts)
    layout = [_last_cut(cuts, came)]
    while layout[-1]:
        layout.append(came[0][layout[-1]])
    return layout[::-1]


def _ways(cuts: Cuts) -> tuple[list[int], list[int]]:
    """Return for each cut the one before it on the best way there, and that way's cost.

    A cut that no part can end at (inside white space that every seam takes) has -1 before it.
    """
    begins, ends, costs = cuts.begins, cuts.ends, cuts.costs
    (rooms, byte_rooms), (needs, byte_needs) = cuts.rooms(), cuts.needs()
    least, byte_least = _least_from(needs), _least_from(byte_needs)
    count = len(ends)
    before, best = [0] * count, [0] * count
    # A key holds a way's cost and, below it, how far its cut is from the last one.
    heap: list[int] = []
    waiting = 0
    for number in range(1, count):
        end, need, byte_need = ends[number], needs[number], byte_needs[number]
        while begins[waiting] < end:
            if before[waiting] >= 0:
                heappush(heap, best[waiting] * count + count - 1 - waiting)
            waiting += 1
        aside: list[int] = []
        before[number] = -1
        while heap:
            first = count - 1 - heap[0] % count
            if need <= rooms[first] and byte_need <= byte_rooms[first]:
                before[number], best[number] = first, best[first] + costs[number]
                break
            key = heappop(heap)
            # The lines that close a fence may be out of reach where the text behind it is not.
            if least[number] <= rooms[first] and byte_least[number] <= byte_rooms[first]:
                aside.append(key)
        for key in aside:
            heappush(heap, key)
    return before, best


def _last_cut(cuts: Cuts, ways: tuple[list[int], list[int]]) -> int:
    """Return the last cut of the best layout; without any, there is number 0."""
    before, best = ways
    found, least = -1, 0
    for number in range(len(best) - 1, -1, -1):
        if before[number] < 0 or not cuts.fits(number, len(best)):
            if not cuts.may_reach_end(number):
                break
            continue
        total = best[number] + cuts.cost_of_last(number)
        if found < 0 or total < least:
            found, least = number, total
    if found < 0:
        raise AssertionError("no part reaches the text's end")
    return found


def _least_from(needs: list[int]) -> list[int]:
    """Return for each place the least of all needs from there on."""
    return list(accumulate(reversed(needs), min))[::-1]
