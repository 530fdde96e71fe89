"""A bot's profile that says so: `bot: true` in its kind 0 (NIP-24), everything else as it was.

Knows when a profile is known well enough to be written anew: a field that was lost is lost for
good.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds
from nostr_threads.core.coverage import Finish
from nostr_threads.core.event import Draft
from nostr_threads.core.filters import Filter
from nostr_threads.core.profile import profile_of
from nostr_threads.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.app.client import Nostr
    from nostr_threads.app.publish import Report
    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.event import Verified

__all__ = ["Looked", "look_up", "mark"]

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of a bot's profile: the newest, if there is any.

    `silent` are the relays that may have a newer one and did not say so.
    """

    profile: Verified | None
    silent: tuple[str, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether the profile, as far as it is found, says that it is a bot's."""
        return self.profile is not None and profile_of(self.profile).bot


async def look_up(nostr: Nostr, bot: str, relays: Sequence[str], *, now: int) -> Looked:
    """Look for the profile of `bot` (hex), here and at relays.

    Asked are those that it is written to, those that have everybody's, and those that the bot
    itself names (NIP-65). Raises `InvalidInput` when there is nowhere to write to.
    """
    wanted = Filter(kinds=(kinds.PROFILE,), authors=(bot,), limit=1)
    index = (relay.url for relay in nostr.config.relays if relay.index)
    places = nostr.whereabouts
    urls = dict.fromkeys((*places.writers(relays), *index, *await places.homes(bot)))
    asked = [nostr.pool.relay(url) for url in urls]
    answers = await asyncio.gather(*(relay.fetch(wanted, seconds=_PATIENCE) for relay in asked))
    stored = await off_loop(nostr.store.query, [wanted], now=now)
    found = [*stored, *(event for answer in answers for event in answer.events)]
    newest = max(found, key=lambda event: (event.created_at, event.id), default=None)
    return Looked(newest, tuple(answer.relay for answer in answers if not _is_whole(answer)))


async def mark(
    nostr: Nostr, looked: Looked, relays: Sequence[str], *, name: str, now: int
) -> Report:
    """Publish the profile that was found with `bot: true`; one that has none yet gets `name`.

    Raises `NotFound` where some relay that may have a newer profile did not say which: what stands
    in that one would be lost.
    """
    if looked.silent:
        raise NotFound(f"{', '.join(looked.silent)} did not say what stands in the bot's profile")
    found = looked.profile
    fields = {"name": name} if found is None else _fields(found)
    content = json.dumps({**fields, "bot": True}, ensure_ascii=False)
    tags = () if found is None else found.tags
    created_at = now if found is None else max(now, found.created_at + 1)
    return await nostr.post([Draft(created_at, kinds.PROFILE, tags, content)], relays)


def _fields(profile: Verified) -> dict[str, object]:
    try:
        fields = json.loads(profile.content)
    except (ValueError, RecursionError):
        raise NotFound("the bot's profile is not readable: write a new one first") from None
    return fields if isinstance(fields, dict) else {}


def _is_whole(answer: Answer) -> bool:
    """Whether a relay gave its newest profile, or surely has none: one is all that was asked."""
    is_limited = answer.finish is Finish.LIMITED and bool(answer.events)
    return is_limited or answer.finish is Finish.COMPLETE
