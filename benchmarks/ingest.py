"""From a message's bytes to an event ready for the store, against the bare check of its signature.

Checking the signature is the work that cannot be spared; everything else (decoding, whether it was
asked for, the id, what it answers) should be small beside it. Bare is what coincurve's
libsecp256k1 does on one thread with keys, ids and signatures that lie ready as bytes: once with the
key parsed for every signature, as a caller without a cache would, and once with every author's key
parsed before, as our own cache has it for authors that repeat. The goals are against the former.

Ours does with a page what a question to a relay does: its messages are received, the whole page is
verified, then what each event answers is read. One thread is what small pages get; those of a few
hundred are shared with a helper. Each job takes in a thread, page after page, as a fetch does: the
first page after a while is slower, because a core that had nothing to do has to get going first.
"""

from __future__ import annotations

import asyncio
import time
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
    from collections.abc import Sequence

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.references import References

ROUNDS = 10
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
                "bare, keys parsed each time": lambda: sum(map(_bare, pages)),
                "bare, keys parsed before": lambda: sum(map(_bare_with_keys, pages)),
                "ours, one thread": lambda: runner.run(_ours(pages, root, _SMALL_PAGE)),
                "ours, two threads": lambda: runner.run(_ours(pages, root, _PAGE)),
                "ours, two threads, the first page": lambda: (
                    len(pages) * runner.run(_ours(pages[:1], root, _PAGE))
                ),
            },
            rounds,
        )
    table(seconds, unit="us", per=sum(map(len, pages)))
    bare, with_keys, one, two, first = seconds.values()
    print("  rate / bare rate, keys parsed each time")
    ratio("one thread", bare, one, "at least 0.78")
    ratio("two threads", bare, two, "at least 1.35")
    ratio("two threads, the first page", bare, first, "")
    print("  rate / bare rate, keys parsed before")
    ratio("one thread", with_keys, one, "")
    ratio("two threads", with_keys, two, "")


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


async def _ours(pages: Sequence[Sequence[Verified]], root: str, together: int) -> float:
    """Take in page after page, as their events are when so many come as one answer."""
    return sum([await _page(page, root, together) for page in pages])


async def _page(page: Sequence[Verified], root: str, together: int) -> float:
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
