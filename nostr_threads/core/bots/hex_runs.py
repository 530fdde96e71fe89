"""What may be a key or an id in a text: runs of 64 hex digits.

Knows how they are written. Which of them is a secret only whoever has the keys can tell: a secret
key looks like any id.
"""

from __future__ import annotations

import re
from itertools import islice

from nostr_threads.core.bots.patterns import plain, unmarked

__all__ = ["MOST", "hex_runs"]

MOST = 50
"""How many are looked at: whoever derives a key from each takes its time."""

_RUN = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def hex_runs(text: str, *, most: int = MOST) -> tuple[str, ...]:
    """Return the first `most` runs of exactly 64 hex digits in `text`, lower case, once each.

    They are found whatever is not seen, or drawn onto a digit, between them. Of a text that gives
    `most` of them nobody knows what else it holds.
    """
    spelt = "\n".join(dict.fromkeys((plain(text), unmarked(text))))
    found = dict.fromkeys(match[0] for match in _RUN.finditer(spelt))
    return tuple(islice(found, most))
