"""What each fault of a layout costs: the one table by which layouts are compared.

Knows numbers and the reasons for them. Knows nothing of where the faults are.
"""

from __future__ import annotations

from nostr_threads.core.splitting.breaks import Break

__all__ = [
    "BREAK",
    "HEADING_LEFT",
    "INSIDE_CELL",
    "INSIDE_FENCE",
    "INSIDE_ITEM",
    "LEAD_IN_LEFT",
    "MID_SENTENCE",
    "NESTED",
    "PART",
    "STUB",
    "STUB_CHARACTERS",
    "TABLE_HEAD_LEFT",
    "TEXT_ABOVE_LEFT",
    "TORN_BLOCK",
    "TORN_CODE",
]

BREAK: dict[Break, int] = {
    Break.HEADING: 0,
    Break.PARAGRAPH: 20,
    Break.ITEM: 50,
    Break.LINE: 90,
    Break.SENTENCE: 120,
    Break.CLAUSE: 450,
    Break.WORD: 600,
    # Only where nothing else is left; it must not pay to save a part with it.
    Break.GRAPHEME: 1_500,
}
PART = 300
"""Each part: less than a break in the middle of a sentence costs, more than one at its end."""
STUB = 600
"""A last part of no length; falls to nothing at `STUB_CHARACTERS` or a quarter of a part."""
STUB_CHARACTERS = 160
HEADING_LEFT = 2_500
"""A heading at the foot of a part, or torn: worth several parts more."""
LEAD_IN_LEFT = 450
"""A line that ends in a colon, without what it announces: worth a part more, barely."""
TEXT_ABOVE_LEFT = 60
"""A paragraph right above a list, table or code, which often introduces it."""
MID_SENTENCE = 360
"""A line end in the middle of a sentence (hard-wrapped text) is no better than a comma."""
NESTED = 10
"""For each list around the place: the outer lists are broken first."""
INSIDE_ITEM = 40
"""Between the paragraphs of one list item: no better than between items."""
INSIDE_FENCE = 150
"""Each cut of a fence that fits no part (one that does is never cut)."""
TORN_CODE = 60
"""A line end in code that has no blank line beside it."""
TORN_BLOCK = 800
"""A table or indented code that would fit a part: worth two parts more."""
INSIDE_CELL = 400
"""Inside a row of a table."""
TABLE_HEAD_LEFT = 1_500
"""A table's head without a row below it."""
