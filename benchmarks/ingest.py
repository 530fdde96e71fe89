"""From a message's bytes to an event ready for the store, against the bare check of its signature.

Checking the signature is the work that cannot be spared; everything else (decoding, whether it was
asked for, the id, what it answers) should be small beside it. Bare is what coincurve's
libsecp256k1 does with keys, ids and signatures that lie ready as bytes: once with every author's
key parsed beforehand, as our own cache has it for authors that repeat, and once with the key parsed
for every signature, as a caller without a cache would. The goals are against the latter, on one
thread; those against the former are shown beside them.
"""

from __future__ import annotations

import asyncio
import time
from itertools import cycle
from typing import TYPE_CHECKING

from coincurve import PublicKeyXOnly

from benchmarks.events import THREAD_NOTES, thread_of
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.event import verify
from nostr_threads.core.filters import Filter
from nostr_threads.core.references import references
from nostr_threads.core.session import RelaySession
from nostr_threads.core.wire import Delivered
from nostr_threads.net.verifying import verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nostr_threads.core.event import Event, Verified

ROUNDS = 40
_PAGE = 500


def run(rounds: int) -> None:
    """Measure, and print the table."""
    events = thread_of(THREAD_NOTES)
    root, notes = events[0].id, events[1:]
    pages = [notes[start : start + _PAGE] for start in range(0, len(notes), _PAGE)][:-1]
    with asyncio.Runner() as runner:
        seconds = in_turn(
            {
                "bare, keys parsed before": _over(pages, _bare_with_keys),
                "bare, keys parsed each time": _over(pages, _bare),
                "ours, one thread": _over(pages, lambda page: _one_thread(page, root)),
                "ours, two threads": _over(
                    pages, lambda page: runner.run(_two_threads(page, root))
                ),
            },
            rounds,
        )
    table(seconds, unit="us", per=_PAGE)
    cached, bare, one, two = seconds.values()
    ratio("rate of one thread / bare", bare, one, "at least 0.78")
    ratio("rate of two threads / bare", bare, two, "at least 1.35")
    ratio("rate of one thread / bare, keys parsed before", cached, one, "")
    ratio("rate of two threads / bare, keys parsed before", cached, two, "")


def _over(
    pages: Sequence[Sequence[Verified]], job: Callable[[Sequence[Verified]], float]
) -> Callable[[], float]:
    """The next page each time."""
    turns: Iterator[Sequence[Verified]] = cycle(pages)
    return lambda: job(next(turns))


def _bare_with_keys(page: Sequence[Verified]) -> float:
    ready = [(PublicKeyXOnly(key), text, signature) for key, text, signature in _bytes(page)]
    began = time.perf_counter()
    for key, text, signature in ready:
        key.verify(signature, text)
    return time.perf_counter() - began


def _bare(page: Sequence[Verified]) -> float:
    ready = _bytes(page)
    began = time.perf_counter()
    for key, text, signature in ready:
        PublicKeyXOnly(key).verify(signature, text)
    return time.perf_counter() - began


def _one_thread(page: Sequence[Verified], root: str) -> float:
    session, messages = _asked(page, root)
    began = time.perf_counter()
    batch = []
    for message in messages:
        event = verify(_event(session, message))
        batch.append((event, references(event)))
    return time.perf_counter() - began


async def _two_threads(page: Sequence[Verified], root: str) -> float:
    session, messages = _asked(page, root)
    began = time.perf_counter()
    events, _, _ = await verified([_event(session, message) for message in messages])
    batch = [(event, references(event)) for event in events]
    seconds = time.perf_counter() - began
    assert len(batch) == len(page)
    return seconds


def _bytes(page: Sequence[Verified]) -> list[tuple[bytes, bytes, bytes]]:
    hexes = ((event.pubkey, event.id, event.sig) for event in page)
    return [(bytes.fromhex(a), bytes.fromhex(b), bytes.fromhex(c)) for a, b, c in hexes]


def _asked(page: Sequence[Verified], root: str) -> tuple[RelaySession, list[bytes]]:
    session = RelaySession()
    name = session.request((Filter(kinds=(1, 5, 1111), tags={"e": (root,)}),))
    return session, [f'["EVENT","{name}",{event.to_json()}]'.encode() for event in page]


def _event(session: RelaySession, message: bytes) -> Event:
    delivered = session.receive(message)
    assert isinstance(delivered, Delivered)
    return delivered.event
