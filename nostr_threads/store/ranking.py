"""A handful of texts in memory, ranked by how well they have the words of a question.

Knows SQLite's full text index and its BM25. Knows nothing of what the texts are, nor of how good is
good enough.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Ranking"]

# Words are found by their stems (in English), whatever their accents.
_TABLE = """
    CREATE VIRTUAL TABLE texts USING fts5(
        text, content = '', tokenize = 'porter unicode61 remove_diacritics 2'
    )
"""
_SCORES = "SELECT rowid, bm25(texts) FROM texts WHERE texts MATCH ?"
_HOLDING = "SELECT rowid FROM texts WHERE texts MATCH ?"


class Ranking:
    """An index of `texts`, which are named by their places in it, from 0.

    Words are letters and digits alone. May be used from any thread, by one at a time.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute(_TABLE)
        # BM25 takes nothing of a word that half of all texts have. Twice as many empty ones keep
        # a word that all share above that: it is worth little, and more than no word.
        padded = (*texts, *("" for _ in range(2 * len(texts) + 1)))
        self._connection.executemany(
            "INSERT INTO texts (rowid, text) VALUES (?, ?)", enumerate(padded)
        )

    def scores(self, words: Sequence[str]) -> Mapping[int, float]:
        """Return BM25 for each text that has any of `words`: above 0, the more the better."""
        if not words:
            return {}
        rows = self._connection.execute(_SCORES, (" OR ".join(map(_quoted, words)),))
        return {place: -score for place, score in rows}

    def holding(self, word: str) -> frozenset[int]:
        """Return the texts that have `word`, in any of the forms that have its stem."""
        rows = self._connection.execute(_HOLDING, (_quoted(word),))
        return frozenset(place for (place,) in rows)

    def __del__(self) -> None:
        self._connection.close()


def _quoted(word: str) -> str:
    if not word.isalnum():
        raise ValueError("a word is letters and digits alone")
    return f'"{word}"'
