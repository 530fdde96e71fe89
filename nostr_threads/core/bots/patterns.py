"""Words and regular expressions, looked for in what strangers write.

Knows how long a search may take and what a word is in a script that does not part them. Knows
nothing of what is looked for, nor why.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    import regex

__all__ = ["Found", "Pattern", "has_word", "marks_of", "plain", "unmarked"]

# A search holds up everything else. Nearly all take less than a thousandth of this; one that takes
# longer backtracks, and would do so for years.
_SECONDS = 0.2
# Scripts that write words without spaces: Thai to Myanmar, Khmer, kana and Han, Yi.
_UNPARTED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u3400-\u9fff\ua000-\ua4cf"
    r"\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Whatever Unicode calls Default_Ignorable: nothing is drawn for it.
_UNSEEN = dict.fromkeys(
    char
    for first, last in (
        (0x00AD, 0x00AD),
        (0x034F, 0x034F),
        (0x061C, 0x061C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    )
    for char in range(first, last + 1)
)
_MARKS = ("Mn", "Me")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. `text` is what was found; `gave_up` says that it ran out of time."""

    is_there: bool
    text: str = ""
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression as its author wrote it. Raises `InvalidInput` for one that is none.

    Upper and lower case are the same unless `exact`. `^` and `$` are the ends of a line.
    """

    source: str
    exact: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be read, before anybody waits for it."""
        _compiled(self.source, self.exact)

    def search(self, text: str) -> Found:
        """Look through `text`, for a fifth of a second at most."""
        compiled = _compiled(self.source, self.exact)
        try:
            match = compiled.search(text, timeout=_SECONDS)
        except TimeoutError:
            return Found(is_there=False, gave_up=True)
        return Found(is_there=True, text=match[0]) if match is not None else Found(is_there=False)


def plain(text: str) -> str:
    """Return `text` as it is compared: of one case and width, without what nobody sees."""
    return unicodedata.normalize("NFKC", text.translate(_UNSEEN)).casefold()


def marks_of(text: str) -> frozenset[str]:
    """Return the marks that are drawn onto letters of `text`: accents, vowels, strokes."""
    decomposed = unicodedata.normalize("NFKD", text)
    return frozenset(char for char in decomposed if unicodedata.category(char) in _MARKS)


def unmarked(text: str, but: frozenset[str] = frozenset()) -> str:
    """Return `text` as `plain` does, without the marks on its letters but for those of `but`.

    Whoever strikes a word through, or puts dots on it, can read it all the same.
    """
    marks = dict.fromkeys(map(ord, marks_of(text) - but))
    return plain(unicodedata.normalize("NFKD", text).translate(marks)) if marks else plain(text)


def has_word(text: str, word: str) -> bool:
    """Whether `word`, which may be several words, stands in `text`; both as `plain` makes them.

    It must not be part of a longer word, unless its script writes words without spaces.
    """
    return _word(word).search(text) is not None


@lru_cache(maxsize=1024)
def _word(word: str) -> re.Pattern[str]:
    bare = r"\s+".join(re.escape(each) for each in word.split())
    # Not \w: a line below is no letter, and makes `_word_` stand out (Markdown).
    return re.compile(bare if _UNPARTED.search(word) else rf"(?<![^\W_]){bare}(?![^\W_])")


@lru_cache(maxsize=1024)
def _compiled(source: str, exact: bool) -> regex.Pattern[str]:
    import regex

    flags = regex.MULTILINE | (0 if exact else regex.IGNORECASE)
    try:
        return regex.compile(source, flags)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"not a regular expression: {error}") from None
