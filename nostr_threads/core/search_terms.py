"""What somebody looks for (NIP-50): words, phrases in quotes, and what must not be there.

Knows how a search is written. Knows nothing of where it is looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Term", "found_by", "parse_terms", "spaced", "words_in"]

_TERM = re.compile(r'(-?)"([^"]*)"?|(-?)(\S+)')
# NIP-50's extensions, such as `language:en`: one that is not known is passed over. A link is none.
_EXTENSION = re.compile(r"[a-z_]+:[^\s/]\S*")
# Scripts that are written without spaces between words: each character stands for itself.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
_WORD = re.compile(r"[^\W_]+")
_PLACED = re.compile(rf"{_UNSPACED.pattern}|(?:(?!{_UNSPACED.pattern})[^\W_])+")
_MOST_TERMS = 32


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one after the other; one that is `excluded` must not be there.

    With `begins` the last of them is the beginning of a word.
    """

    words: tuple[str, ...]
    excluded: bool = False
    begins: bool = False


def parse_terms(text: str) -> tuple[Term, ...]:
    """Read a search: `words "a phrase" -without begin*`. All of it is wanted at once.

    Case counts for nothing. What has no letter or digit is passed over, and so are NIP-50's
    extensions (`key:value`). No more than 32 terms count.
    """
    found = []
    for match in _TERM.finditer(text):
        minus, quoted, other_minus, bare = match.groups()
        if bare is not None and _EXTENSION.fullmatch(bare):
            continue
        words = quoted if bare is None else bare
        begins = bare is not None and bare.endswith("*")
        if terms := tuple(_WORD.findall(spaced(words).lower())):
            found.append(Term(terms, bool(minus or other_minus), begins))
    return tuple(found[:_MOST_TERMS])


def words_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield from where to where each word of a text stands, and the word in lower case."""
    for match in _PLACED.finditer(text):
        yield match.start(), match.end(), match[0].lower()


def spaced(text: str) -> str:
    """Return a text with spaces around each character of a script that has none between words."""
    return _UNSPACED.sub(r" \g<0> ", text)


def found_by(terms: tuple[Term, ...]) -> bool:
    """Whether a search can find anything: something has to be wanted."""
    return any(not term.excluded for term in terms)
