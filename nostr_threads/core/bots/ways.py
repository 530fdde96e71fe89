"""How a note came to a bot: it names it, answers it, or stands where the bot listens.

Knows what each way means in tags and text, and which filters get all that may have one. Knows
nothing of whether a note is to be answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.content import Hashtag, Person, tokens
from nostr_threads.core.filters import Filter
from nostr_threads.core.references import parse_address, references
from nostr_threads.core.verbatim import code_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.core.content import Token
    from nostr_threads.core.event import Event
    from nostr_threads.core.references import Pointer

__all__ = ["KINDS", "Listening", "Way", "hashtags_of", "needs_parent", "ways"]

KINDS = (kinds.NOTE, kinds.FORUM_THREAD, kinds.COMMENT)
"""What people ask in: notes, forum threads and comments."""


class Way(StrEnum):
    """How a note came to a bot. The first three exclude each other but MENTION and REPLY."""

    MENTION = "mention"
    """Its text names the bot, or it answers nothing and its tags name the bot."""
    REPLY = "reply"
    """It answers a note of the bot's, directly."""
    TAGGED = "tagged"
    """Its tags name the bot, as those of whoever spoke earlier: not a question to it."""
    HASHTAG = "hashtag"
    THREAD = "thread"
    AUTHOR = "author"


_CALLS = frozenset((Way.MENTION, Way.REPLY, Way.TAGGED))


@dataclass(frozen=True, slots=True)
class Listening:
    """What a bot listens to. `ways` are those of MENTION, REPLY and TAGGED that it takes.

    `hashtags` are in lower case and without `#`, `authors` public keys (hex), `threads` the keys of
    their roots: id, or address `kind:pubkey:d`. Only events of `kinds` are heard.
    """

    ways: frozenset[Way] = frozenset((Way.MENTION, Way.REPLY))
    hashtags: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    threads: frozenset[str] = frozenset()
    kinds: tuple[int, ...] = KINDS

    def filters(self, bot: str, since: int | None = None) -> tuple[Filter, ...]:
        """Return the filters (NIP-01) that get whatever may have come to `bot` from `since` on."""
        addresses = frozenset(key for key in self.threads if parse_address(key) is not None)
        wanted: list[tuple[str, Iterable[str]]] = [
            ("p", (bot,) if self.ways & _CALLS else ()),
            ("t", self.hashtags),
            # A note answers by lower case (NIP-10); a comment names its root by upper (NIP-22).
            *((letter, self.threads - addresses) for letter in "eE"),
            *((letter, addresses) for letter in "aA"),
        ]
        made = [
            Filter(kinds=self.kinds, tags={letter: tuple(sorted(values))}, since=since)
            for letter, values in wanted
            if values
        ]
        if self.authors:
            made.append(Filter(authors=tuple(sorted(self.authors)), kinds=self.kinds, since=since))
        return tuple(made)


def ways(
    event: Event, *, bot: str, parent_author: str | None, listening: Listening
) -> frozenset[Way]:
    """Return the ways in which `event` came to `bot` and that are listened to; none: not for it.

    `parent_author` is who wrote what it answers (hex), None while that is not known: see
    `needs_parent`. What the event claims of it is not believed.
    """
    if event.kind not in listening.kinds:
        return frozenset()
    calls = _calls(event, bot, parent_author) & listening.ways
    return frozenset((*calls, *_places(event, listening)))


def needs_parent(event: Event, *, bot: str, listening: Listening) -> bool:
    """Whether what `event` answers must be known to say how it came to `bot`.

    So it is with notes that are tagged and answer an event known by its id only: they may be an
    answer to the bot, or to somebody else in a conversation that the bot is in.
    """
    parent = references(event).parent
    unsure = parent is not None and _owner(parent) is None and bot in event.tag_values("p")
    return unsure and event.kind in listening.kinds and bool(listening.ways & _CALLS)


def hashtags_of(event: Event) -> frozenset[str]:
    """Return the hashtags of an event's tags and text, in lower case (NIP-24)."""
    tagged = (name.lower() for name in event.tag_values("t"))
    written = tokens(event) if "#" in event.content else ()
    return frozenset((*tagged, *(each.name for each in written if isinstance(each, Hashtag))))


def _calls(event: Event, bot: str, parent_author: str | None) -> frozenset[Way]:
    parent = references(event).parent
    found = set[Way]()
    is_tagged = bot in event.tag_values("p")
    if _names(event, bot) or (is_tagged and parent is None):
        found.add(Way.MENTION)
    if parent is not None and bot in (parent_author, _owner(parent)):
        found.add(Way.REPLY)
    if is_tagged and not found:
        found.add(Way.TAGGED)
    return frozenset(found)


def _owner(pointer: Pointer) -> str | None:
    """Who wrote what a pointer points at, where the pointer itself proves it: by an address."""
    parts = parse_address(pointer.address) if pointer.address is not None else None
    return parts[1] if parts is not None else None


def _names(event: Event, bot: str) -> bool:
    """Whether the text names the bot (NIP-27, NIP-08). Code that shows how to name it does not."""
    if "nostr:" not in event.content and "#[" not in event.content:
        return False
    at = [
        start
        for start, token in _placed(tokens(event))
        if isinstance(token, Person) and token.pubkey == bot
    ]
    codes = code_in(event.content) if at else ()
    return any(not any(code.start <= start < code.end for code in codes) for start in at)


def _placed(all_tokens: Iterable[Token]) -> Iterator[tuple[int, Token]]:
    start = 0
    for token in all_tokens:
        yield start, token
        start += len(token.text)


def _places(event: Event, listening: Listening) -> Iterator[Way]:
    if listening.hashtags and not listening.hashtags.isdisjoint(hashtags_of(event)):
        yield Way.HASHTAG
    if listening.threads and not listening.threads.isdisjoint(_above(event)):
        yield Way.THREAD
    if event.pubkey in listening.authors:
        yield Way.AUTHOR


def _above(event: Event) -> Iterator[str]:
    """What an event says it hangs under: the root, and the parent, which may be the root."""
    refs = references(event)
    return (pointer.key for pointer in (refs.root, refs.parent) if pointer is not None)
