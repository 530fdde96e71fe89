"""How well the entries of an answer bank fit a question, from 0 to 1, and why.

Knows the measure: what share of a known question is asked, and what share of what is asked is
known. Which texts have which words is for an index to say. Knows nothing of files.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Protocol

from nostr_threads.core.bots.patterns import has_word, plain
from nostr_threads.core.bots.stop_words import STOP_WORDS, TOPIC
from nostr_threads.core.search_terms import spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nostr_threads.core.bots.entry import Entry

__all__ = ["Index", "Match", "Matcher", "best", "has_words", "words_of"]

_MOST_WORDS = 100
# In a bank of three, a word that one of them has would seem to be nothing special.
_FEWEST = 10
# Half of a question that is half of the note is most often another question; below 0.5, a question
# within a longer note is lost. See the bank under examples/ and its test.
_STRICTNESS = 0.65
_WORD = re.compile(r"[^\W_]+")
# The words of a link or a code are nobody's question.
_NO_WORDS = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|nostr:|www\.)\S+|#\[\d+\]", re.IGNORECASE)
# NIP-05 is written NIP05, too.
_NUMBERED = re.compile(r"(?<=[a-z])-(?=\d)")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?:s|re|m|ve|ll|d|t)\b", re.IGNORECASE)


class Index(Protocol):
    """Texts, named by their places from 0, and which words they have."""

    def scores(self, words: Sequence[str]) -> Mapping[int, float]:
        """Return how well each text has `words`: above 0, the more the better."""
        ...

    def holding(self, word: str) -> frozenset[int]:
        """Return the texts that have `word`."""
        ...


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that has something of the question: how well it fits (0 to 1), and why."""

    entry: Entry
    score: float
    why: str


class Matcher:
    """Matches questions with the entries of a bank. `make` makes an index of texts."""

    def __init__(self, entries: Sequence[Entry], make: Callable[[Sequence[str]], Index]) -> None:
        self.entries = tuple(entries)
        self._rows = [
            (place, words_of(each))
            for place, entry in enumerate(entries)
            for each in entry.questions
        ]
        self._questions = make([" ".join(words) for _, words in self._rows])
        self._around = make([" ".join(_all_words(entry)) for entry in entries])
        self._whole = [
            self._questions.scores(words).get(row, 0.0) for row, (_, words) in enumerate(self._rows)
        ]

    def matches(self, question: str) -> list[Match]:
        """Return every entry that has something of `question`, the best first."""
        found = {
            place: Match(entry, 1.0, f"has the words {', '.join(entry.words)}")
            for place, entry in enumerate(self.entries)
            if entry.words and has_words(entry, question)
        }
        for place, match in self._fitting(words_of(question)):
            if place not in found or match.score > found[place].score:
                found[place] = match
        return sorted(
            found.values(), key=lambda each: (-each.score, each.entry.difficulty, each.entry.name)
        )

    def _fitting(self, words: Sequence[str]) -> Iterator[tuple[int, Match]]:
        """Yield an entry for each of its questions that has any of `words`."""
        known = self._known(words)
        is_bare = _is_bare(words)
        for row, score in self._questions.scores(words).items():
            place, own = self._rows[row]
            asked = min(1.0, score / self._whole[row])
            # "You too" has a word of "who are you?", and asks nothing.
            if place in known and (not is_bare or (asked >= 1 and _is_bare(own))):
                yield place, _match(self.entries[place], asked, known[place], len(own))

    def _known(self, words: Sequence[str]) -> dict[int, float]:
        """For each entry, how much of what is asked it has, rare words counting more."""
        found: dict[int, float] = {}
        total = 0.0
        for word in words:
            holding = self._around.holding(word)
            weight = self._weight(len(holding))
            total += weight
            for place in holding:
                found[place] = found.get(place, 0.0) + weight
        return {place: weight / total for place, weight in found.items()}

    def _weight(self, holding: int) -> float:
        entries = max(len(self.entries), _FEWEST)
        return log(1 + (entries - holding + 0.5) / (holding + 0.5))


def best(matches: Sequence[Match], threshold: float) -> Match | None:
    """Return the match that is given as the answer, None where none fits well enough."""
    return matches[0] if matches and matches[0].score >= threshold else None


def has_words(entry: Entry, text: str) -> bool:
    """Whether a text has all the words that `entry` asks for, whatever their case."""
    compared = plain(text)
    return all(
        any(has_word(compared, word) for each in words.split("|") if (word := plain(each).strip()))
        for words in entry.words
    )


def words_of(text: str) -> tuple[str, ...]:
    """Return the words that say what a question is about, once each; all if it has no such words.

    The first hundred count.
    """
    found = dict.fromkeys(_words(text))
    telling = [word for word in found if word not in STOP_WORDS]
    special = [word for word in telling if word not in TOPIC]
    return tuple(special or telling or found)[:_MOST_WORDS]


def _match(entry: Entry, asked: float, known: float, length: int) -> Match:
    why = f"asks {asked:.0%} of its question, which is {known:.0%} of the note"
    # "What is a relay?" has one word, and whoever has a question about relays asks all of it.
    share = asked * known if length > 1 else asked * known**2
    return Match(entry, min(1.0, share**_STRICTNESS), why)


def _all_words(entry: Entry) -> Sequence[str]:
    texts = (*entry.questions, entry.title, entry.context, *entry.words)
    return tuple(word for text in texts for word in _words(text))


def _words(text: str) -> list[str]:
    plain = _APOSTROPHE.sub("", _NO_WORDS.sub(" ", text))
    return _WORD.findall(spaced(_NUMBERED.sub("", _folded(plain))))


def _is_bare(words: Sequence[str]) -> bool:
    return all(word in STOP_WORDS for word in words)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", plain(text))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", bare)
