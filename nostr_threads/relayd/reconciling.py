"""What a client does not share with the store, answered in turns (NIP-77).

Knows what is open, and how much of it is kept. Knows nothing of who may read: see `protocol`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

from nostr_threads.core.messages import NegErr, NegMsg
from nostr_threads.core.negentropy import BadMessage, Items, respond

if TYPE_CHECKING:
    from nostr_threads.core.messages import NegOpen
    from nostr_threads.relayd.limits import Limits
    from nostr_threads.store.base import Store

__all__ = ["MOST_ITEMS", "Room", "Talks"]

MOST_ITEMS = 1_000_000
"""Items of all reconciliations of a relay, of 40 bytes each."""

# Bytes of an answer, of which each is two digits. Clients have to take it: strfry sends four times
# as much. The longer it is, the fewer rounds there are.
_MOST_BYTES = 120_000

_NOT_OPEN = "closed: nothing of that name is open"
_TOO_SLOW = "closed: you took too long to respond, and others needed the room"


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Talk:
    """One reconciliation; `items` are None once it had to make room."""

    items: Items | None
    used: int

    @property
    def size(self) -> int:
        return 0 if self.items is None else len(self.items)


class Room:
    """What all clients of one relay have open. Whoever was silent longest makes room for others.

    Used from several threads. A client that is gone leaves with its `Talks`.
    """

    def __init__(self, most: int = MOST_ITEMS) -> None:
        self._most = most
        self._talks: WeakSet[_Talk] = WeakSet()
        self._uses = count()
        # Held while items are read, too: many clients at once must not take many times the memory.
        self._lock = Lock()

    def read(self, store: Store, asked: NegOpen, *, now: int, most: int) -> _Talk | None:
        """Read what a filter matches; None for more than `most` items. Raises `StoreError`."""
        with self._lock:
            found = store.items([asked.filter], now=now, most=most + 1)
            if len(found) > most:
                return None
            talk = _Talk(Items(found), next(self._uses))
            self._make_room(talk.size)
            self._talks.add(talk)
        return talk

    def use(self, talk: _Talk) -> Items | None:
        """Return the items of a reconciliation, None when it had to make room."""
        with self._lock:
            talk.used = next(self._uses)
            return talk.items

    def _make_room(self, size: int) -> None:
        silent = sorted(self._talks, key=lambda talk: talk.used)
        held = sum(talk.size for talk in silent)
        for talk in silent:
            if held + size <= self._most:
                break
            held -= talk.size
            talk.items = None


class Talks:
    """One client's reconciliations, by their names; nothing that it says raises."""

    def __init__(self, room: Room, limits: Limits) -> None:
        self._room = room
        self._limits = limits
        self._talks: dict[str, _Talk] = {}

    def open(self, store: Store, asked: NegOpen, now: int) -> NegMsg | NegErr:
        """Begin; what has this name already is closed (NIP-77). Raises `StoreError`."""
        name, limits = asked.subscription, self._limits
        self.close(name)
        if len(self._talks) >= limits.max_reconciliations:
            most = limits.max_reconciliations
            return NegErr(name, f"rate-limited: at most {most} reconciliations at once")
        talk = self._room.read(store, asked, now=now, most=limits.max_reconciled)
        if talk is None:
            return NegErr(name, "blocked: this query is too big")
        self._talks[name] = talk
        return self.answer(NegMsg(name, asked.message))

    def answer(self, said: NegMsg) -> NegMsg | NegErr:
        """Answer the next message of one that is open."""
        name = said.subscription
        talk = self._talks.get(name)
        items = None if talk is None else self._room.use(talk)
        if items is None:
            self.close(name)
            return NegErr(name, _NOT_OPEN if talk is None else _TOO_SLOW)
        try:
            answer = respond(items, bytes.fromhex(said.message), frame_limit=_MOST_BYTES)
        except BadMessage as error:
            self.close(name)
            return NegErr(name, f"invalid: {error}")
        return NegMsg(name, answer.hex())

    def close(self, name: str) -> None:
        """End one; does nothing when it has ended already."""
        self._talks.pop(name, None)
