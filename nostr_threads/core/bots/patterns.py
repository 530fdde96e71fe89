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

__all__ = ["Found", "Pattern", "has_word", "plain"]

# A search holds up everything else. Nearly all take less than a thousandth of this; one that takes
# longer backtracks, and would do so for years.
_SECONDS = 0.2
# Scripts that write words without spaces: Thai to Myanmar, Khmer, kana and Han, Yi.
_UNPARTED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u3400-\u9fff\ua000-\ua4cf"
    r"\uf900-\ufaff\U00020000-\U0003ffff]"
)
_FORMAT = dict.fromkeys((0xAD, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF))


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
    return unicodedata.normalize("NFKC", text.translate(_FORMAT)).casefold()


def has_word(text: str, word: str) -> bool:
    """Whether `word`, which may be several words, stands in `text`; both as `plain` makes them.

    It must not be part of a longer word, unless its script writes words without spaces.
    """
    return _word(word).search(text) is not None


@lru_cache(maxsize=1024)
def _word(word: str) -> re.Pattern[str]:
    bare = r"\s+".join(re.escape(each) for each in word.split())
    return re.compile(bare if _UNPARTED.search(word) else rf"(?<!\w){bare}(?!\w)")


@lru_cache(maxsize=1024)
def _compiled(source: str, exact: bool) -> regex.Pattern[str]:
    import regex

    flags = regex.MULTILINE | (0 if exact else regex.IGNORECASE)
    try:
        return regex.compile(source, flags)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"not a regular expression: {error}") from None
