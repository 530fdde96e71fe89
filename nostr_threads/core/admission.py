"""What a relay takes of us: how long, how many tags, how much work, from when, from whom.

Knows NIP-11's `limitation` as far as it is about publishing, and distrusts it. What may be asked of
a relay is for `limits` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.core.pow import MAX_BITS, MOST_ASKED, difficulty

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Event
    from nostr_threads.core.split import Limit

__all__ = ["Admission", "admission", "refusal", "strictest", "too_strict"]

# `["EVENT",` and `]`.
_AROUND_AN_EVENT = 10
# Shorter parts are no answer any more, and smaller events have no room for the tags of a comment,
# which are nine when it is a part, was mined, and calls nobody but whom it answers.
_LEAST_CHARACTERS = 140
_LEAST_BYTES = 1_024
_LEAST_TAGS = 9
# A relay that takes nothing older would refuse whatever was signed before it was sent.
_LEAST_PAST = 60


@dataclass(frozen=True, slots=True)
class Admission:
    """What one relay takes, or several do together; None and 0 for what nobody said.

    `characters` is of an event's content, `message_bytes` of the whole message around it, `tags`
    of one event; `past` and `future` are how many seconds `created_at` may differ from now.
    """

    characters: int | None = None
    message_bytes: int | None = None
    tags: int | None = None
    pow_bits: int = 0
    past: int | None = None
    future: int | None = None
    auth_required: bool = False
    payment_required: bool = False
    restricted_writes: bool = False

    @property
    def event_bytes(self) -> int | None:
        """The most bytes of one event's JSON, 1 where no event could ever fit."""
        return self.message_bytes and max(1, self.message_bytes - _AROUND_AN_EVENT)

    def limit(self, wanted: Limit | None = None) -> Limit | None:
        """Return what a part may take here that also obeys `wanted`; None: there is no limit.

        `Limit.bytes` are those of the whole signed event.
        """
        characters = _least(self.characters, wanted.characters if wanted else None)
        size = _least(self.event_bytes, wanted.bytes if wanted else None)
        if characters is None and size is None:
            return None
        if wanted is None:
            # Only here: documents are read for questions too, where nothing is split.
            from nostr_threads.core.split import Limit

            return Limit(characters=characters, bytes=size)
        return replace(wanted, characters=characters, bytes=size)

    def window(self, now: int) -> tuple[int, int]:
        """Return the first and the last `created_at` taken at `now`; all in unix seconds."""
        first = 0 if self.past is None else max(0, now - self.past)
        last = MAX_CREATED_AT if self.future is None else min(MAX_CREATED_AT, now + self.future)
        return first, last


def admission(document: Mapping[str, object]) -> Admission:
    """Read what a relay's document (NIP-11) says of publishing. Never raises.

    A number counts from 1 to 2**53 - 1, work up to 256 bits, and a past of 60 seconds or more;
    anything else is as good as not said. Zero is how relays spell "no limit".
    """
    said = document.get("limitation")
    if not isinstance(said, Mapping):
        return Admission()
    return Admission(
        characters=_number(said.get("max_content_length")),
        message_bytes=_number(said.get("max_message_length")),
        tags=_number(said.get("max_event_tags")),
        pow_bits=_number(said.get("min_pow_difficulty"), most=MAX_BITS) or 0,
        past=_number(said.get("created_at_lower_limit"), least=_LEAST_PAST),
        future=_number(said.get("created_at_upper_limit")),
        auth_required=said.get("auth_required") is True,
        payment_required=said.get("payment_required") is True,
        restricted_writes=said.get("restricted_writes") is True,
    )


def strictest(admissions: Iterable[Admission]) -> Admission:
    """Return what every one of them takes: an event within it is too long or too old for none."""
    each = tuple(admissions)
    return Admission(
        characters=_least(*(one.characters for one in each)),
        message_bytes=_least(*(one.message_bytes for one in each)),
        tags=_least(*(one.tags for one in each)),
        pow_bits=max((one.pow_bits for one in each), default=0),
        past=_least(*(one.past for one in each)),
        future=_least(*(one.future for one in each)),
        auth_required=any(one.auth_required for one in each),
        payment_required=any(one.payment_required for one in each),
        restricted_writes=any(one.restricted_writes for one in each),
    )


def too_strict(
    admissions: Mapping[str, Admission],
    *,
    characters: int | None = None,
    most_pow_bits: int = MOST_ASKED,
) -> dict[str, str]:
    """Return the relays, by URL, for which nobody should cut or work, each with its reason.

    A relay is left out that takes less than 140 characters (or than the text has, if `characters`
    says that it is shorter), messages of less than 1,024 bytes or events of less than 9 tags, and
    one that wants more work than `most_pow_bits`. The others are not to suffer for it.
    """
    least = min(_LEAST_CHARACTERS, characters or _LEAST_CHARACTERS)
    found = {url: _excess(one, least, most_pow_bits) for url, one in admissions.items()}
    return {url: reason for url, reason in found.items() if reason}


def refusal(said: Admission, event: Event, *, now: int) -> str:
    """Return why a relay would refuse `event` at `now` (unix seconds), in words; "" if not.

    Who may write there is not looked at: a relay knows its members, a document does not.
    """
    first, last = said.window(now)
    length, size = len(event.content), len(event.to_json().encode())
    if _exceeds(length, said.characters):
        return f"it takes {said.characters} characters at most, and this part has {length}"
    if _exceeds(size, said.event_bytes):
        return f"it takes events of {said.event_bytes} bytes at most, and this one has {size}"
    if _exceeds(len(event.tags), said.tags):
        return f"it takes {said.tags} tags at most, and this part has {len(event.tags)}"
    if difficulty(event.id) < said.pow_bits:
        return f"it wants {said.pow_bits} bits of work, and this part has {difficulty(event.id)}"
    if event.created_at < first:
        return f"it takes nothing that is older than {said.past} seconds"
    if event.created_at > last:
        return f"it takes nothing that is more than {said.future} seconds in the future"
    return ""


def _excess(said: Admission, characters: int, pow_bits: int) -> str:
    if said.characters is not None and said.characters < characters:
        return f"it takes only {said.characters} characters in a note"
    if said.message_bytes is not None and said.message_bytes < _LEAST_BYTES:
        return f"it takes only messages of {said.message_bytes} bytes"
    if said.tags is not None and said.tags < _LEAST_TAGS:
        return f"it takes only {said.tags} tags in a note"
    if said.pow_bits > pow_bits:
        return f"it wants {said.pow_bits} bits of work, more than the {pow_bits} that are allowed"
    return ""


def _exceeds(value: int, most: int | None) -> bool:
    return most is not None and value > most


def _least(*numbers: int | None) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _number(value: object, *, least: int = 1, most: int = MAX_CREATED_AT) -> int | None:
    # A bool is an int to Python, and not to NIP-11.
    return value if type(value) is int and least <= value <= most else None
