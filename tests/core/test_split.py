# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nostr_threads.core.event import Event
from nostr_threads.core.join import MAX_ADDED, PART_TAG_BYTES
from nostr_threads.core.split import Break, Limit, Part, Source, join, split
from nostr_threads.core.splitting.graphemes import grapheme_marks
from nostr_threads.errors import InvalidInput, InvalidText, LimitTooSmall

if TYPE_CHECKING:
    from collections.abc import Sequence

NPUB = "npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"
URL = "https://example.com/a/path_(with)/parts?q=1,2;3&z=é#frag.ment"
FAMILY = "👩🏽‍👩‍👧‍👦"
# What may open a fence, with the indentation that its lines of code have too.
INDENTED = re.compile(r" {1,3}[`~>*+\-0-9]")
FENCE = "```python\ndef f():\n\n    return 1\n```"

PHRASES = [
    *("# Heading\n", "\n\n", "\n", "\r\n", "\r", " ", "  ", "\t", "\x00", "\u2028", "\u2029"),
    *("\u00a0", "\u3000", "- item\n", "1. one\n", "word", "Word", "e.g.", "Dr. Who", ". ", "! "),
    *(
        "?) ",
        ", ",
        "; ",
        ": ",
        " — ",
        "…",
        "3.14",
        "这是句子。",
        "逗号，",
        "「引用」",
        "カタカナー",
    ),
    *(URL, f"nostr:{NPUB}", NPUB, "#hashtag", "me@example.com", ":emoji:", "`code span`"),
    *(FAMILY, "🇩🇪🇫🇷", "1\ufe0f\u20e3", "e\u0301\u0302", "\u0301", "\u200d", "각", "क्षि", "👍🏿"),
    *("[link](https://e.co/x)", FENCE, f"\n{FENCE}\n", "\n```\n", "\n~~~ js\nx\n", "\n  ```\n"),
    *("`", "``", "[", "](", '"', "\\", "\x1f", "\u2060", "\ufeff", " " * 20, "\n" * 40, "x" * 50),
]
WHOLE = [
    *(URL, f"nostr:{NPUB}", NPUB, "#hashtag", "you@example.com", ":an_emoji:", FAMILY),
    *("`code span, here`", "[a link](https://e.co/x,y)", "www.example.com/x;y"),
]
LOOSE = ["see", "and so on.", "这是。", "这个句子"]
BLOCKS = [FENCE, "Some words before it.", "# Heading", "- item\n- item"]
markdown = st.lists(st.sampled_from(PHRASES), min_size=1, max_size=60).map("".join)
texts = st.one_of(st.text(min_size=1), markdown).filter(lambda text: bool(text.strip()))
sizes = st.none() | st.integers(1, 400)
limits = st.builds(lambda c, b: Limit(c, b) if c or b else Limit(80), sizes, sizes)
markers = st.sampled_from(
    [
        *(" ({index}/{total})", "", "\n{index} of {total}", "{index}/{total}"),
        *("({index}/{total}) {text}", "{text}\n\n({index}/{total})", "{index}{text}/{total}"),
        *("🧵{total}{index}{x}", "{index}/{total}:\n{text}"),
    ]
)


def cuts(parts: Sequence[Part]) -> list[int]:
    """Return the positions in the joined text where one part ends and the next begins."""
    ends, position = [], 0
    for part in parts[:-1]:
        position += len(part.original)
        ends.append(position)
    return ends


def bodies(parts: Sequence[Part]) -> list[str]:
    """Return what each part shows of the author's own text."""
    return [part.text[part.before.added : len(part.text) - part.after.added] for part in parts]


def try_split(text: str, limit: Limit, marker: str = " ({index}/{total})") -> list[Part]:
    try:
        return split(text, limit, marker=marker)
    except LimitTooSmall:
        assume(False)
        raise


def shown(text: str, characters: int) -> list[str]:
    """Split without a marker, and show the parts."""
    parts = split(text, Limit(characters), marker="")
    assert join(parts) == text
    return [part.text for part in parts]


@given(texts, limits, markers)
def test_joining_the_parts_gives_back_the_exact_text(text: str, limit: Limit, marker: str) -> None:
    assert join(try_split(text, limit, marker)) == text


@given(texts, limits, markers)
def test_every_part_is_within_every_limit(text: str, limit: Limit, marker: str) -> None:
    for part in try_split(text, limit, marker):
        assert limit.characters is None or part.characters <= limit.characters
        assert limit.bytes is None or part.bytes <= limit.bytes


