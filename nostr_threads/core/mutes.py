"""What a person does not want to see: authors, threads, hashtags and words (NIP-51, kind 10000).

Knows the public part of a mute list and what it says of an event. Knows nothing of the private
part, which only its author can read, nor of what becomes of a muted event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.content import Hashtag, tokens
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.references import references

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

__all__ = ["IN_MUTED_THREAD", "Mutes", "mutes_of"]

IN_MUTED_THREAD = "its thread is muted"

# Each is looked for in every note of a thread.
_MOST_WORDS = 1000
_LONGEST_WORD = 100
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Mutes:
    """Keys of authors and ids of threads (hex); hashtags without `#` and words, in lower case."""

    authors: frozenset[str] = frozenset()
    threads: frozenset[str] = frozenset()
    hashtags: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def reason(self, event: Event) -> str | None:
        """Say why `event` is muted, or return None. An id mutes what it names and what answers it;
        what only answers its answers is known where the thread is put together.

        A word is muted where it stands as a word, not within another; what is more than one word,
        or is in a script that may not part words (whatever is not ASCII), wherever it stands.
        """
        if event.pubkey in self.authors:
            return "its author is muted"
        if self.threads and self._in_muted_thread(event):
            return IN_MUTED_THREAD
        if self.hashtags and (hashtag := self._muted_hashtag(event)) is not None:
            return f"it has the muted hashtag #{hashtag}"
        if self.words and self._has_muted_word(event.content.lower()):
            return "it has a muted word"
        return None

    def _in_muted_thread(self, event: Event) -> bool:
        refs = references(event)
        keys = {event.id, *(each.key for each in (refs.root, refs.parent) if each is not None)}
        return not self.threads.isdisjoint(keys)

    def _muted_hashtag(self, event: Event) -> str | None:
        names = [name.lower() for name in event.tag_values("t")]
        if "#" in event.content:
            names += [token.name for token in tokens(event) if isinstance(token, Hashtag)]
        return next((name for name in names if name in self.hashtags), None)

    def _has_muted_word(self, text: str) -> bool:
        if not self.words.isdisjoint(_WORD.findall(text)):
            return True
        return any(word in text for word in self.words if not _is_plain(word))


def mutes_of(event: Event) -> Mutes:
    """Read the public part of a mute list (kind 10000); what is no valid entry is passed over."""
    words = [word.lower().strip() for word in event.tag_values("word")]
    fit = dict.fromkeys(word for word in words if 0 < len(word) <= _LONGEST_WORD)
    return Mutes(
        authors=frozenset(filter(HEX_64.fullmatch, event.tag_values("p"))),
        threads=frozenset(filter(HEX_64.fullmatch, event.tag_values("e"))),
        hashtags=frozenset(name.lower() for name in event.tag_values("t") if name),
        # NIP-51: the newest stand at the end.
        words=frozenset(list(fit)[-_MOST_WORDS:]),
    )


def _is_plain(word: str) -> bool:
    return word.isascii() and _WORD.fullmatch(word) is not None
