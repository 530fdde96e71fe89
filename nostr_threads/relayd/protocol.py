"""The relay's side of one connection as a state machine (NIP-01, 42, 45, 50, 67, 70, 77).

Knows what each message is answered with. Owns no socket and knows no tasks or clocks. Whoever owns
the socket must: send what `greet`, `receive` and `broadcast` return, in order; after each `receive`
hand every event of `events_accepted` to `broadcast` of every connection, this one included. The
answer to a REQ is read as it is taken from `receive`: the next message comes when it is at its end.
`receive` and `broadcast` may run in two threads at once. Nothing a client sends raises.

    a subscription:  REQ -> answered, EOSE -> live -- CLOSE, refused REQ of that name --> gone
                     a REQ of the same name replaces it; what is too long to be kept is not live
    a difference:    NEG-OPEN, NEG-MSG -> NEG-MSG -- NEG-CLOSE, NEG-ERR --> gone
                     a NEG-OPEN of the same name replaces it
    an event:        EVENT -> OK; when taken it is stored (not ephemeral ones) and broadcast
"""

from __future__ import annotations

from contextlib import contextmanager
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
from nostr_threads.core.search_terms import found_by, parse_terms
from nostr_threads.core.wire import decode_client_message
from nostr_threads.errors import StoreError, TooCostly
from nostr_threads.relayd.acceptance import (
    Refused,
    check_authentication,
    check_limits,
    check_rights,
    checked,
)
from nostr_threads.relayd.answer import ask, read
from nostr_threads.relayd.keeping import VERDICTS, keep
from nostr_threads.relayd.reconciling import Room, Talks
from nostr_threads.relayd.salvage import refusal
from nostr_threads.store.base import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.messages import ClientMessage, RelayMessage
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.relayd.limits import AuthPolicy, Limits
    from nostr_threads.relayd.readers import Readers
    from nostr_threads.store.base import Store

    Subscriptions: TypeAlias = Mapping[str, tuple[Filter, ...]]

__all__ = ["ClientConnection", "RelayProtocol"]

_BROKEN_STORE = "error: the relay's database failed"
_TOO_COSTLY = "error: this takes too long to answer; ask for less at once, or later"
_TOO_LONG = "rate-limited: too long to stay open beside the others; nothing more will come"