@given(texts, limits, markers)
def test_no_part_begins_or_ends_in_white_space_but_that_of_a_fence(
    text: str, limit: Limit, marker: str
) -> None:
    for part in try_split(text, limit, marker):
        assert part.text == part.text.rstrip()
        assert not part.text[0].isspace() or (part.before.added and INDENTED.match(part.text))


@given(texts, limits, markers)
def test_no_cut_tears_a_grapheme(text: str, limit: Limit, marker: str) -> None:
    marks = grapheme_marks(text)
    assert all(marks[cut] for cut in cuts(try_split(text, limit, marker)))


@given(texts, limits, markers)
def test_the_published_parts_alone_are_enough_to_join(text: str, limit: Limit, marker: str) -> None:
    parts = try_split(text, limit, marker)
    published = [(part.text, part.tag()) for part in reversed(parts)]
    read = [Part.from_tag(content, tag) for content, tag in published]
    assert read == parts[::-1]
    assert join(read) == text


@given(texts, limits, markers)
def test_a_tag_is_never_larger_than_promised(text: str, limit: Limit, marker: str) -> None:
    for part in try_split(text, limit, marker):
        widest = dataclasses.replace(part, index=10_000, total=10_000)
        event = Event("", "", 0, 1, (widest.tag(),), "", "")
        bare = dataclasses.replace(event, tags=())
        assert len(event.to_json().encode()) - len(bare.to_json().encode()) < PART_TAG_BYTES
        assert max(part.before.added, part.after.added) <= MAX_ADDED


@given(texts, limits)
def test_parts_carry_their_number_and_total(text: str, limit: Limit) -> None:
    parts = try_split(text, limit)
    assert [part.index for part in parts] == list(range(1, len(parts) + 1))
    assert {part.total for part in parts} == {len(parts)}
    for part in parts if len(parts) > 1 else []:
        assert part.text.endswith(f"({part.index}/{part.total})")


@given(st.lists(st.sampled_from([*WHOLE, *LOOSE]), min_size=2), st.integers(85, 200))
def test_what_fits_a_part_is_never_torn(words: list[str], characters: int) -> None:
    text = " ".join(words)
    shown_texts = bodies(try_split(text, Limit(characters)))
    for whole in WHOLE:
        assert sum(body.count(whole) for body in shown_texts) == text.count(whole)


@given(st.lists(st.sampled_from(BLOCKS), min_size=2), st.integers(60, 120))
def test_a_fence_that_fits_a_part_is_never_cut(blocks: list[str], characters: int) -> None:
    parts = try_split("\n\n".join(blocks), Limit(characters))
    assert sum(body.count(FENCE) for body in bodies(parts)) == blocks.count(FENCE)


gaps = st.sampled_from(["\r" * 17, "\n" * 20, "\n" * 40, " " * 34, "\u3000" * 16, "\n\n", " "])
words_and_gaps = st.lists(gaps | st.sampled_from(["a", "word", "```", "](", "- item", FAMILY]))


@given(words_and_gaps.map("".join).filter(str.strip), st.integers(8, 45), st.integers(8, 60))
@example("```" + "\r" * 34 + "0", 10, 10)
def test_long_white_space_under_a_small_limit_is_split_or_refused(
    text: str, characters: int, size: int
) -> None:
    """The seams of one cut may take all the white space in which the next ones are."""
    parts = try_split(text, Limit(characters, size))
    assert join(parts) == text
    assert all(part.characters <= characters and part.bytes <= size for part in parts)


@given(st.text())
def test_parts_measure_bytes_as_an_event_is_written(text: str) -> None:
    """NIP-01 serialisation: the same escapes that make the id."""
    event = Event("", "", 0, 1, (), text, "")
    empty = dataclasses.replace(event, content="")
    written = len(event.to_json().encode()) - len(empty.to_json().encode())
    assert Part(1, 1, text).bytes == written


def test_a_text_that_fits_is_one_part_without_marker_or_need_of_a_tag() -> None:
    (part,) = split("short", Limit(5))
    assert part == Part(1, 1, "short")
    assert not part.needs_tag
    assert part.tag() == ("part", "1", "1")


def test_outer_white_space_of_a_single_part_lives_in_its_tag() -> None:
    (part,) = split("\n  short \n", Limit(20))
    assert part.text == "short"
    assert part.needs_tag
    assert join([Part.from_tag(part.text, part.tag())]) == "\n  short \n"


