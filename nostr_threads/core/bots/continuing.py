"""How an answer that was cut off is gone on with, so that nobody sees where.

Knows how two pieces of a text meet, and where its last sentence ends. Knows nothing of models.
"""

from __future__ import annotations

import re

from nostr_threads.core.endings import unfinished
from nostr_threads.core.splitting.punctuation import SENTENCE_MARKS
from nostr_threads.core.splitting.sentences import ends_sentence

__all__ = ["gone_on", "joined", "last_words", "resumable", "whole_sentences"]

# Longer than any word of a language that has spaces.
_LONGEST_WORD = 40
_LONGEST_OVERLAP = 2_000
# A preface, as in "Sure, here is the rest:", is no longer than this.
_LONGEST_PREFACE = 200
_PREFACE = re.compile(r"[^\n]*[:\n]\s*[\"\u201c\u2026.]*\s*")
_SHORTEST_ANCHOR = 16
_LAST_WORDS = 8

# In scripts without spaces the mark is enough. What stands above an empty line may be whole, too.
_END = re.compile(
    rf"[{SENTENCE_MARKS}][\"')\]\u201d\u2019\u00bb*_`]*(?=\s)|[\u3002\uff01\uff1f]|\n(?=\s*\n)"
)
_MOST_ENDS = 20
_LOOK_BACK = 40


def resumable(text: str) -> str:
    """Return `text` up to its last word, which may be half of one: to go on with a whole word.

    It ends with what is between two words, where there is any; of a single word nothing is left.
    What has no spaces is not shortened.
    """
    if text != text.rstrip():
        return text
    start = max(0, len(text) - _LONGEST_WORD)
    space = max(map(text.rfind, " \n\t", [start] * 3))
    if space < 0:
        return text if start else ""
    return text[: space + 1]


def last_words(text: str) -> str:
    """Return the words that a continuation is asked to begin with, on one line."""
    return " ".join(text[_start_of_last_words(text) :].split())


def joined(first: str, more: str) -> str:
    """Return `first` gone on with by `more`, what `more` repeats of its end being there once.

    A repetition is one of whole words; white space at the end of `first` need not be repeated. A
    line in `more` before all the `last_words` of `first` is a preface, and is left out. Where
    nothing is repeated nothing is put between the two.
    """
    for before in (first, first.rstrip()):
        if length := _repeated(before, more):
            return before + more[length:]
    bare = first.rstrip()
    anchor = bare[_start_of_last_words(bare) :]
    place = more.find(anchor, 0, _LONGEST_PREFACE + len(anchor))
    is_sure = len(anchor) >= _SHORTEST_ANCHOR and _has_word(anchor)
    if place >= 0 and is_sure and _PREFACE.fullmatch(more, 0, place):
        return bare + more[place + len(anchor) :]
    return first + more


def gone_on(kept: str, more: str) -> str:
    """Return what `resumable` gave, gone on with: what is between two words is there already.

    So is the mark of a list, a quotation or a heading, where the last line has nothing else.
    """
    if not kept[-1:].isspace():
        return joined(kept, more)
    bare = more.lstrip()
    whole = joined(kept, bare)
    mark = kept[kept.rfind("\n") + 1 :].strip()
    is_alone = bool(mark) and not _has_word(mark) and bare.startswith(mark)
    # Words that are repeated say more than a mark that is.
    return kept + bare[len(mark) :].lstrip() if is_alone and whole == kept + bare else whole


def whole_sentences(text: str) -> str | None:
    """Return `text` up to the end of its last sentence; None where less than half would be left."""
    ends = [match.end() for match in _END.finditer(text)]
    for end in reversed(ends[-_MOST_ENDS:]):
        kept = text[:end].rstrip()
        if len(kept) * 2 < len(text):
            return None
        if _ends_whole(kept, text[end:].lstrip()[:1]):
            return kept
    return None


def _start_of_last_words(text: str) -> int:
    tail = text[-_LONGEST_WORD * _LAST_WORDS :]
    starts = [match.start() for match in re.finditer(r"\S+", tail)][-_LAST_WORDS:]
    return len(text) - len(tail) + starts[0] if starts else 0


def _ends_whole(kept: str, after: str) -> bool:
    if not kept or unfinished(kept) is not None:
        return False
    has_mark = any(mark in kept[-4:] for mark in SENTENCE_MARKS)
    return not has_mark or ends_sentence(kept[-_LOOK_BACK:], after)


def _repeated(first: str, more: str) -> int:
    """How much of the beginning of `more` is already there."""
    for length in range(min(len(first), len(more), _LONGEST_OVERLAP), 0, -1):
        if first.endswith(more[:length]) and _is_whole(first, more, length):
            return length
    return 0


def _is_whole(first: str, more: str, length: int) -> bool:
    """Whether what is repeated is no chance: it is long, or begins and ends as a word does."""
    if not _has_word(more[:length]):
        return False
    start = len(first) - length
    begins = start == 0 or not (first[start - 1].isalnum() and first[start].isalnum())
    ends = length == len(more) or not (more[length - 1].isalnum() and more[length].isalnum())
    return length >= _SHORTEST_ANCHOR or (begins and ends)


def _has_word(text: str) -> bool:
    return any(map(str.isalnum, text))
