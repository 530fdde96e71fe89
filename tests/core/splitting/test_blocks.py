"""Markdown's blocks, at their places in the text as it is."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.splitting.blocks import find_blocks
from tests.core.test_split import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.splitting.spans import Span


def shown(text: str, spans: Iterable[Span]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_blocks_are_found_whatever_ends_the_lines(line_end: str) -> None:
    lines = [
        *("# One", "", "Two", "===", "", "A \x0c \x00 paragraph", "of two.", "", "- a", "  - b"),
        *(
            "- c",
            "",
            "| x | y |",
            "|---|---|",
            "| 1 | 2 |",
            "",
            "    code",
            "",
            "```py",
            "x",
            "```",
        ),
    ]
    text = line_end.join(lines)
    blocks = find_blocks(text)
    assert shown(text, blocks.headings) == ["# One", f"Two{line_end}==="]
    assert f"A \x0c \x00 paragraph{line_end}of two." in shown(text, blocks.paragraphs)
    assert shown(text, blocks.items) == [f"- a{line_end}  - b", "- b", "- c"]
    assert shown(text, blocks.tables) == [line_end.join(lines[12:15])]
    assert shown(text, blocks.codes) == ["code"]
    (fence,) = blocks.fences
    assert text[fence.start : fence.end] == line_end.join(lines[18:])
    assert text[fence.body : fence.tail].strip() == "x"
    assert (fence.opening, fence.mark) == ("```py", "```")


def test_a_fence_never_closed_ends_past_the_text() -> None:
    text = "Words.\n~~~ js\ncode\n"
    (fence,) = find_blocks(text).fences
    assert (fence.tail, fence.end) == (len(text), len(text) + 1)


def test_a_fence_ends_with_the_list_item_around_it() -> None:
    text = "- ```\n  code\n\nWords."
    (fence,) = find_blocks(text).fences
    assert text[fence.start : fence.end] == "- ```\n  code"
    assert (fence.opening, fence.mark) == ("  ```", "  ```")


@pytest.mark.parametrize(
    ("line", "opening", "mark", "lead"),
    [
        ("   ```", "   ```", "   ```", "   "),
        ("- ```", "  ```", "  ```", ""),
        (" 10. ```", "-    ```", "     ```", " "),
        ("- - - ```", "- -   ```", "      ```", ""),
        ("-\t```", "-   ```", "    ```", ""),
        ("> ```", "> ```", "> ```", ""),
        ("- > ```", "  > ```", "  > ```", ""),
        ("> - - - ```", "> - -   ```", ">       ```", ""),
        ("- a\n  - b\n\n    ```", "-   ```", "    ```", "-   "),
    ],
)
def test_a_fence_is_reopened_and_closed_as_deep_as_it_is(
    line: str, opening: str, mark: str, lead: str
) -> None:
    (fence,) = find_blocks(f"{line}\n").fences
    assert (fence.opening, fence.mark, fence.lead) == (opening, mark, lead)


def test_the_depth_of_a_place_counts_the_items_around_it() -> None:
    text = "- a\n  - b\n  - c\n- d"
    blocks = find_blocks(text)
    ends = [place for place, char in enumerate(text) if char == "\n"]
    assert [blocks.depth(end, next_word(text, end)) for end in ends] == [1, 1, 0]


def next_word(text: str, end: int) -> int:
    return end + len(text[end:]) - len(text[end:].lstrip())


@given(markdown | st.text())
def test_any_text_has_blocks_within_it_and_fences_apart(text: str) -> None:
    blocks = find_blocks(text)
    for span in (*blocks.headings, *blocks.tables, *blocks.items, *blocks.paragraphs):
        assert 0 <= span.start <= span.end <= len(text)
    for fence in blocks.fences:
        assert 0 <= fence.start < fence.body <= fence.tail <= fence.end <= len(text) + 1
    assert all(first.end <= second.start for first, second in pairwise(blocks.fences))


@pytest.mark.parametrize("unit", ["> ", "- ", "1. ", "> - ", "    ", "[", "<!--\n", "<a>\n"])
def test_no_nesting_is_too_deep(unit: str) -> None:
    assert find_blocks(unit * 20_000 + "a") is not None
