"""What two sides do not share, as far as a relay says (NIP-77).

Knows the result as a value. Knows nothing of how it was found: see `negentropy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nostr_threads.core.coverage import Finish

__all__ = ["Difference"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one relay and we do not share of what a filter matches. Ids are 32 bytes each.

    `have` are ids that only we have, `need` those that only the relay says it has: both are its
    word, and whether it can give what it names shows when it is asked. Unless `finish` is COMPLETE
    there may be more of either; `reason` says why, in the relay's words where it gave any.
    `rounds` counts the relay's messages; `sent` and `received` are bytes on the wire, of the
    messages in hex, without what stands around them.
    """

    relay: str
    finish: Finish
    reason: str = ""
    have: tuple[bytes, ...] = ()
    need: tuple[bytes, ...] = ()
    rounds: int = 0
    sent: int = 0
    received: int = 0
