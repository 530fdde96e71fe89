"""The messages of NIP-01 (and NIP-42, 45, 67, 77) as typed values.

Knows what each message holds. Knows nothing of JSON: see `wire`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from nostr_threads.core.event import Event

if TYPE_CHECKING:
    from nostr_threads.core.filters import Filter

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
    "NegClose",
    "NegErr",
    "NegMsg",
    "NegOpen",
    "Notice",
    "Ok",
    "Publish",
    "RelayMessage",
    "Request",
    "Tally",
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


class NegErr(msgspec.Struct, frozen=True, array_like=True, tag="NEG-ERR"):
    """`["NEG-ERR", subscription, reason]`: the relay ended or refused a reconciliation (NIP-77)."""

    subscription: str
    reason: str = ""


class NegMsg(msgspec.Struct, frozen=True, array_like=True, tag="NEG-MSG"):
    """`["NEG-MSG", subscription, message]`: either side goes on (NIP-77). `message` is in hex."""

    subscription: str
    message: str


class Publish(msgspec.Struct, frozen=True, array_like=True, tag="EVENT"):
    """`["EVENT", event]`: a client publishes."""

    event: Event


class Auth(msgspec.Struct, frozen=True, array_like=True, tag="AUTH"):
    """`["AUTH", event]`: NIP-42, a client says who it is."""

    event: Event


class Close(msgspec.Struct, frozen=True, array_like=True, tag="CLOSE"):
    """`["CLOSE", subscription]`: a client ends a subscription."""

    subscription: str


class NegClose(msgspec.Struct, frozen=True, array_like=True, tag="NEG-CLOSE"):
    """`["NEG-CLOSE", subscription]`: a client ends a reconciliation (NIP-77)."""

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
class NegOpen:
    """`["NEG-OPEN", subscription, filter, message]`: a client asks what differs (NIP-77).

    `message` is its first one, in hex. The names of these subscriptions are not those of REQ.
    """

    subscription: str
    filter: Filter
    message: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is no message, or not one that may come now. `reason` says why.

    `subject` names the subscription or event id it was about, where that could be read.
    """

    reason: str
    subject: str = ""


RelayMessage: TypeAlias = (
    Delivered | Eose | Closed | Ok | Notice | AuthChallenge | CountResult | NegMsg | NegErr
)
ClientMessage: TypeAlias = Publish | Auth | Close | Request | Count | NegOpen | NegMsg | NegClose
