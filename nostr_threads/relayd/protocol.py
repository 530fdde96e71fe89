"""The relay's side of one connection as a state machine (NIP-01, 42, 45, 67, 77).

Knows what each message is answered with. Owns no socket and knows no tasks or clocks. Whoever owns
the socket must: send what `greet`, `receive` and `broadcast` return, in order; after each `receive`
hand every event of `events_accepted` to `broadcast` of every connection, this one included.
`receive` and `broadcast` may run in two threads at once. Nothing a client sends raises.

    a subscription:  REQ -> answered, EOSE -> live -- CLOSE, refused REQ of that name --> gone
                     a REQ of the same name replaces it
    a difference:    NEG-OPEN, NEG-MSG -> NEG-MSG -- NEG-CLOSE, NEG-ERR --> gone
                     a NEG-OPEN of the same name replaces it
    an event:        EVENT -> OK; when taken it is stored (not ephemeral ones) and broadcast
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

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
    Tally,
)
from nostr_threads.core.wire import decode_client_message
from nostr_threads.errors import StoreError
from nostr_threads.relayd.acceptance import (
    Refused,
    check_authentication,
    check_limits,
    check_rights,
    checked,
)
from nostr_threads.relayd.answer import ask
from nostr_threads.relayd.keeping import VERDICTS, keep
from nostr_threads.relayd.reconciling import Room, Talks
from nostr_threads.relayd.salvage import refusal
from nostr_threads.store.base import Added

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.messages import ClientMessage, RelayMessage
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.relayd.limits import AuthPolicy, Limits
    from nostr_threads.store.base import Store

    Subscriptions: TypeAlias = Mapping[str, tuple[Filter, ...]]

__all__ = ["ClientConnection", "RelayProtocol"]

_BROKEN_STORE = "error: the relay's database failed"


@dataclass(frozen=True, slots=True)
class RelayProtocol:
    """What all connections of one relay share.

    `urls` are the relay's own names, for NIP-42. `accept` is its policy: None takes the event, a
    text is the reason why not, `blocked: ` when it has no prefix of its own.
    """

    store: Store
    limits: Limits
    accept: Accept | None = None
    auth: AuthPolicy = "off"
    urls: frozenset[str] = frozenset()
    room: Room = field(default_factory=Room)

    def connect(self, challenge: str) -> ClientConnection:
        """Start one connection; `challenge` is NIP-42's and must not be guessable."""
        return ClientConnection(self, challenge)


