# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
"""Where a text may be broken, and how good each place is: before a heading, after a sentence, …

Knows what paragraphs, lines, sentences, clauses and words look like in Western and CJK text. Knows
neither limits nor which stretches must stay whole: see `cuts` and `spans`.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.spans import Fence, Span, Spans

__all__ = ["Break", "Breaks", "find_breaks"]


class Break(IntEnum):
    """How good a place is, best first. Between any two graphemes is worse than all of these."""

    HEADING = 0
    PARAGRAPH = 1
    LINE = 2
    SENTENCE = 3
    CLAUSE = 4
    WORD = 5


Breaks = dict[Break, list[int]]
"""For each class its positions in rising order: what is kept ends there, white space follows."""

_WHITE = re.compile(r"\s+")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x85\u2028]")
_CODE_LINE_END = re.compile(r"\r?\n")

_CLOSERS = "\"'”’»›)]}*_）」』】》〉"
_LAST_WORD = re.compile(r"[^\s(\[\"“‘«*_]*\Z")
_ENUMERATOR = re.compile(r"\w|\d{1,2}|(?:\w\.)+\w")
# fmt: off
_ABBREVIATIONS = frozenset((
    "adm", "al", "apr", "approx", "art", "aug", "bzw", "ca", "capt", "cf", "ch", "cmd", "co",
    "col", "corp", "dec", "dept", "dr", "ed", "eds", "eq", "est", "etc", "evtl", "feb", "fig",
    "figs", "gen", "ggf", "gov", "hon", "inc", "inkl", "jan", "jr", "jun", "jul", "lt", "ltd",
    "max", "messrs", "mid", "min", "misc", "mr", "mrs", "ms", "mt", "mtg", "no", "nos", "nov",
    "nr", "oct", "op", "orig", "p", "pp", "ph.d", "pres", "prof", "resp", "rev", "sec", "sen",
    "sep", "sept", "sgt", "sr", "st", "usw", "vgl", "vol", "vols", "vs",
))
# fmt: on

_KANA_AND_HAN = (
    r"\u3041-\u3096\u30a1-\u30fa\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_CJK_SENTENCE = re.compile(rf"[。！？｡]++[{re.escape(_CLOSERS)}]*+(?=\S)")
_CJK_CLAUSE = re.compile(rf"[，、；：—]++[{re.escape(_CLOSERS)}]*+(?=\S)")
# Japanese begins no line with small kana or a sound mark and ends none with an opening bracket.
_CJK_WORD = re.compile(
    rf"(?<=[{_KANA_AND_HAN}ー々，、；：。！？」』）】》〉])"
    rf"(?![ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ])(?=[{_KANA_AND_HAN}「『（【《〈])"
)


def find_breaks(text: str, marks: bytearray, fences: Spans[Fence], headings: Spans[Span]) -> Breaks:
    """Return every place to break at. Inside a fence only line ends and, worse, spaces count."""
    breaks: Breaks = {rank: [] for rank in Break}
    _add_white(breaks, text, fences, headings)
    _add_code_lines(breaks, text, fences)
    for rank, pattern in (
        (Break.SENTENCE, _CJK_SENTENCE),
        (Break.CLAUSE, _CJK_CLAUSE),
        (Break.WORD, _CJK_WORD),
    ):
        ends = (match.end() for match in pattern.finditer(text))
        breaks[rank] += [end for end in ends if marks[end] and fences.around(end) is None]
    for positions in breaks.values():
        positions.sort()
    return breaks


def _add_white(breaks: Breaks, text: str, fences: Spans[Fence], headings: Spans[Span]) -> None:
    heads = {heading.start for heading in headings}
    for match in _WHITE.finditer(text):
        start, end = match.span()
        if start == 0 or end == len(text):
            continue
        lines = _lines(match[0])
        if (fence := fences.around(start)) is not None:
            if lines == 0 and fence.has_code_at(start):
                breaks[Break.WORD].append(start)
        elif lines and end in heads:
            breaks[Break.HEADING].append(start)
        elif lines > 1 or (lines and _touches(fences, start, end)):
            breaks[Break.PARAGRAPH].append(start)
        else:
            breaks[Break.LINE if lines else _rank_after(text, start, end)].append(start)


def _add_code_lines(breaks: Breaks, text: str, fences: Spans[Fence]) -> None:
    for fence in fences:
        for match in _CODE_LINE_END.finditer(text, fence.body, fence.tail):
            # A fence is not broken right inside its first or last line: that part would be empty.
            if fence.body < match.start() and match.end() < fence.tail:
                breaks[Break.LINE].append(match.start())


def _lines(white: str) -> int:
    """Count line ends. A paragraph separator (U+2029) is worth two."""
    if white == " ":
        return 0
    return len(_LINE_END.findall(white)) + 2 * white.count("\u2029")


def _touches(fences: Spans[Fence], start: int, end: int) -> bool:
    after = fences.around(end + 1)
    return fences.ending_at(start) is not None or (after is not None and after.start == end)


def _rank_after(text: str, start: int, end: int) -> Break:
    """Say what ends where the white space from `start` to `end`, all on one line, begins."""
    before = text[max(0, start - 40) : start]
    bare = before.rstrip(_CLOSERS)
    if not bare:
        return Break.WORD
    if bare[-1] == "." and not _ends_sentence(bare, text[end]):
        return Break.WORD
    if bare[-1] in ".!?…。！？｡":
        return Break.SENTENCE
    clause = bare[-1] in ",;:，、；：" or before[-1] in "—–"
    return Break.CLAUSE if clause else Break.WORD


def _ends_sentence(before: str, after: str) -> bool:
    """Whether the dot that ends `before` ends a sentence, and not 'e.g.', 'Dr.', 'J.' or '3.'."""
    if after.islower():
        return False
    found = _LAST_WORD.search(before.rstrip("."))
    word = found[0] if found else ""
    return not (_ENUMERATOR.fullmatch(word) or word.lower() in _ABBREVIATIONS)