def test_white_space_longer_than_a_seam_is_content_behind_a_guard() -> None:
    text = " " * 100 + "a" + "\n" * 100
    (part,) = split(text, Limit(300))
    assert part.text[0] == part.text[-1] == "\u2060"
    assert join([part]) == text


def test_a_break_before_a_heading_is_best() -> None:
    text = "The first paragraph.\n\n## Heading\n\nTwo.\n\nThe third one here"
    assert shown(text, 38) == ["The first paragraph.", "## Heading\n\nTwo.\n\nThe third one here"]


def test_a_break_between_paragraphs_beats_one_between_lines() -> None:
    assert shown("one two three\n\nfour five\nsix seven", 25) == [
        "one two three",
        "four five\nsix seven",
    ]


def test_a_break_between_list_items_beats_one_after_a_sentence() -> None:
    assert shown("- one two three\n- four. Five six seven", 26) == [
        "- one two three",
        "- four. Five six seven",
    ]


def test_a_break_after_a_sentence_beats_one_after_a_clause() -> None:
    assert shown("One two three. Four, five six", 22) == ["One two three.", "Four, five six"]


def test_a_break_after_a_clause_beats_one_after_a_word() -> None:
    assert shown("one two three, four five six", 20) == ["one two three,", "four five six"]


def test_a_break_after_a_word_beats_one_inside_it() -> None:
    assert shown("one two three", 10) == ["one two", "three"]


def test_a_word_without_any_break_is_cut_between_graphemes() -> None:
    assert shown("abcdefgh", 3) == ["abc", "def", "gh"]


def test_a_better_break_is_left_if_the_part_would_be_a_stub() -> None:
    assert shown("Hi.\n\nOne two three four five six", 24) == [
        "Hi.\n\nOne two three four",
        "five six",
    ]


@pytest.mark.parametrize(
    "abbreviation", ["e.g.", "Dr.", "J.", "z. B.", "No. 5", "i.e.", "vs.", "3.", "U.S."]
)
def test_an_abbreviation_does_not_end_a_sentence(abbreviation: str) -> None:
    text = f"Some more words to begin with, and {abbreviation} Adam likes it"
    assert shown(text, len(text) - 3)[0] == "Some more words to begin with,"


@pytest.mark.parametrize("end", [".", "!", "?", "…", '."', "?)", ".**", "!”", "3.14."])
def test_a_sentence_may_end_in_quotes_and_brackets(end: str) -> None:
    text = f"Some, many words{end} Adam likes it"
    assert shown(text, len(text) - 3)[0] == f"Some, many words{end}"


def test_cjk_breaks_after_a_sentence_without_a_space() -> None:
    assert shown("这是第一句话。「这是，第二句话。」第三句话", 19) == [
        "这是第一句话。「这是，第二句话。」",
        "第三句话",
    ]


def test_cjk_breaks_after_a_clause_and_then_between_characters() -> None:
    assert shown("一二三四五，六七八九十", 9) == ["一二三四五，", "六七八九十"]
    assert shown("一二三四五六", 4) == ["一二三四", "五六"]


def test_no_japanese_line_begins_with_a_small_kana() -> None:
    assert shown("かきくけっこ", 4) == ["かきく", "けっこ"]


def test_a_heading_is_not_left_behind() -> None:
    text = "Words before the heading go on.\n\n# One\n\n## Two\n\nWords below it."
    assert shown(text, 48) == [
        "Words before the heading go on.",
        "# One\n\n## Two\n\nWords below it.",
    ]


def test_a_heading_with_nothing_but_an_unfitting_block_below_stands_alone() -> None:
    assert shown("# Heading\n\n" + FENCE, len(FENCE)) == ["# Heading", FENCE]


def test_a_number_sign_in_code_is_no_heading() -> None:
    text = "```\n# a comment\nx\n```\n\nWords."
    assert shown(text, 22) == ["```\n# a comment\nx\n```", "Words."]


def test_a_link_moves_whole_to_the_next_part() -> None:
    assert shown(f"see {URL}.", len(URL) + 1) == ["see", f"{URL}."]


def test_a_link_longer_than_a_part_is_cut() -> None:
    assert shown("https://example.com/abcdef", 20) == ["https://example.com/", "abcdef"]


def test_chinese_beside_a_link_is_not_part_of_it() -> None:
    assert shown(f"看{URL}。然后再看", len(URL) + 2) == [f"看{URL}。", "然后再看"]


