"""One line of an archive: a signed event as JSON, or a relay's message that brings one.

Knows how a line is read, and what id it claims before it is. Believes neither: that is `verify`'s.
"""

from __future__ import annotations

import re

from nostr_threads.core.event import Event
from nostr_threads.errors import InvalidEvent

__all__ = ["claimed_id", "event_of"]

# `["EVENT",{…}]` as clients send it, `["EVENT","name",{…}]` as relays do (NIP-01).
_MESSAGE = rb'\[\s*"EVENT"\s*,\s*(?:"(?:[^"\\]++|\\.)*+"\s*,\s*)?'
_ENDED = re.compile(rb"\]\s*")
# The id first, as NIP-01 lists the fields; or after content and time: strfry sorts them by name.
_ID = rb'"id":\s?"([0-9a-f]{64})"'
_SORTED = rb'"content":\s?"(?:[^"\\]++|\\.)*+",\s?"created_at":\s?[0-9]{1,16},\s?'

_find_id = re.compile(rb"(?:" + _MESSAGE + rb")?\{(?:" + _SORTED + rb")?" + _ID, re.DOTALL).match
_find_message = re.compile(_MESSAGE + rb"(?=\{)", re.DOTALL).match


def claimed_id(line: bytes) -> str | None:
    """Return the id that stands where the usual writers put it, without decoding the rest.

    None says nothing: another order of the fields is as good. A line may claim any id.
    """
    found = _find_id(line)
    return None if found is None else found[1].decode()


def event_of(line: bytes) -> Event:
    """Decode the event of a line. Raises `InvalidEvent`; neither id nor signature is checked."""
    if line[:1] != b"[":
        return Event.from_json(line)
    opening = _find_message(line)
    if opening is None:
        raise InvalidEvent('an array that is not ["EVENT", …]')
    end = line.rfind(b"}") + 1
    if not _ENDED.fullmatch(line, end):
        raise InvalidEvent('["EVENT", …] does not end after the event')
    return Event.from_json(line[opening.end() : end])
