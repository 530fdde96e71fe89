"""What a bot makes of a note as soon as it is stored: asked, skipped, or none of its business.

Knows the order: how it came, which rules fit, which guards object. What each of these means is
known in `core.bots`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.core.bots.cases import Case, Wait
from nostr_threads.core.bots.guards import EARLY, judge
from nostr_threads.core.bots.readable import readable
from nostr_threads.core.bots.ways import Way, needs_parent, ways
from nostr_threads.core.bots.when import Heard, Match, choose
from nostr_threads.store.bots import Taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.core.bots.when import Choice
    from nostr_threads.core.event import Event

__all__ = ["Hearing", "chosen", "ways_of"]

# Somebody speaks to the bot: that it says nothing is put on record even where no rule fits.
_CALLS = frozenset((Way.MENTION, Way.REPLY))


class Hearing:
    """Takes notes for the bot of `file`, whose key is `bot` (hex). `clock` gives unix seconds."""

    def __init__(self, file: BotFile, bot: str, clock: Callable[[], int]) -> None:
        self._file = file
        self._bot = bot
        self._clock = clock

    def __call__(self, event: Event, parent: Event | None) -> list[Taken]:
        """Return what becomes of `event`, which answers `parent` where that is stored."""
        if event.pubkey == self._bot:
            return []
        came = self._ways(event, parent)
        choice = chosen(self._file, self._bot, event, came) if came else None
        if choice is None or not (choice.rules or came & _CALLS):
            return []
        now = self._clock()
        limits = self._file.limits
        verdict = judge(Case(event, self._bot, now, now, came), limits, EARLY)
        if verdict is not None and not isinstance(verdict, Wait):
            return [Taken("", verdict.guard, verdict.why)]
        if not choice.rules:
            return [Taken("", "rules", "no rule fits")]
        if self._file.match is Match.ALL:
            return [Taken(rule.name) for rule in choice.rules]
        return [Taken()]

    def _ways(self, event: Event, parent: Event | None) -> frozenset[Way]:
        listening = self._file.listening
        found = ways_of(self._file, self._bot, event, parent)
        if parent is None and needs_parent(event, bot=self._bot, listening=listening):
            # It may be an answer to the bot: found out before it is answered.
            found |= {Way.REPLY} & listening.ways
        return found


def ways_of(file: BotFile, bot: str, event: Event, parent: Event | None) -> frozenset[Way]:
    """Return how `event` came to `bot`, as far as its file listens to that."""
    author = None if parent is None else parent.pubkey
    return ways(event, bot=bot, parent_author=author, listening=file.listening)


def chosen(file: BotFile, bot: str, event: Event, came: frozenset[Way]) -> Choice:
    """Return which rules of the file fit `event`, all of them, whatever the file says of that."""
    return choose(file.rules, Heard.of(event, readable(event, bot=bot), came), Match.ALL)
