"""One connection to a relay as a state machine that owns no socket (NIP-01, 42, 45, 67, 77).

Knows which messages may come when, and what to send again after a reconnect. Whoever owns the
socket must: send everything `outgoing` returns, in order; pass every message to `receive`; call
`connected` on each new connection; and verify every event before it counts for anything.
`receive` never raises, whatever a relay sends.

    a subscription:  request -> STORED -- EOSE --> LIVE (live) or gone (CLOSE is sent)
                     any state -- CLOSED, close --> gone
    a count:         count -> COUNTING -- COUNT, CLOSED --> gone
    a difference:    reconcile -> RECONCILING -- NEG-MSG --> OUR_TURN -- say --> RECONCILING
                     any state -- NEG-ERR, CLOSED, close (NEG-CLOSE is sent) --> gone
    an event:        publish, authenticate -> waiting -- OK --> gone
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from nostr_threads.core.messages import (
    Auth,
    AuthChallenge,
    Close,
    Closed,
    Count,
    CountResult,
    Delivered,
    Eose,
    Malformed,
    NegClose,
    NegErr,
    NegMsg,
    NegOpen,
    Notice,
    Ok,
    Publish,
    Request,
)
from nostr_threads.core.naming import Names
from nostr_threads.core.wire import decode_relay_message, encode

if TYPE_CHECKING:
    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.messages import ClientMessage, RelayMessage

__all__ = ["RelaySession"]


class _Phase(Enum):
    STORED = "stored"
    LIVE = "live"
    COUNTING = "counting"
    RECONCILING = "reconciling"
    OUR_TURN = "it is our turn"


# Which answers each phase allows, and only these.
_ALLOWED: dict[type, frozenset[_Phase]] = {
    Eose: frozenset((_Phase.STORED,)),
    CountResult: frozenset((_Phase.COUNTING,)),
    NegMsg: frozenset((_Phase.RECONCILING,)),
    NegErr: frozenset((_Phase.RECONCILING, _Phase.OUR_TURN)),
    Closed: frozenset(_Phase),
}
_GIVES_EVENTS = (_Phase.STORED, _Phase.LIVE)


@dataclass(frozen=True, slots=True)
class _Open:
    filters: tuple[Filter, ...]
    phase: _Phase
    live: bool = False

    def wants(self, event: Event) -> bool:
        for condition in self.filters:  # noqa: SIM110 - `any` costs as much again as matching does
            if condition.matches(event):
                return True
        return False


class RelaySession:
    """The client's side of one relay, over any number of connections.

    `challenge` is NIP-42's, None before the relay sent one; `malformed` counts what it sent against
    the rules. `subid_length` is how many characters the relay takes as the name of a subscription
    (NIP-11); it may be set at any time.
    """

    def __init__(self) -> None:
        self.challenge: str | None = None
        self.malformed = 0
        self.subid_length = 64
        self._outgoing: list[str] = []
        self._open: dict[str, _Open] = {}
        self._waiting: set[str] = set()
        self._names = Names()

    def request(self, filters: tuple[Filter, ...], *, live: bool = False) -> str:
        """Ask for events; return the subscription's id. Without `live` it ends itself at EOSE."""
        return self._ask(_Open(filters, _Phase.STORED, live))

    def count(self, filters: tuple[Filter, ...]) -> str:
        """Ask how many events there are (NIP-45); return the question's id."""
        return self._ask(_Open(filters, _Phase.COUNTING))

    def reconcile(self, question: Filter, message: bytes) -> str:
        """Ask what differs (NIP-77) with a first `message` of `negentropy`; return its id."""
        name = self._new(_Open((question,), _Phase.RECONCILING))
        self._send(NegOpen(name, question, message.hex()))
        return name

    def say(self, subscription: str, message: bytes) -> None:
        """Go on with a reconciliation; does nothing unless it is our turn there."""
        asked = self._open.get(subscription)
        if asked is not None and asked.phase is _Phase.OUR_TURN:
            self._open[subscription] = replace(asked, phase=_Phase.RECONCILING)
            self._send(NegMsg(subscription, message.hex()))

    def close(self, subscription: str) -> None:
        """End whatever has this id; does nothing when it has ended already."""
        asked = self._open.pop(subscription, None)
        match asked and asked.phase:
            case _Phase.STORED | _Phase.LIVE:
                self._send(Close(subscription))
            case _Phase.RECONCILING | _Phase.OUR_TURN:
                self._send(NegClose(subscription))

    def publish(self, event: Verified) -> None:
        """Send an event; its OK comes back through `receive`."""
        self._waiting.add(event.id)
        self._send(Publish(event))

    def authenticate(self, event: Verified) -> None:
        """Answer the challenge with a signed kind 22242 (NIP-42); its OK comes like any other."""
        self._waiting.add(event.id)
        self._send(Auth(event))

    def forget(self, event_id: str) -> None:
        """Stop waiting for the OK of an event; one that still comes is against the rules."""
        self._waiting.discard(event_id)

    def outgoing(self) -> list[str]:
        """Return the messages to send now, in order; they are then the caller's."""
        messages, self._outgoing = self._outgoing, []
        return messages

    def connected(self) -> list[str]:
        """Start over on a new connection: live subscriptions are asked again, as they were asked.

        Their `since` is the caller's and stays: doubles go by id, gaps do not come back. Everything
        else that waited for an answer is gone; the ids of those questions are returned.
        """
        lost = [name for name, asked in self._open.items() if not asked.live]
        lost += self._waiting
        self.challenge, self._outgoing, self._waiting = None, [], set()
        self._open = {
            name: replace(asked, phase=_Phase.STORED)
            for name, asked in self._open.items()
            if asked.live
        }
        for name, asked in self._open.items():
            self._send(Request(name, asked.filters))
        return lost

    def receive(self, data: str | bytes) -> RelayMessage | Malformed | None:
        """Take one message. Returns it when it may come now, `Malformed` when not.

        None is an answer to something that was closed meanwhile, which is nobody's fault.
        """
        message = decode_relay_message(data)
        judged = message if isinstance(message, Malformed) else self._judge(message)
        if type(judged) is Malformed:
            self.malformed += 1
        return judged

    def _judge(self, message: RelayMessage) -> RelayMessage | Malformed | None:
        if isinstance(message, Delivered):
            return self._delivered(message)
        match message:
            case Ok():
                return self._acknowledged(message)
            case AuthChallenge():
                self.challenge = message.challenge
                return message
            case Notice():
                return message
        return self._answered(message)

    def _delivered(self, message: Delivered) -> Delivered | Malformed | None:
        """Take an event: by far the most frequent message."""
        asked = self._open.get(message.subscription)
        if asked is None:
            return self._to_nobody(message.subscription)
        if asked.phase not in _GIVES_EVENTS:
            return Malformed(f"an event while {asked.phase.value}", message.subscription)
        if not asked.wants(message.event):
            return Malformed("an event that was not asked for", message.subscription)
        return message

    def _acknowledged(self, message: Ok) -> Ok | Malformed:
        if message.event_id not in self._waiting:
            return Malformed("OK for an event that was not sent", message.event_id)
        self._waiting.remove(message.event_id)
        return message

    def _answered(
        self, message: Eose | Closed | CountResult | NegMsg | NegErr
    ) -> RelayMessage | Malformed | None:
        name = message.subscription
        asked = self._open.get(name)
        if asked is None:
            return self._to_nobody(name)
        if asked.phase not in _ALLOWED[type(message)]:
            return Malformed(f"{type(message).__name__} while {asked.phase.value}", name)
        match message:
            case Eose() if asked.live:
                self._open[name] = replace(asked, phase=_Phase.LIVE)
            case Eose():
                self.close(name)
            case NegMsg():
                self._open[name] = replace(asked, phase=_Phase.OUR_TURN)
            case Closed() | CountResult() | NegErr():
                del self._open[name]
        return message

    def _to_nobody(self, name: str) -> Malformed | None:
        """What was closed meanwhile is passed over; what was never asked is against the rules."""
        return None if self._names.was_given(name) else Malformed("answer to nothing asked", name)

    def _ask(self, asked: _Open) -> str:
        name = self._new(asked)
        verb = Count if asked.phase is _Phase.COUNTING else Request
        self._send(verb(name, asked.filters))
        return name

    def _new(self, asked: _Open) -> str:
        name = self._names.new(self._open, len(self._open), self.subid_length)
        self._open[name] = asked
        return name

    def _send(self, message: ClientMessage) -> None:
        self._outgoing.append(encode(message))