def test_a_long_fence_is_closed_and_reopened_with_its_language() -> None:
    text = "```python\nfirst = 1\n\n    second\nthird = 3\n```"
    parts = split(text, Limit(42))
    assert [part.text for part in parts] == [
        "```python\nfirst = 1\n```\n(1/2)",
        "```python\n    second\nthird = 3\n```\n(2/2)",
    ]
    assert join(parts) == text


def test_a_reopened_fence_keeps_its_indentation_and_line_ends() -> None:
    text = "```\r\nif x:\r\n    if y:\r\n        long_name()\r\n```\r\nWords."
    parts = split(text, Limit(36))
    assert parts[1].text.startswith("```\n        long_name()")
    assert join(parts) == text


def test_the_marker_stands_below_a_closing_fence() -> None:
    parts = split(f"{FENCE}\n\n{FENCE}", Limit(len(FENCE) + 8))
    assert [part.text for part in parts] == [f"{FENCE}\n(1/2)", f"{FENCE}\n(2/2)"]


def test_a_tilde_fence_is_closed_by_its_own_mark() -> None:
    parts = split("~~~~ js\n" + "```\n" * 30 + "~~~~", Limit(60))
    assert all(part.text.startswith("~~~~ js\n") for part in parts)
    assert all("\n~~~~\n(" in part.text for part in parts)


def test_a_fence_that_is_never_closed_is_closed_in_every_part() -> None:
    parts = split("```\n" + "line of code\n" * 10, Limit(60))
    assert len(parts) > 2
    assert all(part.text.count("```") == 2 for part in parts)


def test_a_fence_whose_own_lines_leave_no_room_is_cut_as_prose() -> None:
    text = "```python\n" + "x = 1\n" * 10 + "```"
    parts = split(text, Limit(20))
    assert join(parts) == text
    assert all(not part.before.added for part in parts)


@pytest.mark.parametrize(("words", "digits"), [(9, 1), (10, 2), (99, 2), (100, 3)])
def test_markers_keep_their_width_in_the_budget(words: int, digits: int) -> None:
    limit = Limit(3 + len(" (/)") + 2 * digits)
    parts = split(" ".join(["abc"] * words), limit)
    assert len(parts) == words
    assert parts[0].text == f"abc (1/{words})"
    assert parts[-1].characters == limit.characters


def test_a_template_replaces_its_two_fields_and_nothing_else() -> None:
    first, *_ = split("abcd " * 20, Limit(50), marker="{0} {index.__class__} {index}/{total}{}")
    assert first.text.endswith("{0} {index.__class__} 1/5{}")


def test_without_a_marker_parts_hold_only_the_text() -> None:
    assert shown("aaaa bbbb", 4) == ["aaaa", "bbbb"]


@pytest.mark.parametrize(
    "marker",
    [
        *("x", "{index}", "{total}", "{index}{total} ", "\ud800{index}{total}"),
        *(
            " {index}/{total}{text}",
            "{text}",
            "{text}{index}{total}{text}",
            "{index}{text} {total} ",
        ),
        "{index}{total}" + "x" * 60,
    ],
)
def test_a_marker_that_cannot_work_is_refused(marker: str) -> None:
    with pytest.raises(InvalidInput, match="marker"):
        split("text", Limit(100), marker=marker)


@pytest.mark.parametrize("text", ["", " \n\t\u2028", "lone \ud800 surrogate"])
def test_a_text_that_cannot_be_published_is_refused(text: str) -> None:
    with pytest.raises(InvalidText):
        split(text, Limit(100))


@pytest.mark.parametrize("given", [(None, None), (0, None), (10, -1), (None, 10, -1)])
def test_a_limit_needs_a_positive_number(given: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput):
        Limit(*given)


def test_a_limit_that_holds_no_grapheme_and_marker_is_refused_with_its_numbers() -> None:
    with pytest.raises(LimitTooSmall, match=r"8 characters, 29 bytes.*' \(9/9\)'.*6 characters"):
        split(f"{FAMILY} and more words", Limit(12))


def test_an_overhead_as_large_as_the_limit_is_refused() -> None:
    with pytest.raises(LimitTooSmall, match="300"):
        split("text", Limit(bytes=300, overhead=300))


def test_an_overhead_counts_against_the_bytes() -> None:
    parts = split("é" * 50, Limit(bytes=130, overhead=100), marker="")
    assert [part.bytes for part in parts] == [30, 30, 30, 10]


def test_more_than_ten_thousand_parts_are_refused() -> None:
    with pytest.raises(LimitTooSmall, match="10000"):
        split("a" * 10_001, Limit(1), marker="")
    assert len(split("a" * 10_000, Limit(1), marker="")) == 10_000


