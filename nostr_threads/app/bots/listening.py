"""What a bot listens to, and where: everything that may concern it comes into the store.

Knows the sources and the relays. How a source is followed without a gap is the mirror's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nostr_threads.core.sources import Source, SourceKind

if TYPE_CHECKING:
    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.client import Nostr
    from nostr_threads.store.bots import RecordedBot

__all__ = ["look_back", "sources"]

# Seconds that are looked back further than must be: clocks differ, and events come late to relays.
_OVERLAP = 3_600


async def sources(nostr: Nostr, file: BotFile, bot: str, *, since: int) -> tuple[Source, ...]:
    """Return what is to be followed for `bot` (hex), from `since` (unix seconds) on.

    At the relays of its file; where there are none, at those of relays.toml and where the bot reads
    (NIP-65).
    """
    relays = file.relays or (*nostr.config.readers, *await nostr.whereabouts.inboxes(bot))
    return tuple(
        Source(
            SourceKind.FILTER,
            json.dumps(wanted.to_wire(), sort_keys=True),
            tuple(dict.fromkeys(relays)),
            since=since,
        )
        for wanted in file.listening.filters(bot)
    )


def look_back(recorded: RecordedBot, now: int, catch_up: int) -> int:
    """Return from when on notes are looked for, in unix seconds.

    As far back as is caught up, as a relay may have been down, and to when the bot last listened:
    what is too old by now is put on record as such. Nothing that came before it began.
    """
    return max(recorded.began_at, min(recorded.heard_at, now - catch_up) - _OVERLAP)
