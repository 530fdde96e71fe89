"""Events to and from pynostr, for programs that already use it.

Knows pynostr's `Event`. Knows nothing of keys.

Ids: pynostr 0.7 hashes what Python's `json` writes, we what msgspec writes; both agree on every
character, control characters included. Still, pynostr computes the id anew whenever two of its
events are compared or hashed, `from_dict` drops the given id, and its `==` ignores the signature:
compare our `Event`, not theirs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nostr_threads.core.event import Event
from nostr_threads.errors import InvalidEvent

if TYPE_CHECKING:
    from pynostr.event import Event as PynostrEvent

__all__ = ["from_pynostr", "to_pynostr"]


def to_pynostr(event: Event) -> PynostrEvent:
    """Return `event` as pynostr's, id and signature as they are."""
    from pynostr.event import Event as PynostrEvent

    return PynostrEvent(
        content=event.content,
        pubkey=event.pubkey,
        created_at=event.created_at,
        kind=event.kind,
        tags=[list(tag) for tag in event.tags],
        id=event.id,
        sig=event.sig,
    )


def from_pynostr(event: PynostrEvent) -> Event:
    """Return pynostr's `event` as ours, the inverse of `to_pynostr`; it is not verified.

    Raises `InvalidEvent` when a field is missing (as in an unsigned event) or malformed.
    """
    fields = event.to_dict()
    if missing := [name for name, value in fields.items() if value is None]:
        raise InvalidEvent(f"pynostr's event has no {', '.join(missing)}")
    try:
        text = json.dumps(fields)
    except (TypeError, ValueError) as error:
        raise InvalidEvent(f"pynostr's event is not JSON: {error}") from None
    return Event.from_json(text)
