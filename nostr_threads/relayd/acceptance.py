"""Whether a relay takes an event, and the words in which it says no.

Knows NIP-01, 40, 42 and 70's rules for one event. Knows nothing of stores and subscriptions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.event import verify
from nostr_threads.core.expiry import expires_at
from nostr_threads.core.relay_url import normalize
from nostr_threads.core.wire import prefix_of
from nostr_threads.errors import InvalidEvent, InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.relayd.limits import AuthPolicy, Limits

    Accept = Callable[[Verified], str | None]

__all__ = ["Refused", "check_authentication", "check_limits", "check_rights", "checked"]

_AUTH_SECONDS = 600
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(?=:|/|$)")


class Refused(Exception):
    """The event is not taken; `reason` starts with one of NIP-01's or NIP-42's prefixes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def checked(event: Event) -> Verified:
    """Check id and signature. Raises `Refused`."""
    try:
        return verify(event)
    except InvalidEvent as error:
        raise Refused(f"invalid: {error.reason}") from None


def check_limits(event: Event, limits: Limits, *, now: int) -> None:
    """Check what a relay says in NIP-11, and NIP-40's expiration. Raises `Refused`."""
    for fault in _limit_faults(event, limits, now):
        raise Refused(fault)


def check_rights(
    event: Verified, authenticated: frozenset[str], auth: AuthPolicy, accept: Accept | None
) -> None:
    """Check who may write this here: NIP-42, NIP-70, the relay's own policy. Raises `Refused`."""
    if event.kind == kinds.AUTH:
        raise Refused("invalid: an authentication is sent with AUTH, not with EVENT")
    if any(tag[:1] == ("-",) for tag in event.tags) and event.pubkey not in authenticated:
        raise Refused(_protected(authenticated, auth))
    reason = accept(event) if accept is not None else None
    if reason is not None:
        raise Refused(reason if prefix_of(reason) else f"blocked: {reason}")


def check_authentication(event: Event, challenge: str, urls: frozenset[str], *, now: int) -> None:
    """Check an AUTH event (NIP-42, "Signed Event Verification"). Raises `Refused`.

    `challenge` is the one this connection was given; `urls` are the relay's own.
    """
    if event.kind != kinds.AUTH:
        raise Refused(f"invalid: an authentication is of kind {kinds.AUTH}")
    if abs(event.created_at - now) > _AUTH_SECONDS:
        raise Refused("invalid: created_at is more than ten minutes away from now")
    if event.tag_values("challenge") != (challenge,):
        raise Refused("invalid: the challenge is not the one that was sent")
    places = {_place(url) for url in urls}
    named = event.tag_values("relay")
    if len(named) != 1 or (place := _place(named[0])) is None or place not in places:
        raise Refused("invalid: the relay tag names another relay")
    checked(event)


def _limit_faults(event: Event, limits: Limits, now: int) -> Iterator[str]:
    if len(event.tags) > limits.max_event_tags:
        yield f"invalid: more than {limits.max_event_tags} tags"
    if len(event.content) > limits.max_content_length:
        yield f"invalid: content has more than {limits.max_content_length} characters"
    if event.created_at > now + limits.created_at_upper_limit:
        yield f"invalid: created_at is over {limits.created_at_upper_limit} seconds in the future"
    # NIP-40: an expiration does not concern events that are not kept anyway.
    if not kinds.is_ephemeral(event.kind) and _has_expired(event, now):
        yield "invalid: the event has expired"
    if (found := _difficulty(event.id)) < limits.min_pow_difficulty:
        yield f"pow: difficulty {found} is less than {limits.min_pow_difficulty}"


def _protected(authenticated: frozenset[str], auth: AuthPolicy) -> str:
    if auth == "off":
        return "restricted: protected events are not taken here"
    if not authenticated:
        return "auth-required: a protected event may only be published by its author"
    return "restricted: a protected event may only be published by its author"


def _has_expired(event: Event, now: int) -> bool:
    expiry = expires_at(event)
    return expiry is not None and expiry <= now


def _difficulty(event_id: str) -> int:
    """Return the leading zero bits of an id (NIP-13)."""
    try:
        return 256 - int(event_id, 16).bit_length()
    except ValueError:
        return 0


def _place(url: str) -> str | None:
    """Return host and port, all that NIP-42 needs: a proxy may end TLS or serve under a path."""
    try:
        _, _, rest = normalize(url).partition("://")
    except InvalidRelayUrl:
        return None
    # The names of the loopback are one machine; the port still tells its relays apart.
    return _LOOPBACK.sub("localhost", rest.split("/")[0].split("?")[0])
