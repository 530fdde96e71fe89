"""From a message's bytes to an event ready for the store, against the bare check of its signature.

Checking the signature is the work that cannot be spared; everything else (decoding, whether it was
asked for, the id, what it answers) should be small beside it. Bare is what coincurve's
libsecp256k1 does on one thread with keys, ids and signatures that lie ready as bytes: once with the
key parsed for every signature, as a caller without a cache would, and once with every author's key
parsed before, as our own cache has it for authors that repeat. The goals are against the former.

Ours does with a page what a question to a relay does: its messages are received, the whole page is
verified, then what each event answers is read. One thread is what small pages get; those of a few
hundred are shared with a helper.
"""

from __future__ import annotations

import asyncio
import time
from itertools import cycle
from typing import TYPE_CHECKING

from coincurve import PublicKeyXOnly

from benchmarks.events import THREAD_NOTES, thread_of
from benchmarks.timing import in_turn, ratio, table
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Delivered
from nostr_threads.core.references import references
from nostr_threads.core.session import RelaySession
from nostr_threads.net.verifying import verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.references import References

ROUNDS = 40
_PAGE = 500
# So few are not worth waking a second thread.
_SMALL_PAGE = 100


def run(rounds: int) -> None:
    """Measure, and print the table."""
    events = thread_of(THREAD_NOTES)
    root, notes = events[0].id, events[1:]
    pages = [notes[start : start + _PAGE] for start in range(0, len(notes), _PAGE)][:-1]
    with asyncio.Runner() as runner:
        seconds = in_turn(
            {
                "bare, keys parsed each time": _over(pages, _bare),
                "bare, keys parsed before": _over(pages, _bare_with_keys),
                "ours, one thread": _over(
                    pages, lambda page: runner.run(_ours(page, root, _SMALL_PAGE))
                ),
                "ours, two threads": _over(
                    pages, lambda page: runner.run(_ours(page, root, _PAGE))
                ),
            },
            rounds,
        )
    table(seconds, unit="us", per=_PAGE)
    bare, with_keys, one, two = seconds.values()
    print("  rate / bare rate, keys parsed each time")
    ratio("one thread", bare, one, "at least 0.78")
    ratio("two threads", bare, two, "at least 1.35")
    print("  rate / bare rate, keys parsed before")
    ratio("one thread", with_keys, one, "")
    ratio("two threads", with_keys, two, "")


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


async def _ours(page: Sequence[Verified], root: str, together: int) -> float:
    """Take in the events of `page`, as they are when so many come as one answer."""
    session, messages = _asked(page, root)
    batch: list[tuple[Verified, References]] = []
    began = time.perf_counter()
    for start in range(0, len(messages), together):
        came = [_event(session, message) for message in messages[start : start + together]]
        events, _, _ = await verified(came)
        batch += [(event, references(event)) for event in events]
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
