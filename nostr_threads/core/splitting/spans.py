# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
"""The stretches of a text that a cut should leave whole: links, codes, hashtags, names.

Knows their notation, in Markdown and on Nostr. Knows nothing of limits: whether a stretch fits a
part, and so can be left whole, is for `cuts` to say. Every search is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Fence", "Span", "find_atoms", "find_links"]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` up to, not including, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced code block, from the first character of its opening line to its closing mark.

    `body` and `tail` are where the first line of code and the closing line begin. A fence that is
    never closed ends one past the text, so that the text's own end lies inside it. `opening` and
    `mark` are what reopens and closes it as deep as it is, `lead` what stands for the indentation
    before `start` where nothing stands above.
    """

    start: int
    body: int
    tail: int
    end: int
    opening: str
    mark: str
    lead: str

    def has_code_at(self, position: int) -> bool:
        """Whether a cut at `position` parts the code of this fence."""
        return self.body <= position <= self.tail


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


def find_atoms(text: str, marks: bytearray, fences: Iterable[Fence]) -> list[Span]:
    """Return links, codes, hashtags, names, `:emoji:` and inline code, in whole graphemes."""
    found: list[Span] = []
    position = 0
    for fence in fences:
        found += _matches(_IN_PROSE, text, position, fence.start)
        found += _matches(_IN_CODE, text, fence.body, fence.tail)
        position = fence.end
    found += _matches(_IN_PROSE, text, position, len(text))
    return _in_whole_graphemes(found, marks)


def find_links(text: str, marks: bytearray, atoms: Iterable[Span]) -> list[Span]:
    """Return the links and Nostr codes that are atoms or inside one, in whole graphemes."""
    found: list[Span] = []
    for atom in atoms:
        found += _matches(_IN_CODE, text, atom.start, atom.end)
    return _in_whole_graphemes(found, marks)


def _in_whole_graphemes(spans: Iterable[Span], marks: bytearray) -> list[Span]:
    return [
        Span(marks.rfind(1, 0, span.start + 1), marks.find(1, span.end))
        for span in spans
        if span.start < span.end
    ]


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
