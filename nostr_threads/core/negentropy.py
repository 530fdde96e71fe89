"""Which events two sides do not share, found without sending those they do (NIP-77, protocol 1).

Knows the messages and how a range is cut. Knows nothing of filters, of relays, or of whether an id
that the other side names is there. Messages are hostile: a bad one raises `BadMessage`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate, islice
from operator import eq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "FRAME_LIMIT",
    "NO_LIMIT",
    "BadMessage",
    "Items",
    "Step",
    "initiate",
    "reconcile",
    "respond",
]

FRAME_LIMIT = 60_000
"""Bytes of a message unless told otherwise: in hex it fits the 128 KiB that relays take."""

NO_LIMIT = 2**62
"""A message may be as long as it takes."""

_LEAST_FRAME = 4_096
_VERSION = 0x61
_SKIP, _FINGERPRINT, _IDS = 0, 1, 2
_KEY, _ID, _PRINT = 40, 32, 16
# Ranges into which one that differs is cut; with fewer than twice as many items their ids are sent.
_BUCKETS = 16
# What has to fit behind the last range: a bound and the fingerprint of all the rest.
_REST = 200
# Items between two sums that are kept: a sum of its own for each would cost more than its id.
_STRIDE = 16
_NEAR = 64
_END = b"\xff" * _KEY
_LAST_TIME = b"\xff" * 8
_BYTES = tuple(bytes([number]) for number in range(0x80))
_NO_ITEM = "an item is a time in 64 bits, but for the last, and an id of 32 bytes"
_LONGEST_VARINT = 10


class BadMessage(ValueError):
    """A message that protocol 1 does not allow, or of another version; the text says why."""


class Items:
    """The events of one side, as (created_at, id) with ids of 32 bytes or 64 hex digits; once each.

    Kept as 40 bytes each in one piece, and a sum for every 16: fingerprints of any range cost the
    same. Items that come in order, or nearly, are taken in much faster.
    """

    def __init__(self, items: Iterable[tuple[int, bytes | str]]) -> None:
        self._data = b"".join(_sorted(_keys(items)))
        count = len(self)
        numbers = (
            self._total(start, min(start + _STRIDE, count)) for start in range(0, count, _STRIDE)
        )
        self._sums = [0, *accumulate(numbers)]

    def __len__(self) -> int:
        return len(self._data) // _KEY

    def key(self, place: int) -> bytes:
        """Return time and id of the item at `place`, as 40 bytes that sort as items do."""
        return self._data[place * _KEY : (place + 1) * _KEY]

    def ids(self, lower: int, upper: int) -> Iterator[bytes]:
        """Return the ids from place `lower` up to `upper`."""
        data = self._data
        return iter(
            [data[end - _ID : end] for end in range((lower + 1) * _KEY, (upper + 1) * _KEY, _KEY)]
        )

    def find(self, bound: bytes, lower: int) -> int:
        """Return the place of the first item from `lower` on that is not before `bound`."""
        bound, near = _padded(bound), min(lower + _NEAR, len(self))
        # Ranges are short once a few rounds are over.
        if near == len(self) or self.key(near) >= bound:
            return bisect_left(range(near), bound, lo=lower, key=self.key)
        return bisect_left(range(len(self)), bound, lo=near, key=self.key)

    def fingerprint(self, lower: int, upper: int) -> bytes:
        """Return the 16 bytes that stand for the ids from place `lower` up to `upper`."""
        if upper - lower <= _STRIDE:
            total = self._total(lower, upper) % 2**256
        else:
            total = (self._sum(upper) - self._sum(lower)) % 2**256
        data = total.to_bytes(_ID, "little") + _varint(upper - lower)
        return sha256(data).digest()[:_PRINT]

    def _sum(self, place: int) -> int:
        block, rest = divmod(place, _STRIDE)
        return self._sums[block] + self._total(place - rest, place)

    def _total(self, lower: int, upper: int) -> int:
        data, number = self._data, int.from_bytes
        ends = range((lower + 1) * _KEY, (upper + 1) * _KEY, _KEY)
        return sum([number(data[end - _ID : end], "little") for end in ends])


@dataclass(frozen=True, slots=True)
class Step:
    """What a client learned from one message, and its next one, None when all is known.

    `have` are ids that only we have, `need` those that only the other side says it has.
    """

    reply: bytes | None
    have: tuple[bytes, ...]
    need: tuple[bytes, ...]


def initiate(items: Items, *, frame_limit: int = FRAME_LIMIT) -> bytes:
    """Return a client's first message: all of `items`. `frame_limit` in bytes, at least 4,096."""
    output = _Output(_checked(frame_limit))
    _cut(items, 0, len(items), _END, output)
    return bytes(output.data)


