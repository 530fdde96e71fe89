"""Lines checked, in this process or by a program that another one asks over its pipes.

Knows which lines are events that are not stored yet, and what is wrong with the others. Keeps none.
As a program it takes blocks of lines on stdin, says on stdout what each holds, and ends when stdin
does.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING

from nostr_threads.core.event import verify
from nostr_threads.core.lines import claimed_id, event_of
from nostr_threads.errors import InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set
    from typing import IO

    Known = Callable[[Set[str]], Set[str]]

__all__ = ["Verdict", "check", "receive", "send"]

_SIZE = Struct("<I")
# Ids lie anywhere: what one look-up has read, the next one rarely needs.
_CACHE_MIB = 4


@dataclass(slots=True)
class Verdict:
    """What a block of lines holds, by place (from 0).

    `good` are the events that were verified, in runs from the first place to before the last;
    `known` is how many lines claim the id of a stored one, and `faults` says what is wrong with a
    line. Blank lines are in none of them.
    """

    # Runs are short to tell: answers wait in a pipe for as long as a transaction takes.
    known: int = 0
    good: list[list[int]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    @property
    def verified(self) -> int:
        """How many events are good."""
        return sum(end - start for start, end in self.good)

    def add(self, place: int) -> None:
        """Count the line at `place`, behind all others, as good."""
        if self.good and self.good[-1][1] == place:
            self.good[-1][1] = place + 1
        else:
            self.good.append([place, place + 1])


def check(lines: Sequence[bytes], known: Known | None = None) -> Verdict:
    """Verify every line, except those of which `known` has the id."""
    verdict = Verdict()
    ids = [claimed_id(line) for line in lines] if known is not None else []
    stored = known({each for each in ids if each is not None}) if known is not None else ()
    for place, line in enumerate(lines):
        if stored and ids[place] in stored:
            verdict.known += 1
            continue
        if not line or line.isspace():
            continue
        try:
            verify(event_of(line))
        except InvalidEvent as error:
            verdict.faults.append((place, error.reason))
        else:
            verdict.add(place)
    return verdict


def send(stream: IO[bytes], data: bytes) -> None:
    """Write one message. Raises `OSError` when nobody reads any more."""
    stream.write(_SIZE.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None when there is no further one, whole."""
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    data = stream.read(size)
    return data if len(data) == size else None


def main() -> None:
    """Answer blocks until there are no more; whoever asks says when it is over, not Ctrl-C.

    The first message is not a block but two texts: the path or the URL of a database in which to
    look for what is known, "" for none; and where it must have been seen, "" for anywhere.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if (told := receive(sys.stdin.buffer)) is None:
        return
    store, relay = json.loads(told)
    with ExitStack() as stack:
        known = _known(stack, store, relay) if store else None
        while (block := receive(sys.stdin.buffer)) is not None:
            found = check(block.split(b"\n"), known)
            answer = json.dumps((found.known, found.good, found.faults))
            send(sys.stdout.buffer, answer.encode())


def _known(stack: ExitStack, place: str, relay: str) -> Known:
    from nostr_threads.store.opening import open_store

    store = stack.enter_context(open_store(place, read_only=True, cache_mib=_CACHE_MIB))
    return lambda ids: store.known(ids, relay=relay or None)
