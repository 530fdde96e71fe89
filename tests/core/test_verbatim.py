"""Where a text is code."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.splitting.blocks import find_blocks
from nostr_threads.core.verbatim import code_in, prose_in


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a `b` c", ["`b`"]),
        ("a ``b ` c`` d", ["``b ` c``"]),
        ("`a\nb`", ["`a\nb`"]),
        ("`a\n\nb`", []),
        ("a ` b", []),
        ("`a`b`", ["`a`"]),
        ("```py\na\n```\nb", ["```py\na\n```"]),
        ("~~~\n```\n~~~", ["~~~\n```\n~~~"]),
        ("````\n```\n````", ["````\n```\n````"]),
        ("```\na\n``` b", ["```\na\n``` b"]),
        ("- ```\n  a\n  ```\nb", ["```\n  a\n  ```"]),
        ("> ```\n> a\n> ```\nb", ["```\n> a\n> ```"]),
        ("```a``` b", ["```a```"]),
        (
            "```text\n     ```python\n     a\n     ```\n```\nb",
            ["```text\n     ```python\n     a\n     ```\n```"],
        ),
        ("- a\n  ```\n  b\n\nc `d`", ["```\n  b", "`d`"]),
        ("> ```\n> a\n\n`c`", ["```\n> a", "`c`"]),
        ("```\n- ```\n```\nb", ["```\n- ```\n```"]),
        ("- a\n    - ```\n      b\n      ```\n\nc", ["```\n      b\n      ```"]),
        ("a\n\n    b `\n\n    c\n\n`d`", ["b `\n\n    c", "`d`"]),
        ("a\n    b", []),
        ("a\r\n```\r\nb\r\n```\r\n`c`", ["```\r\nb\r\n```", "`c`"]),
    ],
)
def test_fences_and_backticks_hold_code(text: str, codes: list[str]) -> None:
    assert [text[code.start : code.end] for code in code_in(text)] == codes


@given(
    st.lists(
        st.sampled_from(
            [
                "```",
                "~~~~",
                "     ```py",
                "- ",
                "1. a",
                "> ",
                "  ",
                "    ",
                "\t",
                "\n",
                "\r\n",
                "b `",
            ]
        ),
        max_size=16,
    ).map("".join)
)
def test_blocks_of_code_are_those_at_which_a_text_is_cut(text: str) -> None:
    blocks = find_blocks(text)
    fence_ends = [min(fence.end, len(text)) for fence in blocks.fences]
    ends = sorted((*fence_ends, *(block.end for block in blocks.codes)))
    codes = [code for code in code_in(text) if code.is_block]
    assert [code.end for code in codes] == ends
    fences = [text[code.start : code.start + 3] for code in codes]
    assert sum(start in ("```", "~~~") for start in fences) >= len(blocks.fences)


def test_only_a_fence_that_is_never_closed_is_open() -> None:
    assert [code.is_open for code in code_in("`a`\n```\nb\n```\n```\nc")] == [False, False, True]


@given(st.text("`~ab\n\r >-1. ", max_size=60))
def test_code_and_prose_are_the_whole_text(text: str) -> None:
    stretches = [(code.start, code.end) for code in code_in(text)]
    covered = sorted((*stretches, *prose_in(text)))
    assert "".join(text[start:end] for start, end in covered) == text
    assert all(start < end for start, end in covered)


@pytest.mark.parametrize("piece", ["`", "`a", "``\n", "`\n\n", "~~~\n", "> ", "```a`\n", "`a``b"])
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    start = time.process_time()
    code_in(text)
    assert time.process_time() - start < 3