def test_a_source_is_used_again() -> None:
    source = Source("one two three")
    assert split(source.text, Limit(7), marker="", source=source)[0].text == "one two"
    assert split("four five", Limit(7), marker="", source=source)[0].text == "four"


def test_a_part_tells_the_kind_of_break_after_it() -> None:
    text = (
        "Words.\n\n# Title\n\nOne two.\n\n- item one\n- item two.\n\nLine one here\nLine two here"
    )
    parts = split(text, Limit(18), marker="")
    assert [part.text for part in parts] == [
        "Words.",
        "# Title\n\nOne two.",
        "- item one",
        "- item two.",
        "Line one here",
        "Line two here",
    ]
    assert [part.ends for part in parts] == [
        *(Break.HEADING, Break.PARAGRAPH, Break.ITEM, Break.PARAGRAPH, Break.LINE, None)
    ]
    read = [Part.from_tag(part.text, part.tag()) for part in parts]
    assert read == parts
    assert {part.ends for part in read} == {None}


def test_no_stub_is_left_at_the_end() -> None:
    text = "One two three four five six seven. Eight nine ten eleven twelve. So be it."
    assert shown(text, 66) == [
        "One two three four five six seven.",
        "Eight nine ten eleven twelve. So be it.",
    ]


def test_a_lead_in_line_stays_with_its_list() -> None:
    text = "Some words to begin with.\n\nBuy these things:\n\n- apples\n- pears and plums"
    assert shown(text, 60) == [
        "Some words to begin with.",
        "Buy these things:\n\n- apples\n- pears and plums",
    ]


def test_a_table_that_fits_a_part_is_kept_whole() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |"
    text = f"Some words above the table, a whole paragraph.\n\n{table}\n\nWords below."
    assert table in shown(text, 80)[1]


def test_a_long_table_is_cut_between_rows_but_not_below_its_head() -> None:
    table = "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | {n} |" for n in range(9))
    texts = shown(f"Words above.\n\n{table}", 48)
    assert all(part.startswith(("|", "Words")) and part.endswith(("|", ".")) for part in texts)
    assert not any(part.endswith("---|") for part in texts)


def test_a_setext_heading_is_not_left_behind() -> None:
    assert shown("Words that come first here.\n\nTitle\n=====\n\nWords below it.", 44) == [
        "Words that come first here.",
        "Title\n=====\n\nWords below it.",
    ]


def test_outer_list_items_are_parted_rather_than_inner_ones() -> None:
    text = "- one\n  - a\n  - b\n- two\n  - c\n  - d"
    assert shown(text, 24) == ["- one\n  - a\n  - b", "- two\n  - c\n  - d"]


def test_a_hard_wrapped_line_is_not_preferred_to_a_sentence() -> None:
    assert shown("One two three. Four five\nsix seven eight nine ten", 36)[0] == "One two three."


def test_a_fence_in_a_quote_is_reopened_inside_the_quote() -> None:
    text = "> ```js\n" + "> some code\n" * 6 + "> ```"
    parts = split(text, Limit(60))
    assert len(parts) > 1
    assert all(part.text.startswith("> ```js\n> some code") for part in parts)
    assert all("\n> ```\n(" in part.text for part in parts)
    assert join(parts) == text


def test_a_marker_may_lead_or_stand_on_its_own_line() -> None:
    first, *_ = split("aaaa bbbb cccc", Limit(12), marker="({index}/{total}) {text}")
    assert first.text == "(1/3) aaaa"
    first, *_ = split("aaaa bbbb cccc", Limit(12), marker="{text}\n\n({index}/{total})")
    assert first.text == "aaaa\n\n(1/3)"
    first, *_ = split("aaaa bbbb cccc", Limit(12), marker="[{index} {text} {total}]")
    assert first.text == "[1 aaaa 3]"


def test_a_leading_marker_stands_above_a_reopened_fence() -> None:
    parts = split(
        "```py\n" + "line = 1\n" * 9 + "```", Limit(48), marker="({index}/{total}) {text}"
    )
    assert [part.text[:12] for part in parts] == [f"({n}/{len(parts)})\n```py\n" for n in (1, 2, 3)]


