"""The piece of a text in which what was looked for stands, and where in it.

Knows how words are found in a text, much as the index finds them. Knows nothing of how a piece is
shown.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.search_terms import words_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.core.search_terms import Term

__all__ = ["Piece", "Snippet", "snippet"]

_SPACE = re.compile(r"\s")
# What stands before the first hit, as a part of the whole.
_BEFORE = 4
# A cut is moved so far to fall between words.
_SEARCHED = 24


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, and whether it is what was looked for."""

    text: str
    is_hit: bool = False


@dataclass(frozen=True, slots=True)
class Snippet:
    """Pieces in their order; `cut_before` and `cut_after` say whether the text goes on there."""

    pieces: tuple[Piece, ...]
    cut_before: bool
    cut_after: bool

    @property
    def text(self) -> str:
        """All pieces together."""
        return "".join(piece.text for piece in self.pieces)


def snippet(text: str, terms: Sequence[Term], most: int) -> Snippet:
    """Return at most `most` characters of a text, where most of the words that are wanted stand.

    Where none does, as in a title, it is the beginning.
    """
    wanted = [term for term in terms if not term.excluded]
    words = [word for term in wanted for word in term.words]
    hits = list(_hits(text, words, [term.words[-1] for term in wanted if term.begins]))
    start = _start(text, hits, most)
    end = _between_words(text, start + most, back=True) if start + most < len(text) else len(text)
    return Snippet(tuple(_pieces(text, hits, start, end)), start > 0, end < len(text))


_Hit = tuple[int, int, str]
"""From where to where, and which word."""


def _hits(text: str, words: Sequence[str], beginnings: Sequence[str]) -> Iterator[_Hit]:
    for start, end, word in words_in(text):
        if word in words:
            yield start, end, word
        elif beginning := next(filter(word.startswith, beginnings), ""):
            yield start, end, beginning


def _start(text: str, hits: Sequence[_Hit], most: int) -> int:
    """Return where the piece begins that has most of the different words."""
    room = most - most // _BEFORE
    best, start, first = 0, 0, 0
    near: Counter[str] = Counter()
    for place, (_, end, word) in enumerate(hits):
        near[word] += 1
        while first < place and hits[first][0] < end - room:
            near[hits[first][2]] -= 1
            first += 1
        different = sum(count > 0 for count in near.values())
        if different > best:
            best, start = different, hits[first][0]
    start = max(0, start - most // _BEFORE)
    return _between_words(text, start, back=False) if start else 0


def _between_words(text: str, place: int, *, back: bool) -> int:
    """Return a place near `place` where a word begins, or ends; that place itself if none is."""
    if back:
        stretch = text[max(0, place - _SEARCHED) : place]
        gaps = [match.start() for match in _SPACE.finditer(stretch)]
        return place - len(stretch) + gaps[-1] if gaps else place
    gap = _SPACE.search(text, place, place + _SEARCHED)
    return gap.end() if gap is not None else place


def _pieces(text: str, hits: Sequence[_Hit], start: int, end: int) -> Iterator[Piece]:
    done = start
    for begin, stop, _ in hits:
        if begin < done or stop > end:
            continue
        if begin > done:
            yield Piece(text[done:begin])
        yield Piece(text[begin:stop], is_hit=True)
        done = stop
    if done < end:
        yield Piece(text[done:end])
