"""Where two pages of HTML differ, in the words that a reader sees.

Knows which text is drawn. Knows nothing of threads.
"""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import zip_longest
from typing import TYPE_CHECKING

from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["difference"]

_UNSEEN = frozenset(("script", "style", "template"))
# Words before the first that differs, and from it on, and characters of all of them.
_BEFORE, _AFTER = 3, 6
_LONGEST = 100


def difference(page: str, other: str) -> tuple[str, str] | None:
    """Return what each page says where their visible words differ first, on one escaped line.

    None where the words are the same, so that what differs is how they are drawn.
    """
    words, others = _words(page), _words(other)
    pairs = enumerate(zip_longest(words, others))
    first = next((place for place, (mine, its) in pairs if mine != its), None)
    return None if first is None else (_around(words, first), _around(others, first))


def _around(words: Sequence[str], place: int) -> str:
    return one_line(" ".join(words[max(0, place - _BEFORE) : place + _AFTER]), _LONGEST)


def _words(page: str) -> list[str]:
    reading = _Reading()
    reading.feed(page)
    reading.close()
    return " ".join(reading.texts).split()


class _Reading(HTMLParser):
    """What is drawn of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unseen = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag in _UNSEEN and not self._unseen:
            self._unseen = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unseen:
            self._unseen = ""

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)
