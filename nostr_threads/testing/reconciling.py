"""How a relay answers NIP-77 wrongly.

Knows what a fault makes of each message. Knows nothing of sockets.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from nostr_threads.core.messages import NegErr, NegMsg, NegOpen, Notice
from nostr_threads.core.negentropy import BadMessage, Items, respond
from nostr_threads.testing.build import START

if TYPE_CHECKING:
    from nostr_threads.core.messages import NegClose
    from nostr_threads.relayd.conversation import Frame
    from nostr_threads.store.base import Store
    from nostr_threads.testing.faults import Faults

__all__ = ["ENDLESS", "WrongTalks", "invented_ids"]

ENDLESS = "61000001" + "00" * 16
"""A message after which all is to be compared again: a fingerprint of everything, and wrong."""


def invented_ids(count: int) -> list[bytes]:
    """Return ids of events that do not exist."""
    return [sha256(b"invented %d" % number).digest() for number in range(count)]


class WrongTalks:
    """The reconciliations of one connection with a faulty relay."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._items: dict[str, Items] = {}

    def answer(
        self, message: NegOpen | NegMsg | NegClose, faults: Faults, now: int
    ) -> list[Frame] | None:
        """Return what a relay with these faults answers, None when an honest one is to."""
        if faults.no_negentropy:
            return [Notice("ERROR: bad msg: unknown cmd")]
        if faults.silent_negentropy:
            return []
        if not isinstance(message, NegOpen | NegMsg):
            return None
        if faults.negentropy_error:
            return [NegErr(message.subscription, faults.negentropy_error)]
        if faults.negentropy_answer:
            return [NegMsg(message.subscription, faults.negentropy_answer)]
        return [self._lie(message, faults, now)] if faults.invented_ids else None

    def _lie(self, message: NegOpen | NegMsg, faults: Faults, now: int) -> NegMsg | NegErr:
        name = message.subscription
        if isinstance(message, NegOpen):
            lies = enumerate(invented_ids(faults.invented_ids), START)
            self._items[name] = Items([*self._store.items([message.filter], now=now), *lies])
        try:
            answer = respond(self._items[name], bytes.fromhex(message.message))
        except (BadMessage, KeyError) as error:
            return NegErr(name, f"invalid: {error}")
        return NegMsg(name, answer.hex())