class ClientConnection:
    """One client, from its first byte to its last."""

    def __init__(self, relay: RelayProtocol, challenge: str) -> None:
        self._relay = relay
        self._challenge = challenge
        self._accepted: list[Verified] = []
        self._talks = Talks(relay.room, relay.limits)
        # Both are replaced, never changed: `broadcast` reads them from another thread.
        self._subscriptions: Subscriptions = MappingProxyType({})
        self._authenticated: frozenset[str] = frozenset()

    @property
    def authenticated(self) -> frozenset[str]:
        """The public keys this client has proved to hold (NIP-42)."""
        return self._authenticated

    @property
    def subscriptions(self) -> Subscriptions:
        """The open subscriptions by their ids."""
        return self._subscriptions

    def greet(self) -> list[RelayMessage]:
        """Return what is said before the client speaks: NIP-42's challenge."""
        return [] if self._relay.auth == "off" else [AuthChallenge(self._challenge)]

    def receive(self, data: str | bytes, now: float) -> list[RelayMessage]:
        """Answer one message at `now` (unix seconds). Never raises.

        A message over `max_message_length` bytes is refused undecoded.
        """
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if len(raw) > (most := self._relay.limits.max_message_length):
            return [refusal(raw, f"invalid: the message is over {most} bytes")]
        message = decode_client_message(raw)
        if isinstance(message, Malformed):
            return [self._unreadable(message, raw)]
        return self._answer(message, int(now))

    def events_accepted(self) -> list[Verified]:
        """Return the events to broadcast now; they are then the caller's."""
        events, self._accepted = self._accepted, []
        return events

    def broadcast(self, event: Verified) -> list[RelayMessage]:
        """Return `event` once for each open subscription that it matches, limits ignored."""
        return [
            Delivered(name, event)
            for name, filters in self._subscriptions.items()
            if any(item.matches(event) for item in filters)
        ]

    def _answer(self, message: ClientMessage, now: int) -> list[RelayMessage]:
        match message:
            case Publish(event):
                return [self._published(event, now)]
            case Auth(event):
                return [self._authenticate(event, now)]
            case Request():
                return self._requested(message, now)
            case Count():
                return [self._counted(message, now)]
            case Close(subscription):
                self._forget(subscription)
            case NegOpen():
                return [self._reconciled(message, now)]
            case NegMsg():
                return [self._talks.answer(message)]
            case NegClose(subscription):
                self._talks.close(subscription)
        return []

    def _published(self, event: Event, now: int) -> Ok:
        relay = self._relay
        try:
            check_limits(event, relay.limits, now=now)
            genuine = checked(event)
            check_rights(genuine, self._authenticated, relay.auth, relay.accept)
            kept = keep(relay.store, genuine, now=now)
        except Refused as refused:
            return Ok(event.id, False, refused.reason)
        except StoreError:
            return Ok(event.id, False, _BROKEN_STORE)
        if kept is Added.NEW:
            self._accepted.append(genuine)
        return Ok(event.id, *VERDICTS[kept])

    def _authenticate(self, event: Event, now: int) -> Ok:
        if self._relay.auth == "off":
            return Ok(event.id, False, "error: nobody is asked to authenticate here")
        try:
            check_authentication(event, self._challenge, self._relay.urls, now=now)
        except Refused as refused:
            return Ok(event.id, False, refused.reason)
        self._authenticated |= {event.pubkey}
        return Ok(event.id, True)

    def _requested(self, message: Request, now: int) -> list[RelayMessage]:
        name, filters = message.subscription, message.filters
        # Whatever becomes of the new one, a REQ ends the old subscription of that name.
        self._forget(name)
        if (fault := self._fault(message)) is not None:
            return [Closed(name, fault)]
        # Open before the store is read, or an event between the two would never be seen.
        self._subscriptions = MappingProxyType({**self._subscriptions, name: filters})
        try:
            answer = ask(self._relay.store, filters, self._relay.limits, now=now)
        except StoreError:
            self._forget(name)
            return [Closed(name, _BROKEN_STORE)]
        return [*(Delivered(name, event) for event in answer.events), Eose(name, answer.hints)]

    def _counted(self, message: Count, now: int) -> RelayMessage:
        if (fault := self._fault(message)) is not None:
            return Closed(message.subscription, fault)
        try:
            count = self._relay.store.count(message.filters, now=now)
        except StoreError:
            return Closed(message.subscription, _BROKEN_STORE)
        return CountResult(message.subscription, Tally(count))

    def _reconciled(self, message: NegOpen, now: int) -> NegMsg | NegErr:
        name = message.subscription
        if (fault := self._fault(Count(name, (message.filter,)))) is not None:
            self._talks.close(name)
            return NegErr(name, fault)
        try:
            return self._talks.open(self._relay.store, message, now)
        except StoreError:
            return NegErr(name, _BROKEN_STORE)

    def _fault(self, message: Request | Count) -> str | None:
        """Say why a question is not answered, in the words of a CLOSED or NEG-ERR."""
        limits = self._relay.limits
        if self._relay.auth == "required" and not self._authenticated:
            return "auth-required: say who you are before you read here"
        if len(message.subscription) > limits.max_subid_length:
            return f"invalid: a subscription id has at most {limits.max_subid_length} characters"
        if len(message.filters) > limits.max_filters:
            return f"invalid: a question has at most {limits.max_filters} filters"
        if any(item.search is not None for item in message.filters):
            return "unsupported: there is no search here"
        full = len(self._subscriptions) >= limits.max_subscriptions
        if isinstance(message, Request) and full:
            return f"rate-limited: at most {limits.max_subscriptions} subscriptions at once"
        return None

    def _unreadable(self, message: Malformed, raw: bytes) -> Ok | Closed | NegErr | Notice:
        prefix = "unsupported" if message.reason.startswith("unsupported") else "invalid"
        reason = f"{prefix}: {message.reason}"
        answer = refusal(raw, reason)
        if isinstance(answer, NegErr):
            self._talks.close(answer.subscription)
        if isinstance(answer, NegErr) or not message.subject:
            return answer
        self._forget(message.subject)
        return Closed(message.subject, reason)

    def _forget(self, subscription: str) -> None:
        left = {key: item for key, item in self._subscriptions.items() if key != subscription}
        self._subscriptions = MappingProxyType(left)
