"""What a thread is shown with: names, counts, quoted events, the time, the width.

Knows what a reader may want to set. Knows nothing of how anything is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nostr_threads.core.event import Verified
    from nostr_threads.core.tally import Tally

__all__ = ["PLAIN", "Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a thread is shown with; all of it may be left out.

    `names` are by public key, as their owners wrote them: whoever shows one escapes it. `tallies`
    are by node id, `quoted` events by the key (id or address) that names them; `kept` are the keys
    of those that their authors wanted gone. Times are relative to `now` (unix seconds), or else
    absolute in UTC. Lines are wrapped to `width` columns; without it none is. Under one note `fold`
    replies are shown and the rest is counted; without it all are.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    quoted: Mapping[str, Verified] = field(default_factory=dict)
    now: int | None = None
    width: int | None = None
    fold: int | None = None
    kept: Collection[str] = frozenset()


PLAIN = Setting()
"""Short keys, absolute times, no wrapping, no folding."""
