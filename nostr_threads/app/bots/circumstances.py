"""What is known around an ask before it is answered: its thread, its author, an earlier answer.

Knows who is asked for that. Knows nothing of what follows from it: see `core.bots.guards`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.core import kinds, nip19
from nostr_threads.core.bots.asks import Ask
from nostr_threads.core.bots.cases import Case
from nostr_threads.core.bots.readable import readable
from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.node import State
from nostr_threads.core.profile import Profile, profile_of
from nostr_threads.core.references import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.app.client import Nostr
    from nostr_threads.app.fetch import Found
    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread

__all__ = ["Circumstances", "look", "look_again"]

# Seconds that a thread may take to be found: what is known by then has to do.
_PATIENCE = 8.0
# Seconds that other relays are waited for, once one that the bot writes to has said all it has.
_GRACE = 2.0
_HINTS = 3


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that is known of an ask. `earlier` is the id of an answer that the bot gave before."""

    case: Case
    ask: Ask
    earlier: str | None


async def look(
    nostr: Nostr, event: Verified, *, bot: str, relays: Sequence[str], now: int, heard_at: int
) -> Circumstances:
    """Find out what there is to know of `event`. Raises `NoRelayReachable`, `StoreError`.

    `relays` are asked instead of those of relays.toml, if there are any.
    """
    found = await _fetched(nostr, event, relays)
    own, is_sure = await _own_answers(nostr, event, bot, relays, found)
    stored = await off_loop(nostr.store.query, [_answers(event, bot)], now=now)
    about = await off_loop(nostr.store.query, [_profile(event.pubkey)], now=now, strict=True)
    author = profile_of(about[0]) if about else None
    ours = await off_loop(nostr.store.bots.postings, event.id)
    earlier = _earlier((*stored, *own), event, ours)
    case = replace(
        _case(found, event, bot, now, heard_at, author),
        is_sure=is_sure or earlier is not None,
    )
    names = found.surroundings.shown_names
    text = readable(event, bot=bot, names=names)
    ask = Ask(event, text, bot, now, found.thread, author or Profile(), names)
    return Circumstances(case, ask, earlier)


async def look_again(nostr: Nostr, case: Case, *, now: int) -> Case:
    """Return a case as the store has it by now; no relay is asked. Raises `StoreError`."""
    wanted = Filter(ids=(case.event.id,))
    there = await off_loop(nostr.store.query, [wanted], now=now, strict=True)
    if there:
        return replace(case, now=now)
    return replace(case, now=now, state=State.DELETED, why="it was deleted, or has expired")


async def _fetched(nostr: Nostr, event: Verified, relays: Sequence[str]) -> Found:
    seen = (await off_loop(nostr.store.sightings, [event.id]))[event.id]
    code = nip19.encode(nip19.EventPointer(event.id, seen[:_HINTS], event.pubkey, event.kind))
    return await nostr.fetch(code, relays=relays, seconds=_PATIENCE)


async def _own_answers(
    nostr: Nostr, event: Verified, bot: str, relays: Sequence[str], found: Found
) -> tuple[tuple[Verified, ...], bool]:
    """Ask where the bot writes to for its answers; whether any of these gave all it has.

    Those that gave the whole thread have given them.
    """
    writers = nostr.whereabouts.writers(relays)
    whole = {
        relay.url for relay in found.coverage.relays if relay.finish is Finish.COMPLETE
    }.intersection(writers)
    asked = [nostr.pool.relay(url) for url in writers if url not in whole]
    wanted, patience = _answers(event, bot), _GRACE if whole else _PATIENCE
    answers = await asyncio.gather(*(relay.fetch(wanted, seconds=patience) for relay in asked))
    is_sure = bool(whole) or any(answer.finish is Finish.COMPLETE for answer in answers)
    return tuple(event for answer in answers for event in answer.events), is_sure


def _answers(event: Event, bot: str) -> Filter:
    return Filter(authors=(bot,), tags={"e": (event.id,)})


def _profile(pubkey: str) -> Filter:
    return Filter(kinds=(kinds.PROFILE,), authors=(pubkey,), limit=1)


def _earlier(events: Iterable[Event], asked: Event, ours: frozenset[str]) -> str | None:
    """Return the id of a note that answers the ask and is no answer on record."""
    for event in events:
        parent = references(event).parent
        is_said = event.kind in (kinds.NOTE, kinds.COMMENT)
        if is_said and event.id not in ours and parent is not None and parent.id == asked.id:
            return event.id
    return None


def _case(
    found: Found, event: Verified, bot: str, now: int, heard_at: int, author: Profile | None
) -> Case:
    node = found.thread.node(event.id)
    above = [] if node is None else _above(found.thread, node)
    answers = references(event).parent is not None
    return Case(
        event,
        bot,
        now,
        heard_at,
        author=author,
        mutes=found.surroundings.mutes,
        parent=above[0].event if above else None,
        depth=len(above),
        # What is only kept, and shown here, its author wanted gone all the same.
        state=State.PRESENT if node is None else node.kept or node.state,
        why="" if node is None else node.why,
        parents_known=bool(above or not answers)
        and all(each.state is not State.MISSING for each in above),
        whole=sum(each.finish is Finish.COMPLETE for each in found.coverage.relays),
    )


def _above(thread: Thread, node: Node) -> list[Node]:
    """Return the notes above a note, from its parent up to the root."""
    above: list[Node] = []
    while node.parent is not None and (parent := thread.node(node.parent)) is not None:
        above.append(parent)
        node = parent
    return above