def test_a_long_text_splits_and_joins() -> None:
    paragraph = f"# Title\n\nA sentence, e.g. this. {URL} 这是句子。{FAMILY}\n\n{FENCE}\n\n"
    text = paragraph * (300_000 // len(paragraph))
    parts = split(text, Limit(2_000, 4_000))
    assert join(parts) == text
    assert sum(body.count(URL) for body in bodies(parts)) == text.count(URL)
    assert sum(body.count(FENCE) for body in bodies(parts)) == text.count(FENCE)


@pytest.mark.parametrize(
    "unit",
    [
        *("[", "[a](", "`a ", "``", "a@b.", "#", "https://(", "www.", ":a", "a.", "```\n"),
        *("\n# a", "\n \n", " ", "\u0301", "🇩"),
    ],
)
def test_no_notation_makes_splitting_slow(unit: str) -> None:
    """Guarded by the suite's timeout: anything quadratic takes minutes."""
    text = "x" + unit * (200_000 // len(unit))
    try:
        assert join(split(text, Limit(2_000))) == text
    except LimitTooSmall:
        assert unit == "\u0301"


def test_closing_marks_with_nothing_before_them_end_no_sentence() -> None:
    assert shown("*** word", 6) == ["***", "word"]


def rendered_code(text: str) -> list[str]:
    """Return the code of the one block of code in `text`, and check that the marker is outside."""
    tokens = MarkdownIt("commonmark").parse(text)
    (code,) = (token for token in tokens if token.type in ("fence", "code_block"))
    assert code.type == "fence"
    assert (code.info, code.markup) == ("py", "```")
    shown_otherwise = [token.content for token in tokens if token.type == "inline"]
    assert shown_otherwise[-1].endswith(")")
    return code.content.splitlines()


CODE = [line for n in range(15) for line in (f"for n in {n}:", "    work(n)")]


@pytest.mark.parametrize("marker", [" ({index}/{total})", "({index}/{total})\n\n{text}\n\n(end)"])
@pytest.mark.parametrize(
    ("above", "opening", "indent"),
    [
        ("1. Write this:\n\n", "   ", "   "),
        ("- Write this:\n\n", "  ", "  "),
        ("", "- ", "  "),
        ("", " - ", "   "),
        ("", "10. ", "    "),
        ("10. Write this:\n\n", "    ", "    "),
        ("- One\n  - two\n    - three\n\n", "      ", "      "),
        ("- Two:\n  ", "- ", "    "),
        ("", "> ", "> "),
        ("", "> - ", ">   "),
        ("", "- > ", "  > "),
    ],
)
@pytest.mark.parametrize("lead", ["Steps:\n\n", "Words. " * 38 + "\n\n"])
def test_cut_code_renders_as_one_block_of_the_same_lines_in_every_part(
    lead: str, above: str, opening: str, indent: str, marker: str
) -> None:
    code = "".join(f"{indent}{line}\n" for line in CODE)
    text = f"{lead}{above}{opening}```py\n{code}{indent}```\n\nThen run it.\n"
    parts = split(text, Limit(300), marker=marker)
    assert join(parts) == text
    lines: list[str] = []
    for part in parts:
        if "```" in part.text:
            lines += rendered_code(part.text)
    assert lines == CODE


def test_code_that_fits_no_part_is_cut_between_words() -> None:
    code = "`" + "word " * 60 + "`"
    for part in split(code, Limit(150), marker=""):
        assert set(part.text.strip("`").split()) == {"word"}
    stray = "One ` mark. " + "Prose goes on. " * 40 + "One more ` mark."
    assert set(" ".join(shown(stray, 150)).split()) == set(stray.split())


@pytest.mark.parametrize("link", ["https://example.com/" + "p" * 60, f"nostr:{NPUB}"])
def test_a_link_in_code_that_fits_no_part_stays_whole(link: str) -> None:
    spaced = "`curl -X POST " + "-H 'a: b' " * 30 + link + "`"
    dense = "`" + "-H'a:b'" * 50 + f'"{link}"' + "-H'a:b'" * 30 + "`"
    titled = "[" + "word " * 60 + f"]({link})"
    for text in (spaced, dense, titled):
        for characters in range(130, 201, 10):
            assert any(link in part for part in shown(text, characters))


@pytest.mark.parametrize("mark", "؟۔।።։။༎។？")
def test_a_sentence_may_end_in_the_mark_of_any_script(mark: str) -> None:
    assert shown(f"ab cd, ef gh{mark} ij, kl mn", 20)[0] == f"ab cd, ef gh{mark}"


@pytest.mark.parametrize("mark", "،؛՝፣၊")
def test_a_clause_may_end_in_the_mark_of_any_script(mark: str) -> None:
    assert shown(f"ab cd ef{mark} gh ij kl", 16)[0] == f"ab cd ef{mark}"
