"""Full text in PostgreSQL, by its `tsvector`.

Knows how texts and searches are cut into words, both by the same rules and not by those of the
server's language. Which events have a text is known in `searching`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar

from nostr_threads.core.search_terms import found_by, parse_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.core.search_terms import Term
    from nostr_threads.store.postgres_connection import PostgresConnection

__all__ = ["Tsvector"]

_WORD = re.compile(r"[^\W_]+")
# PostgreSQL takes words of up to 2,046 bytes, up to a megabyte of them, and counts to 16,383.
_LONGEST_WORD = 500
_MOST_BYTES = 300_000
_LAST_PLACE = 16_383
_MOST_PLACES = 255


class Tsvector:
    """Implements `FullText`. Of a text some 300,000 bytes count, for phrases 16,383 words."""

    condition: ClassVar[str] = (
        "e.event IN (SELECT event FROM texts WHERE words @@ CAST(? AS tsquery))"
    )

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def is_made(self) -> bool:
        """Whether anything was put in."""
        query = "SELECT 1 FROM indexed WHERE upto > 0"
        return self._connection.execute(query).fetchone() is not None

    def make(self) -> None:
        """Do nothing: it is there from the beginning."""

    def add(self, texts: Iterable[tuple[int, str]]) -> None:
        """Put in the texts of events, by their rows."""
        self._connection.executemany(
            "INSERT INTO texts (event, words) VALUES (?, CAST(? AS tsvector))"
            " ON CONFLICT DO NOTHING",
            ((row, _vector(text)) for row, text in texts),
        )

    def remove(self, texts: Iterable[tuple[int, str]]) -> None:
        """Take out texts as they were put in."""
        self._connection.look_up("DELETE FROM texts WHERE event IN (?*)", (row for row, _ in texts))

    @staticmethod
    def expression(search: str) -> str | None:
        """Return a search as a tsquery; None for one that can find nothing."""
        terms = parse_terms(_folded(search))
        if not found_by(terms):
            return None
        wanted = " & ".join(_phrase(term) for term in terms if not term.excluded)
        others = [_phrase(term) for term in terms if term.excluded]
        return f"{wanted} & !({' | '.join(others)})" if others else wanted


def _phrase(term: Term) -> str:
    # Words have letters and digits alone: nothing in them is a quote or an operator.
    words = " <-> ".join(f"'{word[:_LONGEST_WORD]}'" for word in term.words)
    return f"({words}{':*' if term.begins else ''})"


def _vector(text: str) -> str:
    """Return a text as a tsvector: each of its words with the places where it stands."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(_words(text), 1):
        if len(places[word]) < _MOST_PLACES:
            places[word].append(min(place, _LAST_PLACE))
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())


def _words(text: str) -> Iterator[str]:
    left = _MOST_BYTES
    for match in _WORD.finditer(_folded(text)):
        word = match[0][:_LONGEST_WORD]
        left -= len(word.encode())
        if left < 0:
            return
        yield word


def _folded(text: str) -> str:
    """Return a text in lower case and without accents."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    apart = unicodedata.normalize("NFD", lowered)
    plain = "".join(each for each in apart if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", plain)
