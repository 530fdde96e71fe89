"""What one relay takes from one client, in the words of NIP-11's `limitation`.

Knows the numbers and the document that tells them. Knows nothing of how they are kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["SUPPORTED_NIPS", "AuthPolicy", "Limits", "information"]

SUPPORTED_NIPS = (1, 9, 11, 40, 42, 45, 50, 67, 70, 77)

AuthPolicy = Literal["off", "offered", "required"]
"""NIP-42: never asked for, asked for and needed only for protected events, needed for all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one connection. Lengths of messages in bytes, of content in characters.

    `max_limit` bounds the events of one answer, whatever its filters add up to;
    `created_at_upper_limit` is how many seconds an event may lie in the future. Not
    NIP-11's are `max_filters`, `max_open_length` (bytes of all REQs that stay open, a longer one is
    answered and closed), `max_search_length` (characters), `max_seconds` (in which the store must
    have an answer), and for NIP-77 `max_reconciliations` at once and `max_reconciled` events in
    each.
    """

    max_message_length: int = 2**20
    max_subscriptions: int = 50
    max_limit: int = 5000
    default_limit: int = 500
    max_subid_length: int = 64
    max_filters: int = 20
    max_event_tags: int = 5000
    max_content_length: int = 2**18
    created_at_upper_limit: int = 900
    min_pow_difficulty: int = 0
    max_open_length: int = 2**17
    max_search_length: int = 500
    max_seconds: int = 5
    max_reconciliations: int = 4
    max_reconciled: int = 500_000

    def __post_init__(self) -> None:
        """Raise ValueError for a limit that could not be kept."""
        if min(asdict(self).values()) < 0:
            raise ValueError("a limit is not negative")

    def asked(self, limit: int | None) -> int:
        """Return how many events a filter with that `limit` may bring."""
        return min(self.default_limit if limit is None else limit, self.max_limit)


def information(
    limits: Limits,
    *,
    name: str,
    description: str,
    auth: AuthPolicy,
    restricted_writes: bool,
    searches: bool,
) -> dict[str, object]:
    """Return the NIP-11 document as a JSON object."""
    limitation = asdict(limits) | {
        "auth_required": auth == "required",
        "payment_required": False,
        "restricted_writes": restricted_writes,
    }
    # Refusing every protected event, as happens without NIP-42, is NIP-70 all the same.
    does = {42: auth != "off", 50: searches}
    nips = [nip for nip in SUPPORTED_NIPS if does.get(nip, True)]
    return {
        "name": name,
        "description": description,
        "supported_nips": nips,
        "limitation": limitation,
    }