def reconcile(items: Items, message: bytes, *, frame_limit: int = FRAME_LIMIT) -> Step:
    """Take the other side's answer as a client. Raises `BadMessage`, also for another version."""
    exchange = _Exchange(items, _checked(frame_limit), is_client=True)
    if message[:1] != bytes([_VERSION]):
        raise BadMessage(f"another version of the protocol: {message[:1].hex() or 'nothing'}")
    exchange.read(message)
    reply = bytes(exchange.output.data)
    return Step(reply if len(reply) > 1 else None, tuple(exchange.have), tuple(exchange.need))


def respond(items: Items, message: bytes, *, frame_limit: int = FRAME_LIMIT) -> bytes:
    """Answer a client's message as a server does. Raises `BadMessage`.

    A version that is not ours is answered with our own, so that the client may try again.
    """
    if not message or not 0x60 <= message[0] <= 0x6F:
        raise BadMessage("the first byte is no version of the protocol")
    if message[0] != _VERSION:
        return bytes([_VERSION])
    exchange = _Exchange(items, _checked(frame_limit), is_client=False)
    exchange.read(message)
    return bytes(exchange.output.data)


def _checked(frame_limit: int) -> int:
    if frame_limit < _LEAST_FRAME:
        raise ValueError(f"a message needs room for {_LEAST_FRAME} bytes, not {frame_limit}")
    return frame_limit


def _cut(items: Items, lower: int, upper: int, bound: bytes, output: _Output) -> None:
    """Say what we have in a range: its ids, or the fingerprints of 16 pieces of it."""
    count = upper - lower
    if count < 2 * _BUCKETS:
        output.range(bound, _IDS, _varint(count) + b"".join(items.ids(lower, upper)))
        return
    size, larger = divmod(count, _BUCKETS)
    for bucket in range(_BUCKETS):
        end = lower + size + (bucket < larger)
        between = bound if end == upper else _between(items.key(end - 1), items.key(end))
        output.range(between, _FINGERPRINT, items.fingerprint(lower, end))
        lower = end


def _between(before: bytes, after: bytes) -> bytes:
    """Return the bound with the fewest bytes that is after `before` and not after `after`."""
    shared = next(place for place in range(_KEY) if before[place] != after[place])
    return after[: max(8, shared + 1)]


class _Output:
    """A message being written. Times in it are told as differences."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray([_VERSION])
        self._limit = limit
        self._time = 0

    @property
    def room(self) -> int:
        """How many bytes there is room for, but for the rest; less than none when it is full."""
        return self._limit - _REST - len(self.data)

    def is_full(self) -> bool:
        """Whether nothing has room but the rest."""
        return self.room < 0

    def range(self, bound: bytes, mode: int, payload: bytes = b"") -> None:
        self.data += self._bound(bound) + _varint(mode) + payload

    def _bound(self, bound: bytes) -> bytes:
        if bound == _END:
            return _varint(0) + _varint(0)
        time, prefix = int.from_bytes(bound[:8]), bound[8:]
        told = _varint(time - self._time + 1)
        self._time = time
        return told + _varint(len(prefix)) + prefix


class _Input:
    """A message being read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 1
        self._time = 0

    @property
    def is_over(self) -> bool:
        return self._place >= len(self._data)

    def take(self, count: int) -> bytes:
        found = self._data[self._place : self._place + count]
        if len(found) != count:
            raise BadMessage("it ends too early")
        self._place += count
        return found

    def varint(self) -> int:
        number = 0
        for _ in range(_LONGEST_VARINT):
            byte = self.take(1)[0]
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        raise BadMessage("a number has no end")

    def bound(self) -> bytes:
        """Read a bound: a time in 8 bytes, and as much of an id as was told."""
        told, length = self.varint(), self.varint()
        if length > _ID:
            raise BadMessage("a bound is longer than an id")
        prefix = self.take(length)
        if told == 0:
            return _END
        self._time += told - 1
        if self._time >= 2**64 - 1:
            raise BadMessage("a bound lies behind the end of time")
        return self._time.to_bytes(8) + prefix


