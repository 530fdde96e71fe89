# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
"""The stretches of a text that a cut should leave whole: fences, headings, links, codes, names.

Knows Markdown and Nostr notation as far as that takes. Knows nothing of limits: whether a stretch
fits a part, and so can be left whole, is for `cuts` to say. Every search is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Fence", "Span", "Spans", "find_atoms", "find_fences", "find_headings"]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` up to, not including, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced code block, from its first fence character to the end of its closing line.

    `body` and `tail` are where the first line of code and the closing line begin. A fence that is
    never closed ends one past the text, so that the text's own end lies inside it.
    """

    start: int
    body: int
    tail: int
    end: int
    opening: str
    mark: str

    def has_code_at(self, position: int) -> bool:
        """Whether a cut at `position` parts the code of this fence."""
        return self.body <= position <= self.tail


class _Ranged(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


_RangedT = TypeVar("_RangedT", bound=_Ranged)


class Spans(Generic[_RangedT]):
    """Stretches that do not overlap, in order, asked by position in logarithmic time."""

    __slots__ = ("_by_end", "_items", "_starts")

    def __init__(self, items: Sequence[_RangedT]) -> None:
        self._items = items
        self._starts = [item.start for item in items]
        self._by_end = {item.end: item for item in items}

    def __iter__(self) -> Iterator[_RangedT]:
        return iter(self._items)

    def around(self, position: int) -> _RangedT | None:
        """Return the stretch that a cut at `position` would tear; its ends do not tear it."""
        index = bisect_left(self._starts, position) - 1
        if index < 0 or position >= self._items[index].end:
            return None
        return self._items[index]

    def ending_at(self, position: int) -> _RangedT | None:
        """Return the stretch whose end is `position`."""
        return self._by_end.get(position)


_FENCE_LINE = re.compile(r"^[ \t]{0,8}(`{3,}+|~{3,}+)([^\r\n]*+)(\r?\n|)", re.MULTILINE)
_HEADING = r"#{1,6}[ \t][^\n]*+(?:\n\s*+|\Z)"
_HEADINGS = re.compile(rf"^[ ]{{0,3}}((?:{_HEADING})++)", re.MULTILINE)

_CODE_INNER = r"[^`\n]|\n(?![ \t\r]*+\n)"
_CODE = (
    rf"(?<!`)`(?!`)(?:{_CODE_INNER}){{1,1000}}+`(?!`)"
    rf"|(?<!`)``(?!`)(?:{_CODE_INNER}|`(?!`)){{1,1000}}+``(?!`)"
)
_LINK = (
    r"!?\[[^\[\]\n]{0,500}+\]"
    r"\([^()\s]{0,2000}+(?:\([^()\s]{0,500}+\)[^()\s]{0,500}+)?(?:[ ]\"[^\"\n]{0,200}+\")?\)"
)
_NOSTR = r"(?<![A-Za-z0-9])(?:nostr:)?(?:npub|nprofile|note|nevent|naddr|nsec)1[0-9a-z]{6,}+"
_URL = (
    r"(?<![A-Za-z0-9+.-])"
    r"(?:[A-Za-z][A-Za-z0-9+.-]{0,20}+://"
    r"|(?i:nostr|web\+nostr|mailto|lightning|bitcoin|magnet|tel|sms|data|geo|xmpp|matrix):"
    r"|(?i:www)\.)"
    r"[^\s<>\"`。，、；！？「」『』（）【】《》]++"
)
_NAME = (
    r"(?<![A-Za-z0-9_.+-])"
    r"(?:[A-Za-z0-9_.+-]{1,64}+@[A-Za-z0-9][A-Za-z0-9.-]{0,252}+|@\w[\w.-]{0,63}+)"
)
_EMOJI = r"(?<![A-Za-z0-9]):[A-Za-z0-9_]{1,64}+:"
_HASHTAG = (
    r"(?<![A-Za-z0-9_&/#])#"
    r"[^\s!-,./:-@\[-^`{-~\u2010-\u205e\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]{1,200}+"
)
_IN_CODE = re.compile(rf"{_NOSTR}|(?P<trim>{_URL})")
_IN_PROSE = re.compile(
    rf"{_CODE}|{_LINK}|{_NOSTR}|(?P<trim>{_URL}|{_NAME})|{_EMOJI}|{_HASHTAG}",
)
_NOT_AT_A_LINKS_END = ".,;:!?…'\"*_~)]}"


def find_fences(text: str) -> Spans[Fence]:
    """Return the fenced code blocks (CommonMark 4.5), indented up to 8 for those in lists."""
    fences: list[Fence] = []
    opened: re.Match[str] | None = None
    for line in _FENCE_LINE.finditer(text):
        if opened is None:
            # CommonMark: a line with a second backtick run is inline code, not an opening line.
            opened = None if line[1][0] == "`" and "`" in line[2] else line
        elif line[1].startswith(opened[1]) and not line[2].strip():
            fences.append(_fence(opened, tail=line.start(), end=line.end(2)))
            opened = None
    if opened is not None:
        fences.append(_fence(opened, tail=len(text), end=len(text) + 1))
    return Spans(fences)


def find_headings(text: str, fences: Spans[Fence]) -> Spans[Span]:
    """Return each heading line (with those right below it) and what must not be cut from it.

    A span reaches one character into what follows, so that no cut leaves a heading behind.
    """
    return Spans(
        [
            Span(match.start(1), match.end(1) + 1)
            for start, end in _prose(text, fences)
            for match in _HEADINGS.finditer(text, start, end)
        ]
    )


def find_atoms(text: str, marks: bytearray, fences: Spans[Fence]) -> Spans[Span]:
    """Return links, codes, hashtags, names, `:emoji:` and inline code, in whole graphemes."""
    found: list[Span] = []
    position = 0
    for fence in fences:
        found += _matches(_IN_PROSE, text, position, fence.start)
        found.append(Span(fence.start, fence.body))
        found += _matches(_IN_CODE, text, fence.body, fence.tail)
        found.append(Span(fence.tail, fence.end))
        position = fence.end
    found += _matches(_IN_PROSE, text, position, len(text))
    return Spans(
        [
            Span(marks.rfind(1, 0, span.start + 1), marks.find(1, min(span.end, len(text))))
            for span in found
            if span.start < span.end and span.start < len(text)
        ]
    )


def _fence(opened: re.Match[str], *, tail: int, end: int) -> Fence:
    opening = opened[1] + opened[2].rstrip()
    return Fence(opened.start(1), opened.end(), tail, end, opening, opened[1])


def _prose(text: str, fences: Spans[Fence]) -> Iterator[tuple[int, int]]:
    position = 0
    for fence in fences:
        yield position, fence.start
        position = fence.end
    yield position, len(text)


def _matches(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[Span]:
    for match in pattern.finditer(text, start, end):
        stop = _link_end(match) if match.lastgroup == "trim" else match.end()
        yield Span(match.start(), stop)


def _link_end(match: re.Match[str]) -> int:
    """Leave out punctuation that ends the sentence, but keep the `)` of `…/Foo_(bar)`."""
    kept = match[0].rstrip(_NOT_AT_A_LINKS_END)
    unclosed = kept.count("(") > kept.count(")")
    closes = unclosed and match[0].startswith(")", len(kept))
    return match.start() + len(kept) + closes
