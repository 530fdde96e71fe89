"""NIP-01 messages (and NIP-42, 45, 67, 77) decoded straight from JSON, and written as JSON.

Knows how each message is spelled. Knows nothing of the order they may come in: see `session`.
"""

from __future__ import annotations

import re
from typing import TypeAlias, TypeVar

import msgspec

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Auth,
    ClientMessage,
    Close,
    Count,
    Eose,
    Malformed,
    NegClose,
    NegMsg,
    NegOpen,
    Publish,
    RelayMessage,
    Request,
)
from nostr_threads.errors import InvalidFilter

__all__ = ["decode_client_message", "decode_relay_message", "encode", "prefix_of"]


class _Verb(msgspec.Struct, array_like=True):
    """The first element of any message; the rest is checked to be JSON and not kept."""

    verb: str


class _BareEose(msgspec.Struct, array_like=True, tag="EOSE"):
    """An EOSE whose hints nobody can read."""

    subscription: str


_encoder = msgspec.json.Encoder()
_from_relay = msgspec.json.Decoder(RelayMessage)
_from_client = msgspec.json.Decoder(Publish | Auth | Close | NegMsg | NegClose)
_any = msgspec.json.Decoder()
_verb = msgspec.json.Decoder(_Verb)
_bare_eose = msgspec.json.Decoder(_BareEose)
_HEAD = re.compile(rb'\s*\[\s*"(?:EVENT|(NEG-[A-Z]{3,5}))"\s*,\s*"([!#-\[\]-~]{1,64})"')
_QUESTIONS = frozenset(("REQ", "COUNT", "NEG-OPEN"))
_BAD_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)


def decode_relay_message(data: str | bytes) -> RelayMessage | Malformed:
    """Read what a relay sent. Never raises: what cannot be read is `Malformed`."""
    try:
        message: RelayMessage = _from_relay.decode(data)
    except _BAD_JSON as error:
        # An answer that is not readable must not pass for one never sent.
        _, subject = _head_of(data)
        return _eose_despite_hints(data) or Malformed(f"not a relay message: {error}", subject)
    return message if type(message) is not NegMsg else _in_hex(message)


def _head_of(data: str | bytes) -> tuple[str, str]:
    """Read NIP-77's verb ("" for EVENT) and the subscription, as far as they can be read."""
    head = data[:200].encode(errors="replace") if isinstance(data, str) else data[:200]
    match = _HEAD.match(head)
    return ((match[1] or b"").decode(), match[2].decode()) if match else ("", "")


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
        message: Publish | Auth | Close | NegMsg | NegClose = _from_client.decode(data)
    except _BAD_JSON as error:
        verb, subject = _head_of(data)
        return Malformed(f"not a client message: {error}", subject if verb else "")
    return message if type(message) is not NegMsg else _in_hex(message)


_Question: TypeAlias = Request | Count | NegOpen


def _decode_question(value: object) -> _Question | Malformed:
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], str):
        return Malformed("a question needs a subscription id")
    verb, subscription, *rest = value
    if not 1 <= len(subscription) <= 64:
        return Malformed("a subscription id has 1 to 64 characters", subscription)
    if not rest:
        return Malformed("a question needs a filter", subscription)
    try:
        return _question(verb, subscription, rest)
    except InvalidFilter as error:
        return Malformed(str(error), subscription)


def _question(verb: str, subscription: str, rest: list[object]) -> _Question | Malformed:
    """Read what follows a question's name. Raises `InvalidFilter`."""
    if verb == "NEG-OPEN":
        condition, message = Filter.from_wire(rest[0]), rest[1] if len(rest) > 1 else None
        if not isinstance(message, str):
            return Malformed("NEG-OPEN needs a message", subscription)
        return _in_hex(NegOpen(subscription, condition, message))
    filters = tuple(Filter.from_wire(item) for item in rest)
    return Request(subscription, filters) if verb == "REQ" else Count(subscription, filters)


_Message = TypeVar("_Message", NegOpen, NegMsg)


def _in_hex(said: _Message) -> _Message | Malformed:
    """Return what was said if its message is hex."""
    try:
        # Spaces between the digits are read, too: then the lengths differ.
        is_hex = 2 * len(bytes.fromhex(said.message)) == len(said.message)
    except ValueError:
        is_hex = False
    return said if is_hex else Malformed("the message is not hex", said.subscription)


def encode(message: RelayMessage | ClientMessage) -> str:
    """Write a message as one line of JSON."""
    if isinstance(message, Request | Count):
        verb = "REQ" if isinstance(message, Request) else "COUNT"
        body = [verb, message.subscription, *(item.to_wire() for item in message.filters)]
        return _encoder.encode(body).decode()
    if isinstance(message, NegOpen):
        parts = (message.subscription, message.filter.to_wire(), message.message)
        return _encoder.encode(["NEG-OPEN", *parts]).decode()
    if isinstance(message, Eose) and not message.hints:
        return _encoder.encode(["EOSE", message.subscription]).decode()
    return _encoder.encode(message).decode()


def prefix_of(reason: str) -> str:
    """Return the machine-readable word before the colon of a relay's reason, or ""."""
    word, colon, _ = reason.partition(":")
    return word if colon and " " not in word else ""