@dataclass(slots=True)
class _Exchange:
    """One message read range by range, and the answer to it."""

    items: Items
    limit: int
    is_client: bool
    have: list[bytes] = field(default_factory=list)
    need: list[bytes] = field(default_factory=list)
    output: _Output = field(init=False)
    _lower: int = 0
    _before: bytes = bytes(8)
    _is_skipping: bool = False

    def __post_init__(self) -> None:
        self.output = _Output(self.limit)

    def read(self, message: bytes) -> None:
        """Take a message range by range, as long as the answer has room."""
        told = _Input(message)
        while not told.is_over:
            bound, mode = told.bound(), told.varint()
            if _padded(bound) < _padded(self._before):
                raise BadMessage("the ranges are not in order")
            upper = self.items.find(bound, self._lower)
            written = len(self.output.data)
            if mode == _IDS and not self.is_client:
                upper = self._tell_ids(told, bound, upper)
                written = len(self.output.data)
            else:
                self._compare(told, mode, bound, upper)
            if self.output.is_full():
                # What did not fit is told as one fingerprint, of all that is left.
                del self.output.data[written:]
                rest = self.items.fingerprint(upper, len(self.items))
                self.output.range(_END, _FINGERPRINT, rest)
                return
            self._lower, self._before = upper, bound

    def _compare(self, told: _Input, mode: int, bound: bytes, upper: int) -> None:
        """Hold a range against ours, and answer it where the two differ."""
        if mode == _FINGERPRINT:
            if told.take(_PRINT) != self.items.fingerprint(self._lower, upper):
                self._end_skip()
                _cut(self.items, self._lower, upper, bound, self.output)
                return
        elif mode == _IDS:
            self._learn(_ids(told), upper)
        elif mode != _SKIP:
            raise BadMessage(f"a range of the unknown mode {mode}")
        self._is_skipping = True

    def _learn(self, theirs: dict[bytes, None], upper: int) -> None:
        for each in self.items.ids(self._lower, upper):
            if each in theirs:
                del theirs[each]
            else:
                self.have.append(each)
        self.need += theirs

    def _tell_ids(self, told: _Input, bound: bytes, upper: int) -> int:
        """Answer ids with ours, as many as fit; return the place behind the last of them."""
        _ids(told)  # what the client has is for the client to compare
        room = self.output.room
        self._end_skip()
        fitting = min(upper, self._lower + max(0, room // _ID + 1))
        if fitting < upper:
            bound = self.items.key(fitting)
        ids = b"".join(self.items.ids(self._lower, fitting))
        self.output.range(bound, _IDS, _varint(fitting - self._lower) + ids)
        return fitting

    def _end_skip(self) -> None:
        if self._is_skipping:
            self._is_skipping = False
            self.output.range(self._before, _SKIP)


def _ids(told: _Input) -> dict[bytes, None]:
    count = told.varint()
    data = told.take(count * _ID)
    return dict.fromkeys(data[start : start + _ID] for start in range(0, len(data), _ID))


def _padded(bound: bytes) -> bytes:
    """A bound as a key; what is left out of its id are zeros."""
    return bound.ljust(_KEY, b"\0")


def _keys(items: Iterable[tuple[int, bytes | str]]) -> list[bytes]:
    """Return each item as 40 bytes. Raises ValueError for what is none."""
    try:
        keys = [
            created_at.to_bytes(8)
            + (bytes.fromhex(item_id) if isinstance(item_id, str) else item_id)
            for created_at, item_id in items
        ]
    except OverflowError:
        raise ValueError(_NO_ITEM) from None
    if not {_KEY}.issuperset(map(len, keys)):
        raise ValueError(_NO_ITEM)
    return keys


def _sorted(keys: list[bytes]) -> list[bytes]:
    """Sort, and leave each in once. Raises ValueError for the time that stands for no end."""
    keys.sort()
    if keys and keys[-1].startswith(_LAST_TIME):
        raise ValueError(_NO_ITEM)
    if any(map(eq, keys, islice(keys, 1, None))):
        return sorted(set(keys))
    return keys


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _BYTES[number]
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))
