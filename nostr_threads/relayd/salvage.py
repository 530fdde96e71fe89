"""What a message that cannot be taken was about, so that its sender still gets an answer.

Knows how to find the one name in bytes that are too many or not quite a message. Takes nothing on
trust: what comes out is only ever sent back to where it came from.
"""

from __future__ import annotations

import json
import re

from nostr_threads.core.messages import Closed, NegErr, Notice, Ok

__all__ = ["refusal"]

# A quote inside a JSON string is always escaped, so neither pattern can match inside of one.
_PUBLISHED = re.compile(rb'\s*\[\s*"(?:EVENT|AUTH)"\s*,\s*\{')
_ID = re.compile(rb'[{,]\s*"id"\s*:\s*"([0-9a-f]{64})"')
_RECONCILED = re.compile(rb'\s*\[\s*"NEG-(?:OPEN|MSG|CLOSE)"\s*,\s*"([^"\\]{1,64})"')
_ASKED = re.compile(rb'\s*\[\s*"(?:REQ|COUNT)"\s*,\s*"([^"\\]{1,64})"')
_MOST_DECODED = 2**20


def refusal(data: bytes, reason: str) -> Ok | Closed | NegErr | Notice:
    """Say no to the message in `data`: OK, CLOSED or NEG-ERR where the name can be read, else
    NOTICE.
    """
    message = _decoded(data) if len(data) <= _MOST_DECODED else None
    match message:
        case ["EVENT" | "AUTH", {"id": str(event_id)}, *_]:
            return Ok(event_id, False, reason)
        case ["REQ" | "COUNT", str(subscription), *_]:
            return Closed(subscription, reason)
        case ["NEG-OPEN" | "NEG-MSG" | "NEG-CLOSE", str(subscription), *_]:
            return NegErr(subscription, reason)
        case None:
            return _scanned(data, reason)
    return Notice(reason)


def _decoded(data: bytes) -> object:
    try:
        # Python reads more than JSON, which is what is wanted here, but names no UTF-8 can carry.
        value = json.loads(data.decode())
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _scanned(data: bytes, reason: str) -> Ok | Closed | NegErr | Notice:
    """Read the name without reading the rest: for messages too large or broken to decode."""
    if (asked := _ASKED.match(data)) is not None:
        return Closed(asked[1].decode("utf-8", "replace"), reason)
    if (reconciled := _RECONCILED.match(data)) is not None:
        return NegErr(reconciled[1].decode("utf-8", "replace"), reason)
    if _PUBLISHED.match(data) and (found := _ID.search(data)) is not None:
        return Ok(found[1].decode(), False, reason)
    return Notice(reason)
