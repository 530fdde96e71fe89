"""Proof of work (NIP-13): how much an id shows, and the search for a nonce that shows more.

Knows the nonce tag and the hashing. Knows nothing of how many processors search, or who asks for
it: see `app.mining` and `core.admission`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from nostr_threads.errors import InvalidEvent, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Draft, Event

__all__ = [
    "MAX_BITS",
    "MOST_ASKED",
    "NONCE_TAG_BYTES",
    "asked_bits",
    "committed",
    "difficulty",
    "expected_tries",
    "mine",
    "with_nonce",
]

MOST_ASKED = 22
"""The bits that are done because a relay wants them: some seconds on two processors."""

MAX_BITS = 256
"""Bits of an id: no more can be asked for."""

NONCE_TAG_BYTES = 39
"""The most bytes that a nonce tag adds to an event's JSON; nobody tries more than 2**64."""

_ID_DIGITS = 64
_TARGET = re.compile("[0-9]{1,3}")
# Not one of seconds, notes, or of whatever else a relay counts.
_OTHER_UNIT = (
    r"\s*(?:%|[mk]?s\b|sec|min|hour|day|event|note|post|times?\b|requests?\b|[kmg]?b\b|[kmg]?byte)"
)
_NUMBER = re.compile(rf"(?<![0-9.])[0-9]{{1,3}}(?![0-9.])(?!{_OTHER_UNIT})", re.IGNORECASE)
# Work that is in a key and not in an event: no nonce helps there.
_OF_A_KEY = re.compile(r"pub ?key|public key")


def difficulty(event_id: str) -> int:
    """Count the leading zero bits of an id (64 hex digits). Raises `ValueError` for no number."""
    return _ID_DIGITS * 4 - int(event_id, 16).bit_length()


def committed(event: Event) -> int:
    """Return the bits that an event's author set out to reach, and reached; 0 for none.

    The first nonce tag counts. A target that the id does not meet commits to nothing, and work
    without a target may be luck.
    """
    nonce = next((tag for tag in event.tags if tag[0:1] == ("nonce",)), ())
    if len(nonce) < 3 or not _TARGET.fullmatch(nonce[2]):
        return 0
    target = int(nonce[2])
    return target if target <= difficulty(event.id) else 0


def asked_bits(reason: str, event_id: str) -> int:
    """Return the bits that the words of a `pow:` refusal want of an event with this id; 0 if none.

    Words such as "difficulty 8 is less than 20" name what the event has, too: only a number that is
    more than that asks for anything.
    """
    if _OF_A_KEY.search(reason.lower()):
        return 0
    numbers = (int(found) for found in _NUMBER.findall(reason))
    shown = difficulty(event_id)
    return max((bits for bits in numbers if shown < bits <= MAX_BITS), default=0)


def with_nonce(draft: Draft, nonce: int, bits: int) -> Draft:
    """Return `draft` with this nonce and target as its last tag, in place of any it had."""
    return replace(draft, tags=(*_other_tags(draft), ("nonce", str(nonce), str(bits))))


def expected_tries(bits: int) -> int:
    """Return how many nonces have to be tried on average."""
    return 1 << bits


def mine(
    draft: Draft, pubkey: str, bits: int, *, start: int = 0, step: int = 1, tries: int
) -> Draft | None:
    """Try the nonces `start`, `start + step`, … and return the first draft of `bits` or more.

    `pubkey` (64 hex digits) is who will sign. None when `tries` nonces were not enough: go on at
    `start + step * tries`. Raises `InvalidInput` for bits that no id has, and `InvalidEvent` for
    text that no UTF-8 can carry.
    """
    if not 0 <= bits <= MAX_BITS:
        raise InvalidInput(f"a proof of work has 0 to {MAX_BITS} bits, not {bits}")
    work = _Work.of(draft, pubkey, bits)
    nonces = iter(range(start, start + step * tries, step))
    found = next(nonces, None) if bits == 0 else work.search(nonces)
    return None if found is None else with_nonce(draft, found, bits)


@dataclass(frozen=True, slots=True)
class _Work:
    """The canonical bytes before and after the nonce, and the first hash that is too large."""

    head: bytes
    tail: bytes
    bound: bytes

    @classmethod
    def of(cls, draft: Draft, pubkey: str, bits: int) -> _Work:
        fields = [0, pubkey, draft.created_at, draft.kind, _other_tags(draft)]
        head = _canonical(fields).removesuffix("]]")
        comma = "" if head.endswith("[") else ","
        tail = f'","{bits}"]],{_canonical(draft.content)}]'
        bound = (1 << (MAX_BITS - max(bits, 1))).to_bytes(MAX_BITS // 8, "big")
        try:
            return cls(f'{head}{comma}["nonce","'.encode(), tail.encode(), bound)
        except UnicodeEncodeError:
            raise InvalidEvent("text holds a lone surrogate, which no UTF-8 can carry") from None

    def search(self, nonces: Iterator[int]) -> int | None:
        # All that comes before the nonce is hashed once. The loop calls nothing of ours: this is
        # where a search spends its time.
        copy, tail, bound = sha256(self.head).copy, self.tail, self.bound
        for nonce in nonces:
            hashing = copy()
            hashing.update(b"%d%b" % (nonce, tail))
            if hashing.digest() < bound:
                return nonce
        return None


def _other_tags(draft: Draft) -> tuple[tuple[str, ...], ...]:
    return tuple(tag for tag in draft.tags if tag[0:1] != ("nonce",))


def _canonical(value: object) -> str:
    """Write JSON as NIP-01 wants it hashed: no spaces, no escapes that are not needed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
