# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
"""What ends at a space inside a line: a sentence, a clause or a word, in Western and CJK text.

Knows punctuation and abbreviations. Knows nothing of lines, Markdown and limits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core.splitting.breaks import Break
from nostr_threads.core.splitting.punctuation import CLAUSE_MARKS, SENTENCE_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ends_sentence", "find_cjk_breaks", "rank_of_space"]

_LOOK_BACK = 40
_CLAUSE_MARKS = frozenset(CLAUSE_MARKS)
_CLOSERS = "\"'”’»›)]}*_）」』】》〉"
_LAST_WORD = re.compile(r"[^\s(\[\"“‘«*_]*\Z")
_ENUMERATOR = re.compile(r"\w|\d{1,2}|(?:\w\.)+\w")
_DOTS = ".…‥"
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
_CJK = (
    (Break.SENTENCE, re.compile(rf"[。！？｡]++[{re.escape(_CLOSERS)}]*+(?=\S)")),
    (Break.CLAUSE, re.compile(rf"[，、；：—]++[{re.escape(_CLOSERS)}]*+(?=\S)")),
    # No line begins with small kana or a sound mark, and none ends with an opening bracket.
    (
        Break.WORD,
        re.compile(
            rf"(?<=[{_KANA_AND_HAN}ー々，、；：。！？」』）】》〉])"
            rf"(?![ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ])(?=[{_KANA_AND_HAN}「『（【《〈])"
        ),
    ),
)


def find_cjk_breaks(text: str, start: int, end: int) -> Iterator[tuple[int, Break]]:
    """Yield the places between CJK characters in `text[start:end]`, the best kind last."""
    for rank, pattern in reversed(_CJK):
        for match in pattern.finditer(text, start, end):
            yield match.end(), rank


def rank_of_space(text: str, start: int, end: int) -> Break:
    """Say what ends where the white space from `start` to `end`, all on one line, begins."""
    if text[start - 1].isalnum():
        return Break.WORD
    before = text[max(0, start - _LOOK_BACK) : start]
    if ends_sentence(before, text[end : end + 1]):
        return Break.SENTENCE
    clause = before.rstrip(_CLOSERS)[-1:] in _CLAUSE_MARKS or before[-1] in "—–"
    return Break.CLAUSE if clause else Break.WORD


def ends_sentence(before: str, after: str) -> bool:
    """Whether a sentence ends between `before` and `after`, quotes and brackets closed.

    'e.g.', 'Dr.', 'J.' and '3.' end none, nor does what a word in lower case goes on from.
    """
    bare = before.rstrip(_CLOSERS)
    if not bare or bare[-1] not in SENTENCE_MARKS:
        return False
    if bare[-1] not in _DOTS:
        return True
    if after.islower():
        return False
    if bare[-1] != "." or bare.endswith("..."):
        return True
    found = _LAST_WORD.search(bare.rstrip("."))
    word = found[0] if found else ""
    return not (_ENUMERATOR.fullmatch(word) or word.lower() in _ABBREVIATIONS)