@dataclass(frozen=True, slots=True)
class RelayProtocol:
    """What all connections of one relay share.

    `store` is written, `readers` are read. `urls` are the relay's own names, for NIP-42. `accept`
    is its policy: None takes the event, a text is the reason why not, `blocked: ` when it has no
    prefix of its own. Where `auth` is required and `members` are named, nobody else reads or
    writes. `searches` says whether words can be looked for, and `patience` how long a question may
    take now that might take so many seconds if nobody waited.
    """

    store: Store
    readers: Readers
    limits: Limits
    accept: Accept | None = None
    auth: AuthPolicy = "off"
    members: frozenset[str] | None = None
    urls: frozenset[str] = frozenset()
    searches: Callable[[], bool] = bool
    patience: Callable[[float], float] = float
    room: Room = field(default_factory=Room)

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """Give a store to the block for one question, or a part of its answer."""
        with self.readers.borrowed(self.patience(self.limits.max_seconds)) as store:
            yield store

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
        self._lengths: dict[str, int] = {}
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

    def receive(self, data: str | bytes, now: float) -> Iterable[RelayMessage]:
        """Answer one message at `now` (unix seconds). Never raises.

        A message over `max_message_length` bytes is refused undecoded.
        """
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if len(raw) > (most := self._relay.limits.max_message_length):
            return [refusal(raw, f"invalid: the message is over {most} bytes")]
        message = decode_client_message(raw)
        if isinstance(message, Malformed):
            return [self._unreadable(message, raw)]
        if isinstance(message, Request):
            return self._requested(message, len(raw), int(now))
        return self._answer(message, int(now))

    def events_accepted(self) -> list[Verified]:
        """Return the events to broadcast now; they are then the caller's."""
        events, self._accepted = self._accepted, []
        return events

    def broadcast(self, event: Verified) -> list[RelayMessage]:
        """Return `event` once for each open subscription that it matches, limits ignored.

        What is found by its words is found when it is asked for, not live.
        """
        return [
            Delivered(name, event)
            for name, filters in self._subscriptions.items()
            if any(item.search is None and item.matches(event) for item in filters)
        ]

    def _answer(self, message: ClientMessage, now: int) -> list[RelayMessage]:
        match message:
            case Publish(event):
                return [self._published(event, now)]
            case Auth(event):
                return [self._authenticate(event, now)]
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
        if (stranger := self._stranger("write")) is not None:
            return Ok(event.id, False, stranger)
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

    def _requested(self, message: Request, length: int, now: int) -> Iterable[RelayMessage]:
        name, filters = message.subscription, message.filters
        # Whatever becomes of the new one, a REQ ends the old subscription of that name.
        self._forget(name)
        if (fault := self._fault(message)) is not None:
            return [Closed(name, fault)]
        # Open before the store is read, or an event between the two would never be seen.
        if sum(self._lengths.values()) + length <= self._relay.limits.max_open_length:
            self._lengths[name] = length
            self._subscriptions = MappingProxyType({**self._subscriptions, name: filters})
        return self._answered(message, now)

    def _answered(self, message: Request, now: int) -> Iterator[RelayMessage]:
        name, relay, start = message.subscription, self._relay, 0
        try:
            with relay.reading() as store:
                answer = ask(store, message.filters, relay.limits, now=now)
            while start < len(answer):
                with relay.reading() as store:
                    events = read(store, answer, start)
                start += len(events)
                yield from (Delivered(name, event) for event in events if event is not None)
        except StoreError as error:
            self._forget(name)
            yield Closed(name, _trouble(error))
            return
        yield Eose(name, answer.hints)
        if name not in self._subscriptions:
            yield Closed(name, _TOO_LONG)

    def _counted(self, message: Count, now: int) -> RelayMessage:
        if (fault := self._fault(message)) is not None:
            return Closed(message.subscription, fault)
        try:
            with self._relay.reading() as store:
                count = store.count(message.filters, now=now)
        except StoreError as error:
            return Closed(message.subscription, _trouble(error))
        return CountResult(message.subscription, Tally(count))

    def _reconciled(self, message: NegOpen, now: int) -> NegMsg | NegErr:
        name = message.subscription
        if (fault := self._fault(Count(name, (message.filter,)))) is not None:
            self._talks.close(name)
            return NegErr(name, fault)
        try:
            with self._relay.reading() as store:
                return self._talks.open(store, message, now)
        except StoreError as error:
            return NegErr(name, _trouble(error))

    def _fault(self, message: Request | Count) -> str | None:
        """Say why a question is not answered, in the words of a CLOSED or NEG-ERR."""
        limits = self._relay.limits
        if (stranger := self._stranger("read")) is not None:
            return stranger
        if len(message.subscription) > limits.max_subid_length:
            return f"invalid: a subscription id has at most {limits.max_subid_length} characters"
        if len(message.filters) > limits.max_filters:
            return f"invalid: a question has at most {limits.max_filters} filters"
        for item in message.filters:
            if item.search is not None and (fault := self._unsearchable(item.search)) is not None:
                return fault
        full = len(self._subscriptions) >= limits.max_subscriptions
        if isinstance(message, Request) and full:
            return f"rate-limited: at most {limits.max_subscriptions} subscriptions at once"
        return None

    def _stranger(self, what: str) -> str | None:
        """Say why this client may not read or write at all (NIP-42)."""
        relay = self._relay
        if relay.auth != "required":
            return None
        if not self._authenticated:
            return f"auth-required: say who you are before you {what} here"
        if relay.members is not None and relay.members.isdisjoint(self._authenticated):
            return f"restricted: only those whom its owner named may {what} here"
        return None

    def _unsearchable(self, search: str) -> str | None:
        if not self._relay.searches():
            return "unsupported: there is no search here, or not yet"
        if len(search) > (most := self._relay.limits.max_search_length):
            return f"invalid: a search has at most {most} characters"
        if not found_by(parse_terms(search)):
            return "invalid: a search has a word that is to be found"
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
        self._lengths.pop(subscription, None)
        left = {key: item for key, item in self._subscriptions.items() if key != subscription}
        self._subscriptions = MappingProxyType(left)


def _trouble(error: StoreError) -> str:
    return _TOO_COSTLY if isinstance(error, TooCostly) else _BROKEN_STORE
