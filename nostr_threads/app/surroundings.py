"""What is shown with a thread: names, counts, quoted notes, and what its reader has muted.

Knows which stored events say that. Knows nothing of relays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core import kinds, queries
from nostr_threads.core.content import Person, may_mention, quotes, tokens
from nostr_threads.core.filters import Filter
from nostr_threads.core.mutes import Mutes, mutes_of
from nostr_threads.core.profile import Name, names, profile_of
from nostr_threads.core.tally import Tally, tallies

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store

__all__ = ["Surroundings", "mutes_of_reader", "names_of", "surroundings"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around a thread. `names` are by public key, `tallies` by note id or address.

    `quoted` are notes outside the thread by the key that cites them, and `kept` the keys of those
    that their authors wanted gone, or gave an end that has come. `vanished` are the requests to
    vanish (NIP-62) of people in the thread, `mutes` what its reader does not want to see.
    """

    names: Mapping[str, Name] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    quoted: Mapping[str, Verified] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    vanished: tuple[Verified, ...] = ()
    mutes: Mutes = field(default_factory=Mutes)

    @property
    def shown_names(self) -> dict[str, str]:
        """The names by public key, without what is known of look-alikes."""
        return {pubkey: name.text for pubkey, name in self.names.items()}


def surroundings(
    events: Sequence[Verified],
    *,
    store: Store,
    now: int,
    viewer: str | None,
    keep: bool = False,
) -> Surroundings:
    """Look up in the store what belongs around the `events` of a thread, read by `viewer`.

    With `keep`, which is the store's policy, notes that their authors wanted gone are quoted all
    the same. What people said of themselves or reacted with, and took back, does not count.
    """
    mutes = mutes_of_reader(viewer, store, now)
    mentioning = [event for event in events if may_mention(event)]
    cited = {pointer.key for event in mentioning for pointer in quotes(event)}
    outside = cited.difference(event.id for event in events)
    standing = _quoted(outside, store, now, strict=True)
    others = _quoted(outside, store, now, strict=False) if keep else standing
    people = {event.pubkey for event in (*events, *others.values())}
    tokens_of = (token for event in mentioning for token in tokens(event))
    people.update(token.pubkey for token in tokens_of if isinstance(token, Person))
    about = Filter(kinds=(kinds.PROFILE, kinds.VANISH), authors=tuple(people))
    found = store.query([about], now=now, strict=True) if people else []
    profiles = {event.pubkey: profile_of(event) for event in found if event.kind == kinds.PROFILE}
    vanished = tuple(event for event in found if event.kind == kinds.VANISH)
    return Surroundings(
        names=names(profiles),
        tallies=tallies((*events, *vanished), now=now),
        quoted={key: event for key, event in others.items() if mutes.reason(event) is None},
        kept=frozenset(others.keys() - standing.keys()),
        vanished=vanished,
        mutes=mutes,
    )


def _quoted(keys: Iterable[str], store: Store, now: int, *, strict: bool) -> dict[str, Verified]:
    filters = [*queries.seek(tuple(keys))]
    found = store.query(filters, now=now, strict=strict) if filters else []
    return {name: event for event in found for name in (event.id, kinds.address_of(event)) if name}


def names_of(people: Collection[str], store: Store, now: int) -> dict[str, str]:
    """Return the names (kind 0) of people, by public key."""
    about = Filter(kinds=(kinds.PROFILE,), authors=tuple(people))
    found = store.query([about], now=now, strict=True) if people else []
    known = names({event.pubkey: profile_of(event) for event in found})
    return {pubkey: name.text for pubkey, name in known.items()}


def mutes_of_reader(viewer: str | None, store: Store, now: int) -> Mutes:
    """Return what `viewer` (a public key in hex) does not want to see (NIP-51)."""
    if viewer is None:
        return Mutes()
    wanted = Filter(kinds=(kinds.MUTE_LIST,), authors=(viewer,), limit=1)
    found = store.query([wanted], now=now, strict=True)
    return next((mutes_of(event) for event in found), Mutes())
