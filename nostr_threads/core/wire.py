"""NIP-01 messages (and NIP-42, 45, 67) as typed values, decoded straight from JSON.

Knows what each message looks like. Knows nothing of the order they may come in: see `session`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from nostr_threads.core.event import Event
from nostr_threads.core.filters import Filter
from nostr_threads.errors import InvalidFilter

__all__ = [
    "Auth",
    "AuthChallenge",
    "ClientMessage",
    "Close",
    "Closed",
    "Count",
    "CountResult",
    "Delivered",
    "Eose",
    "Malformed",
    "Notice",
    "Ok",
    "Publish",
    "RelayMessage",
    "Request",
    "decode_client_message",
    "decode_relay_message",
    "encode",
    "prefix_of",
]


class Delivered(msgspec.Struct, frozen=True, array_like=True, tag="EVENT"):
    """`["EVENT", subscription, event]`: a relay sends an event, not verified yet."""

    subscription: str
    event: Event


class Eose(msgspec.Struct, frozen=True, array_like=True, tag="EOSE"):
    """`["EOSE", subscription, hints]`: end of stored events, with NIP-67's hints."""

    subscription: str
    hints: tuple[str, ...] = ()


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="CLOSED"):
    """`["CLOSED", subscription, reason]`: the relay ended or refused a subscription or count."""

    subscription: str
    reason: str = ""


class Ok(msgspec.Struct, frozen=True, array_like=True, tag="OK"):
    """`["OK", event_id, accepted, reason]`: the answer to EVENT and to AUTH."""

    event_id: str
    accepted: bool
    reason: str = ""


class Notice(msgspec.Struct, frozen=True, array_like=True, tag="NOTICE"):
    """`["NOTICE", text]`: words for a person."""

    text: str


class AuthChallenge(msgspec.Struct, frozen=True, array_like=True, tag="AUTH"):
    """`["AUTH", challenge]`: NIP-42, the relay asks who this is."""

    challenge: str


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """The object inside a COUNT answer (NIP-45)."""

    count: int
    approximate: bool = False
    hll: str = ""


class CountResult(msgspec.Struct, frozen=True, array_like=True, tag="COUNT"):
    """`["COUNT", subscription, {"count": n}]`: NIP-45's answer."""

    subscription: str
    tally: Tally


class Publish(msgspec.Struct, frozen=True, array_like=True, tag="EVENT"):
    """`["EVENT", event]`: a client publishes."""

    event: Event


class Auth(msgspec.Struct, frozen=True, array_like=True, tag="AUTH"):
    """`["AUTH", event]`: NIP-42, a client says who it is."""

    event: Event


class Close(msgspec.Struct, frozen=True, array_like=True, tag="CLOSE"):
    """`["CLOSE", subscription]`: a client ends a subscription."""

    subscription: str


@dataclass(frozen=True, slots=True)
class Request:
    """`["REQ", subscription, filter, …]`: a client asks."""

    subscription: str
    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """`["COUNT", subscription, filter, …]`: a client asks how many (NIP-45)."""

    subscription: str
    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is no message, or not one that may come now. `reason` says why.

    `subject` names the subscription or event id it was about, where that could be read.
    """

    reason: str
    subject: str = ""


class _Verb(msgspec.Struct, array_like=True):
    """The first element of any message; the rest is checked to be JSON and not kept."""

    verb: str


class _BareEose(msgspec.Struct, array_like=True, tag="EOSE"):
    """An EOSE whose hints nobody can read."""

    subscription: str


RelayMessage: TypeAlias = Delivered | Eose | Closed | Ok | Notice | AuthChallenge | CountResult
ClientMessage: TypeAlias = Publish | Auth | Close | Request | Count

_encoder = msgspec.json.Encoder()
_from_relay = msgspec.json.Decoder(RelayMessage)
_from_client = msgspec.json.Decoder(Publish | Auth | Close)
_any = msgspec.json.Decoder()
_verb = msgspec.json.Decoder(_Verb)
_bare_eose = msgspec.json.Decoder(_BareEose)
_EVENT_HEAD = re.compile(rb'\s*\[\s*"EVENT"\s*,\s*"([!#-\[\]-~]{1,64})"')
_QUESTIONS = frozenset(("REQ", "COUNT"))
_BAD_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)


def decode_relay_message(data: str | bytes) -> RelayMessage | Malformed:
    """Read what a relay sent. Never raises: what cannot be read is `Malformed`."""
    try:
        message: RelayMessage = _from_relay.decode(data)
    except _BAD_JSON as error:
        subject = _subscription_of(data)
        return _eose_despite_hints(data) or Malformed(f"not a relay message: {error}", subject)
    return message


def _subscription_of(data: str | bytes) -> str:
    """Say whose answer an unreadable EVENT was part of: it must not pass for one never sent."""
    head = data[:200].encode(errors="replace") if isinstance(data, str) else data[:200]
    match = _EVENT_HEAD.match(head)
    return match[1].decode() if match else ""


def _eose_despite_hints(data: str | bytes) -> Eose | None:
    """NIP-67 may grow other hints. The end of a query must not be missed over one."""
    try:
        return Eose(_bare_eose.decode(data).subscription)
    except _BAD_JSON:
        return None


def decode_client_message(data: str | bytes) -> ClientMessage | Malformed:
    """Read what a client sent. Never raises: what cannot be read is `Malformed`."""
    try:
        # REQ and COUNT end in any number of filters, which no fixed shape describes.
        if _verb.decode(data).verb in _QUESTIONS:
            return _decode_question(_any.decode(data))
        message: Publish | Auth | Close = _from_client.decode(data)
    except _BAD_JSON as error:
        return Malformed(f"not a client message: {error}")
    return message


def _decode_question(value: object) -> Request | Count | Malformed:
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], str):
        return Malformed("a question needs a subscription id")
    verb, subscription, *rest = value
    if not 1 <= len(subscription) <= 64:
        return Malformed("a subscription id has 1 to 64 characters", subscription)
    if not rest:
        return Malformed("a question needs a filter", subscription)
    try:
        filters = tuple(Filter.from_wire(item) for item in rest)
    except InvalidFilter as error:
        return Malformed(str(error), subscription)
    return Request(subscription, filters) if verb == "REQ" else Count(subscription, filters)


def encode(message: RelayMessage | ClientMessage) -> str:
    """Write a message as one line of JSON."""
    if isinstance(message, Request | Count):
        verb = "REQ" if isinstance(message, Request) else "COUNT"
        body = [verb, message.subscription, *(item.to_wire() for item in message.filters)]
        return _encoder.encode(body).decode()
    if isinstance(message, Eose) and not message.hints:
        return _encoder.encode(["EOSE", message.subscription]).decode()
    return _encoder.encode(message).decode()


def prefix_of(reason: str) -> str:
    """Return the machine-readable word before the colon of an OK or CLOSED reason, or ""."""
    word, colon, _ = reason.partition(":")
    return word if colon and " " not in word else ""
